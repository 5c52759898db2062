"""Models as JSON and a list of arrays, and back; only the classes listed here are ever created.

None, booleans, integers, finite floats, strings and lists are written directly. Any other value is
a JSON object with one key, its kind: ``array`` holds the number of an array, ``estimator`` and
``object`` the name of a class from `classes`, and ``splitter``, ``type`` and ``function`` a name from
`linclf._files.sklearn_parts`.
"""

import math
import re
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import get_scorer

from linclf import calibration, classifiers, conformal, decisions, embedding, large, tuning
from linclf._estimator.predicting import Predicting
from linclf._files import stream
from linclf._files.earlier import parts_as_models
from linclf._files.sklearn_parts import (
    FUNCTIONS,
    SPLITTERS,
    STEPS,
    TYPES,
    attributes_as_data,
    is_step,
    restore,
    scorer_name,
    splitter_parameters,
    with_columns_of,
)
from linclf._training.model import LinearModel
from linclf._version import __version__
from linclf.decisions.criteria import CRITERIA
from linclf.embedding.estimator import LinearEmbedding
from linclf.losses import LOSSES
from linclf.losses.labels import OF_LABELS
from linclf.optimizers import OPTIMIZERS, Averaged

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# dtypes of arrays without Python objects, and of scalars that are Python numbers, text or bytes
STORABLE_DTYPE = re.compile(r"[<>|][biufcSUmM]\d+(\[\w+\])?")
SCALAR_DTYPE = re.compile(r"[<>|]([biuSU]\d+|f[248])")
PLAIN = (bool, int, str, type(None))  # JSON's own types
OBJECT_DTYPE = np.dtype(object).str  # allowed as a setting, never for an array in the file
METADATA_REQUEST = "_metadata_request"  # scikit-learn's attribute for metadata routing
# what else can be done about values that files cannot hold, by a part of the place where they are
REMEDIES = {
    "._skl_callbacks": ", or remove them with set_callbacks()",
    ".scoring": ", or pass the name of a scorer of scikit-learn; set_params(scoring='accuracy') of a fitted "
    "model changes no prediction",
    ".cv": ", or pass a number of folds, a splitter of scikit-learn or a list; set_params(cv=None) of a "
    "fitted model changes no prediction",
}


def classes() -> dict[str, type]:
    """Every class that a file may hold, by name; a class keeps its name when it moves to another module."""
    modules = (classifiers, calibration, conformal, decisions, large, tuning)
    exported = [getattr(module, name) for module in modules for name in module.__all__]
    known: list[type] = [cls for cls in exported if isinstance(cls, type) and issubclass(cls, BaseEstimator)]
    known += [FrozenEstimator, *LOSSES.values(), *OF_LABELS, *OPTIMIZERS.values(), Averaged]
    known += [*conformal.SCORES.values(), *conformal.TAXONOMIES.values()]
    known += [LinearEmbedding, *embedding.OBJECTIVES.values()]
    known += [*CRITERIA, LinearModel, *stream.TUPLES, *stream.OBJECTS, *STEPS]
    return {cls.__name__: cls for cls in known}


def learnt(model: BaseEstimator) -> dict[str, Any]:
    """All attributes of an estimator, including those that are computed on first access."""
    return model._learnt() if isinstance(model, Predicting) else vars(model)


def _is_part_of_class(cls: type, name: str) -> bool:
    """Whether the class itself defines the name, rather than declaring it as a fitted attribute."""
    special = name.startswith("__")  # scikit-learn asks for some that the class may not have
    return special or (hasattr(cls, name) and name not in getattr(cls, "_declared", {}))


