"""Whether the parts of a model fit together, before it is saved and after it is read.

What a kernel is given has to have the right shape: it does not look, and would read beyond the end.
"""

import numpy as np
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

# fitted attributes and their shapes: of K classes, of d features, of the rows that K classes need, of the
# nodes of a tree, and of the features that the weights are for
SHAPES = {
    AdaptiveSoftmaxClassifier: {},
    HierarchicalSoftmaxClassifier: {"coef_": ("nodes", "seen"), "intercept_": ("nodes",)},
    BaseLinearClassifier: {"coef_": ("rows", "seen"), "intercept_": ("rows",)},
    TemperatureScaling: {"temperature_": ()},
    PlattScaling: {"coef_": ("rows",), "intercept_": ("rows",)},
    VectorScaling: {"coef_": ("K",), "intercept_": ("K",)},
    DirichletCalibration: {"coef_": ("K", "K"), "intercept_": ("K",)},
    CalibratedClassifier: {},
}


def check(model):
    """Raise ValueError where parts of an estimator, or of one inside it, do not fit together."""
    for value in vars(model).values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, BaseEstimator):
                check(part)
    shapes = next((shapes for cls, shapes in SHAPES.items() if isinstance(model, cls)), None)
    name, fitted = (
        type(model).__name__,
        [key for key in vars(model) if key.endswith("_") or key == "_session"],
    )
    if shapes is None or not fitted:
        return
    needed = {"classes_"}
    if isinstance(model, BaseLinearClassifier):
        needed |= {"n_features_in_", "history_", "n_iter_"}
    if missing := sorted(needed - set(fitted)):
        raise ValueError(f"{name} has {fitted[0]}, but no {missing[0]}")
    classes = model.classes_
    if not (isinstance(classes, np.ndarray) and classes.ndim == 1 and len(classes) > 1):
        raise ValueError(f"classes_ of {name} is {classes!r}, not an array of two classes or more")
    K = len(classes)
    sizes = {"K": K, "rows": 1 if K == 2 else K, "nodes": K - 1, "d": vars(model).get("n_features_in_")}
    sizes["seen"] = sizes["d"]
    if "projection_" in vars(model):
        sizes["seen"] = len(model.projection_)
        _check_floats(f"projection_ of {name}", model.projection_, [sizes["seen"], sizes["d"]])
    if "tree_" in vars(model):
        _check_tree(model.tree_, K)
    for attribute, dimensions in shapes.items():
        _check_floats(f"{attribute} of {name}", vars(model)[attribute], [sizes[one] for one in dimensions])
    names = vars(model).get("feature_names_in_")
    if names is not None and np.shape(names) != (sizes["d"],):
        raise ValueError(f"feature_names_in_ of {name} has shape {np.shape(names)} for {sizes['d']} features")
    for part in (vars(model).get("calibrator_"), vars(model).get("estimator_")):
        if hasattr(part, "classes_") and len(part.classes_) != K:
            raise ValueError(f"{part!r} of {name} is for {len(part.classes_)} classes, not {K}")
    if "_session" in vars(model):
        _check_session(model._session, K, sizes["seen"])


def _check_floats(name, value, shape):
    if np.shape(value) != tuple(shape):
        raise ValueError(f"{name} has shape {np.shape(value)} instead of {tuple(shape)}")
    if np.asarray(value).dtype not in (np.float32, np.float64) or not np.isfinite(value).all():
        raise ValueError(f"{name} has to be finite numbers of float32 or float64")


def _check_tree(tree, K):
    """Its paths are walked by a kernel: they must be those of its children."""
    _check_type("the tree", tree, [Tree])
    right = np.shape(tree.children) == (K - 1, 2) and len(tree.starts) == K + 1
    right = right and tree.starts[0] == 0 and tree.starts[-1] == len(tree.nodes) == len(tree.signs)
    if right and (np.diff(tree.starts) > 0).all():
        again = tree_of(from_codes(tree.codes, np.arange(K)))
        if all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(tree, again, strict=True)):
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


def _check_type(name, value, allowed):
    if type(value) not in allowed:
        raise ValueError(f"{name} is a {type(value).__name__}")


def _check_numbers(name, value, allowed):
    """Fields of other types would be another signature of the kernels."""
    _check_type(name, value, allowed)
    if isinstance(value, Averaged):
        _check_numbers(name, value.inner, [cls for cls in allowed if cls is not Averaged])
    elif not all(type(field) is float for field in value):
        raise ValueError(f"{name}={value!r} has fields that are no floats")


def _check_array(name, value, shape, dtype):
    found = type(value) is np.ndarray and value.dtype == dtype and value.flags.c_contiguous
    if not found or value.shape != shape:
        raise ValueError(f"{name} is not an array of {np.dtype(dtype)} {shape}")
