"""Models as JSON and a list of arrays, and back: by the names of classes that are listed here.

In the JSON None, booleans, integers, finite floats, strings and lists are themselves. All else is an
object with one key, which says what it is: ``array`` is the number of an array, ``estimator`` and
``object`` name a class from `classes`, the only ones that are ever made.
"""

import math
import re
import warnings

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

import linclf
from linclf import calibration, classifiers, large
from linclf._files import stream
from linclf._training.model import LinearModel
from linclf.losses import LOSSES
from linclf.optimizers import OPTIMIZERS, Averaged

# types of which an array holds no objects, and a scalar is a number, text or bytes of Python
PLAIN, SCALAR = re.compile(r"[<>|][biufcSUmM]\d+(\[\w+\])?"), re.compile(r"[<>|]([biuSU]\d+|f[248])")
REQUESTS = "_metadata_request"


def classes():
    """Name -> class of all that a file may hold. The names stay when classes move to other files."""
    modules = (classifiers, calibration, large)
    estimators = [getattr(module, name) for module in modules for name in module.__all__]
    known = [cls for cls in estimators if isinstance(cls, type) and issubclass(cls, BaseEstimator)]
    known += [FrozenEstimator, *LOSSES.values(), *OPTIMIZERS.values(), Averaged]
    known += [LinearModel, *stream.TUPLES, *stream.OBJECTS]
    return {cls.__name__: cls for cls in known}


class Writer:
    """Turns values into JSON and keeps the arrays; ``where`` is the value's place in the model."""

    def __init__(self):
        self.arrays, self.names = [], {cls: name for name, cls in classes().items()}

    def encoded(self, value, where):
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is bytes:
            return {"bytes": value.decode("latin-1")}
        if isinstance(value, np.generic) and SCALAR.fullmatch(value.dtype.str):
            return {"scalar": [value.dtype.str, self.encoded(value.item(), where)]}
        if kind in (np.ndarray, np.memmap):
            return self.encoded_array(value, where)
        if kind is list:
            return self.items(value, where)
        if kind is tuple:
            return {"tuple": self.items(value, where)}
        if kind is dict:
            pairs = [
                [self.encoded(key, f"a key of {where}"), self.encoded(item, f"{where}[{key!r}]")]
                for key, item in value.items()
            ]
            return {"dict": pairs}
        if isinstance(value, np.dtype) and PLAIN.fullmatch(value.str):
            return {"dtype": value.str}
        if kind is np.random.RandomState:
            return {"random state": self.encoded(value.get_state(legacy=False), where)}
        if kind in self.names:
            return self.encoded_object(value, where)
        raise TypeError(
            f"{where} is {brief(value)}, which is not linclf's and could not be read back without running "
            "code; use pickle, joblib or skops for this model" + _remedy(where)
        )

    def items(self, values, where):
        return [self.encoded(item, f"{where}[{number}]") for number, item in enumerate(values)]

    def array(self, array):
        self.arrays.append(array)
        return len(self.arrays) - 1

    def encoded_array(self, array, where):
        if array.dtype == object:
            return {"objects": [list(array.shape), self.items(array.ravel().tolist(), where)]}
        if not PLAIN.fullmatch(array.dtype.str):
            raise TypeError(
                f"{where} is an array of {array.dtype!r}, which .npy files cannot hold; convert it, or use "
                "pickle"
            )
        return {"array": self.array(np.asarray(array))}

    def encoded_object(self, value, where):
        kind, name = type(value), self.names[type(value)]
        if isinstance(value, BaseEstimator):
            parameters = value.get_params(deep=False)
            attributes = {key: item for key, item in vars(value).items() if key not in parameters}
            hidden = [key for key in attributes if hasattr(kind, key)]
            if hidden:
                raise TypeError(f"{where}.{hidden[0]} hides a part of the class, which load would refuse")
            requests = attributes.pop(REQUESTS, None)
            asked = {} if requests is None else requests._serialize()
            parts = [
                {key: self.encoded(item, f"{where}.{key}") for key, item in part.items()}
                for part in (parameters, attributes, asked)
            ]
            return {"estimator": [name, *parts]}
        fields = value._asdict() if issubclass(kind, tuple) else vars(value)
        return {"object": [name, {key: self.encoded(item, f"{where}.{key}") for key, item in fields.items()}]}


def brief(value):
    text = repr(value)
    return f"{type(value).__module__}.{type(value).__qualname__}" + (f" {text}" if len(text) <= 80 else "")


def _remedy(where):
    return ", or remove them with set_callbacks()" if "._skl_callbacks" in where else ""


class Reader:
    """Makes values from JSON, of the classes that it knows and no others."""

    def __init__(self, arrays, version):
        self.arrays, self.version, self.classes = arrays, version, classes()
        self.makers = {
            "float": float,
            "bytes": lambda text: text.encode("latin-1"),
            "scalar": self.scalar,
            "array": self.array,
            "objects": self.objects,
            "tuple": lambda items: tuple(map(self.decoded, items)),
            "dict": lambda pairs: {self.decoded(key): self.decoded(item) for key, item in pairs},
            "dtype": self.dtype,
            "random state": self.random_state,
            "object": lambda parts: self.object(*parts),
            "estimator": lambda parts: self.estimator(*parts),
        }

    def decoded(self, node):
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.decoded(item) for item in node]
        ((kind, value),) = node.items()
        return self.makers[kind](value)

    def array(self, number):
        if type(number) is not int or number < 0:
            raise ValueError(f"array {number!r}")
        return self.arrays[number]

    def scalar(self, parts):
        dtype, node = parts
        if not SCALAR.fullmatch(dtype):
            raise ValueError(f"scalar of {dtype!r}")
        return np.dtype(dtype).type(self.decoded(node))

    def objects(self, parts):
        shape, items = parts
        array = np.empty(len(items), object)
        for number, item in enumerate(items):
            array[number] = self.decoded(item)
        return array.reshape(shape)

    def dtype(self, text):
        if not PLAIN.fullmatch(text):
            raise ValueError(f"dtype {text!r}")
        return np.dtype(text)

    def random_state(self, node):
        state = np.random.RandomState()
        state.set_state(self.decoded(node))
        return state

    def fields(self, fields):
        return {name: self.decoded(item) for name, item in fields.items()}

    def object(self, name, fields):
        cls, fields = self.classes[name], self.fields(fields)
        if issubclass(cls, tuple):
            return cls(**fields)
        if cls not in stream.OBJECTS:
            raise ValueError(f"{name} is no object")
        made = cls.__new__(cls)
        vars(made).update(fields)
        return made

    def estimator(self, name, parameters, attributes, requests):
        cls = self.classes[name]
        if not issubclass(cls, BaseEstimator):
            raise ValueError(f"{name} is no estimator")
        model = cls(**self.fields(parameters))
        if self.version != linclf.__version__ and set(stream.ATTRIBUTES) & set(attributes):
            attributes = {key: item for key, item in attributes.items() if key not in stream.ATTRIBUTES}
            warnings.warn(
                f"linclf {self.version} has saved this stream, and linclf {linclf.__version__} goes on from "
                "its weights with a new optimizer",
                stacklevel=6,
            )
        for key, item in self.fields(attributes).items():
            if hasattr(cls, key) or key in model.get_params(deep=False):
                raise ValueError(f"{key} would hide a part of {name}")
            vars(model)[key] = item
        with config_context(enable_metadata_routing=True):
            for method, asked in self.fields(requests).items():
                getattr(model, f"set_{method}_request")(**dict(asked))
        return model