class Writer:
    """Turns values into JSON and collects their arrays; ``place`` names a value in error messages.

    ``has_steps`` tells whether there are scikit-learn steps, or other values that linclf 0.1 cannot read.
    """

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self.has_steps = False
        self.names = {cls: name for name, cls in classes().items()}

    def encode(self, value: Any, place: str) -> Json:
        cls = type(value)
        if cls in PLAIN:
            return value
        if cls is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if cls is bytes:
            return {"bytes": value.decode("latin-1")}
        if issubclass(cls, np.generic) and SCALAR_DTYPE.fullmatch(value.dtype.str):
            return {"scalar": [value.dtype.str, self.encode(value.item(), place)]}
        if cls in (np.ndarray, np.memmap):
            return self.encode_array(value, place)
        if cls is list:
            return self.encode_items(value, place)
        if cls is tuple:
            return {"tuple": self.encode_items(value, place)}
        if cls is dict:
            pairs: list[Json] = [
                [key, item]
                if type(key) in PLAIN and type(item) in PLAIN  # fast path, for the many words of a vocabulary
                else [self.encode(key, f"a key of {place}"), self.encode(item, f"{place}[{key!r}]")]
                for key, item in value.items()
            ]
            return {"dict": pairs}
        if issubclass(cls, np.dtype) and STORABLE_DTYPE.fullmatch(value.str):
            return {"dtype": value.str}
        if (node := self.encode_setting(value, place)) is not None:
            self.has_steps = True
            return node
        if cls is np.random.RandomState:
            return {"random state": self.encode(value.get_state(legacy=False), place)}
        if issubclass(cls, BaseEstimator) and cls in self.names:
            return self.encode_estimator(value, place)
        if cls in self.names:
            fields = value._asdict() if issubclass(cls, tuple) else value.__getstate__()
            return {"object": [self.names[cls], self.encode_fields(fields, place)]}
        remedy = next((text for end, text in REMEDIES.items() if end in place), "")
        raise TypeError(
            f"{place} is {brief_repr(value)}, which is neither linclf's nor a part of scikit-learn that "
            "files may hold, and could not be read back without running code; use pickle, joblib or skops "
            f"for this model{remedy}"
        )

    def encode_setting(self, value: Any, place: str) -> Json:
        """Encode values that are scikit-learn's or occur only in its steps; None for anything else."""
        cls = type(value)
        if cls in SPLITTERS.values():
            request = vars(value).get(METADATA_REQUEST)
            parts = splitter_parameters(value), {} if request is None else request._serialize()
            return {"splitter": [cls.__name__, *(self.encode_fields(part, place) for part in parts)]}
        if (name := scorer_name(value)) is not None:
            return {"scorer": name}
        if cls is slice:
            return {"slice": self.encode_items([value.start, value.stop, value.step], place)}
        if cls in (set, frozenset):
            return {cls.__name__: self.encode_items(sorted(value, key=repr), place)}
        if issubclass(cls, np.dtype) and value.str == OBJECT_DTYPE:
            return {"dtype": OBJECT_DTYPE}
        for kind, known in (("type", TYPES), ("function", FUNCTIONS)):
            for name, item in known.items():
                if value is item:
                    return {kind: name}
        return None

    def encode_items(self, items: Iterable[Any], place: str) -> list[Json]:
        return [self.encode(item, f"{place}[{number}]") for number, item in enumerate(items)]

    def encode_fields(self, fields: dict[str, Any], place: str) -> dict[str, Json]:
        return {name: self.encode(item, f"{place}.{name}") for name, item in fields.items()}

    def encode_array(self, array: np.ndarray, place: str) -> Json:
        if array.dtype == object:
            return {"objects": [list(array.shape), self.encode_items(array.ravel().tolist(), place)]}
        if not STORABLE_DTYPE.fullmatch(array.dtype.str):
            raise TypeError(
                f"{place} is an array of {array.dtype!r}, which .npy files cannot hold; convert it, or use "
                "pickle"
            )
        self.arrays.append(np.asarray(array))
        return {"array": len(self.arrays) - 1}

    def encode_estimator(self, model: BaseEstimator, place: str) -> Json:
        parameters, known = model.get_params(deep=False), learnt(model)
        if is_step(model):
            self.has_steps = True
            known = attributes_as_data(model, known)
            parameters = {name: known[name] for name in parameters}
        elif "estimator" in parameters and "estimator_" in known:
            parameters["estimator"] = with_columns_of(parameters["estimator"], known["estimator_"])
        attributes = {name: item for name, item in known.items() if name not in parameters}
        hiding = [name for name in attributes if _is_part_of_class(type(model), name)]
        if hiding:
            raise TypeError(f"{place}.{hiding[0]} hides a part of the class, which load would refuse")
        request = attributes.pop(METADATA_REQUEST, None)
        requests = {} if request is None else request._serialize()
        parts = [self.encode_fields(part, place) for part in (parameters, attributes, requests)]
        return {"estimator": [self.names[type(model)], *parts]}


def brief_repr(value: Any) -> str:
    """The class of a value, and its repr if that is short."""
    text = repr(value)
    return f"{type(value).__module__}.{type(value).__qualname__}" + (f" {text}" if len(text) <= 80 else "")


