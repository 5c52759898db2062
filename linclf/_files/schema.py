"""Whether the parts of a model fit together, checked before it is saved and after it is read.

Kernels do not check shapes: given an array that is too small, they would read beyond its end.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from sklearn.base import BaseEstimator

from linclf._estimator.base import BaseLinearClassifier
from linclf._kernels.epoch import State
from linclf._training.coordinates import Coordinates, Moments
from linclf._training.session import Session
from linclf._training.settings import Settings
from linclf.calibration import (
    CalibratedClassifier,
    DirichletCalibration,
    PlattScaling,
    TemperatureScaling,
    VectorScaling,
)
from linclf.heads import Cosine, Linear
from linclf.large import AdaptiveSoftmaxClassifier, HierarchicalSoftmaxClassifier
from linclf.large._candidates import CandidateSession, Draw
from linclf.large._tree import Tree, TreeSession, from_codes, tree_of
from linclf.losses import LOSSES
from linclf.optimizers import OPTIMIZERS, Averaged

# Shapes of the fitted attributes. "scores" is 1 for two classes, otherwise the number of classes; "inputs"
# is the number of features, or of projected features, that coef_ acts on.
SHAPES: dict[type[BaseEstimator], dict[str, tuple[str, ...]]] = {
    AdaptiveSoftmaxClassifier: {},
    HierarchicalSoftmaxClassifier: {"coef_": ("nodes", "inputs"), "intercept_": ("nodes",)},
    BaseLinearClassifier: {"coef_": ("scores", "inputs"), "intercept_": ("scores",)},
    TemperatureScaling: {"temperature_": ()},
    PlattScaling: {"coef_": ("scores",), "intercept_": ("scores",)},
    VectorScaling: {"coef_": ("classes",), "intercept_": ("classes",)},
    DirichletCalibration: {"coef_": ("classes", "classes"), "intercept_": ("classes",)},
    CalibratedClassifier: {},
}


def check_model(model: BaseEstimator) -> None:
    """Raise ValueError if parts of an estimator, or of an estimator inside it, do not fit together."""
    for value in vars(model).values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, BaseEstimator):
                check_model(part)
    shapes = next((shapes for cls, shapes in SHAPES.items() if isinstance(model, cls)), None)
    fitted = [key for key in vars(model) if key.endswith("_") or key == "_session"]
    if shapes is None or not fitted:
        return
    name, attributes = type(model).__name__, vars(model)
    required = {"classes_"}
    if isinstance(model, BaseLinearClassifier):
        required |= {"n_features_in_", "history_", "n_iter_"}
    if missing := sorted(required - set(fitted)):
        raise ValueError(f"{name} has {fitted[0]}, but no {missing[0]}")
    classes = attributes["classes_"]
    if not (isinstance(classes, np.ndarray) and classes.ndim == 1 and len(classes) > 1):
        raise ValueError(f"classes_ of {name} is {classes!r}, not an array of two classes or more")
    K, n_features = len(classes), attributes.get("n_features_in_")
    sizes = {"classes": K, "scores": 1 if K == 2 else K, "nodes": K - 1, "inputs": n_features}
    if "projection_" in attributes:
        sizes["inputs"] = len(attributes["projection_"])
        _check_floats(f"projection_ of {name}", attributes["projection_"], (sizes["inputs"], n_features))
    if "tree_" in attributes:
        _check_tree(attributes["tree_"], K)
    for attribute, dimensions in shapes.items():
        shape = tuple(sizes[dimension] for dimension in dimensions)
        _check_floats(f"{attribute} of {name}", attributes[attribute], shape)
    names = attributes.get("feature_names_in_")
    if names is not None and np.shape(names) != (n_features,):
        raise ValueError(f"feature_names_in_ of {name} has shape {np.shape(names)} for {n_features} features")
    for part in (attributes.get("calibrator_"), attributes.get("estimator_")):
        n_classes = len(getattr(part, "classes_", classes))
        if n_classes != K:
            raise ValueError(f"{part!r} of {name} is for {n_classes} classes, not {K}")
    if "_session" in attributes:
        _check_session(attributes["_session"], K, sizes["inputs"])


def _check_floats(name: str, value: Any, shape: tuple[int | None, ...]) -> None:
    if np.shape(value) != shape:
        raise ValueError(f"{name} has shape {np.shape(value)} instead of {shape}")
    if np.asarray(value).dtype not in (np.float32, np.float64) or not np.isfinite(value).all():
        raise ValueError(f"{name} has to be finite numbers of float32 or float64")


def _check_tree(tree: Any, K: int) -> None:
    """Check that the stored paths, which kernels trust, are those that the children determine."""
    _check_type("the tree", tree, [Tree])
    complete = np.shape(tree.children) == (K - 1, 2) and len(tree.starts) == K + 1
    complete = complete and tree.starts[0] == 0 and tree.starts[-1] == len(tree.nodes) == len(tree.signs)
    if complete and (np.diff(tree.starts) > 0).all():
        rebuilt = tree_of(from_codes(tree.codes, np.arange(K)))
        if all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(tree, rebuilt, strict=True)):
            return
    raise ValueError("the paths of the tree are not those of its children")


def _check_session(session, K, d):
    """That the kernels get what they expect."""
    _check_type("the session", session, [Session, CandidateSession, TreeSession])
    _check_type("settings", session.settings, [Settings])
    losses, optimizers = list(LOSSES.values()), list(OPTIMIZERS.values())
    if isinstance(session, (CandidateSession, TreeSession)):
        _check_array("the class counts of the session", session.counts, (K,), np.float64)
    if isinstance(session, CandidateSession):
        _check_type("draw", session.draw, [Draw])
    if isinstance(session, TreeSession):
        _check_tree(session.loss, K)
        K, losses = K - 1, None
    for name, allowed in (
        ("loss", losses),
        ("head", [Linear, Cosine]),
        ("optimizer", [*optimizers, Averaged]),
    ):
        if allowed is not None:
            _check_numbers(name, getattr(session, name), allowed)
    if (session.n_classes, session.n_features) != (K, d) or session.dtype not in (np.float32, np.float64):
        raise ValueError(f"the session is for {session.n_classes} classes, {session.n_features} features")
    _check_type("coordinates", session.coordinates, [Coordinates])
    arrays = [session.coordinates.centre, session.coordinates.factor]
    if session.moments is not None:
        _check_type("moments", session.moments, [Moments])
        arrays += [session.moments.mean, session.moments.squares]
    for array in arrays:
        _check_array("the features of the session", array, (d,), np.float64)
    size = d if session.levelled else 0
    _check_array("the squares of the session", session.squares, (size,), np.float64)
    _check_type("state", session.state, [State])
    shape = (d + 1, K) if session.is_sparse else (K, d + 1)
    V, G, slots, count = session.state
    _check_array("V", V, shape, session.dtype)
    _check_array("G", G, shape if np.size(G) else (0, 0), session.dtype)
    _check_array("slots", slots, (shape[0], session.optimizer.n_slots, shape[1]), session.dtype)
    _check_array("count", count, (1,), np.int64)


def _check_type(name: str, value: Any, allowed: Sequence[type]) -> None:
    if type(value) not in allowed:
        raise ValueError(f"{name} is a {type(value).__name__}")


def _check_numbers(name: str, value: Any, allowed: Sequence[type]) -> None:
    """Check that all fields are floats: Numba would compile the kernels again for any other type."""
    _check_type(name, value, allowed)
    if isinstance(value, Averaged):
        _check_numbers(name, value.inner, [cls for cls in allowed if cls is not Averaged])
    elif not all(type(field) is float for field in value):
        raise ValueError(f"{name}={value!r} has fields that are not floats")


def _check_array(name: str, value: Any, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    plain = type(value) is np.ndarray and value.dtype == dtype and value.flags.c_contiguous
    if not plain or value.shape != shape:
        raise ValueError(f"{name} is not an array of {np.dtype(dtype)} {shape}")