class Reader:
    """Turns JSON and arrays back into values; ``version`` is the linclf version that saved them.

    ``warnings`` are given to the user once the file is read.

    The JSON can be anything. A value of an unexpected kind or type raises an exception, often a
    KeyError or a TypeError, which `load` turns into a ValueError.
    """

    def __init__(self, arrays: list[np.ndarray], version: str) -> None:
        self.arrays, self.version, self.classes = arrays, version, classes()
        self.warnings: set[str] = set()
        self.decoders = {
            "float": float,
            "bytes": lambda text: text.encode("latin-1"),
            "scalar": self.scalar,
            "array": self.array,
            "objects": self.objects,
            "tuple": lambda items: tuple(map(self.decode, items)),
            "dict": lambda pairs: {self.decode(key): self.decode(item) for key, item in pairs},
            "dtype": self.dtype,
            "slice": self.slice,
            "set": lambda items: set(map(self.decode, items)),
            "frozenset": lambda items: frozenset(map(self.decode, items)),
            "splitter": lambda parts: self.splitter(*parts),
            "scorer": lambda name: get_scorer(str(name)),  # nothing that could be called
            "type": TYPES.__getitem__,
            "function": FUNCTIONS.__getitem__,
            "random state": self.random_state,
            "object": lambda parts: self.object(*parts),
            "estimator": lambda parts: self.estimator(*parts),
        }

    def decode(self, node: Any) -> Any:
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        ((kind, content),) = node.items()
        return self.decoders[kind](content)

    def array(self, number: Any) -> np.ndarray:
        if type(number) is not int or number < 0:
            raise ValueError(f"array {number!r}")
        return self.arrays[number]

    def scalar(self, parts: Any) -> np.generic:
        dtype, node = parts
        if not SCALAR_DTYPE.fullmatch(dtype):
            raise ValueError(f"scalar of {dtype!r}")
        return np.dtype(dtype).type(self.decode(node))

    def objects(self, parts: Any) -> np.ndarray:
        shape, items = parts
        array = np.empty(len(items), object)
        for number, item in enumerate(items):
            array[number] = self.decode(item)
        return array.reshape(shape)

    def dtype(self, text: Any) -> np.dtype:
        if text != OBJECT_DTYPE and not STORABLE_DTYPE.fullmatch(text):
            raise ValueError(f"dtype {text!r}")
        return np.dtype(text)

    def slice(self, items: Any) -> slice:
        start, stop, step = map(self.decode, items)
        return slice(start, stop, step)

    def random_state(self, node: Any) -> np.random.RandomState:
        random_state = np.random.RandomState()
        random_state.set_state(self.decode(node))
        return random_state

    def fields(self, fields: Any) -> dict[str, Any]:
        return {name: self.decode(item) for name, item in fields.items()}

    def splitter(self, name: Any, parameters: Any, requests: Any) -> Any:
        splitter = SPLITTERS[name](**self.fields(parameters))
        self.set_requests(splitter, requests)
        return splitter

    def set_requests(self, owner: Any, requests: Any) -> None:
        with config_context(enable_metadata_routing=True):
            for method, request in self.fields(requests).items():
                getattr(owner, f"set_{method}_request")(**dict(request))

    def object(self, name: Any, fields: Any) -> Any:
        cls, values = self.classes[name], self.fields(fields)
        if issubclass(cls, tuple):
            return cls(**values)
        if cls not in stream.OBJECTS:
            raise ValueError(f"{name} is no object")
        made = cls.__new__(cls)
        getattr(made, "__setstate__", vars(made).update)(values)
        return made

    def estimator(self, name: Any, parameters: Any, attributes: Any, requests: Any) -> BaseEstimator:
        cls = self.classes[name]
        if not issubclass(cls, BaseEstimator):
            raise ValueError(f"{name} is no estimator")
        model = cls(**self.fields(parameters))
        if self.version != __version__ and set(stream.ATTRIBUTES) & set(attributes):
            attributes = {key: item for key, item in attributes.items() if key not in stream.ATTRIBUTES}
            self.warnings.add(
                f"linclf {self.version} has saved this stream, and linclf {__version__} goes on from "
                "its weights with a new optimizer"
            )
        for key, item in parts_as_models(self.fields(attributes)).items():
            if _is_part_of_class(cls, key) or key in model.get_params(deep=False):
                raise ValueError(f"{key} would hide a part of {name}")
            vars(model)[key] = item
        self.set_requests(model, requests)
        restore(model)
        return model
