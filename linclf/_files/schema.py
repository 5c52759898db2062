"""Whether the parts of a model fit together, before it is saved and after it is read.

What a kernel is given has to have the right shape: it does not look, and would read beyond the end.
"""

import numpy as np
from sklearn.base import BaseEstimator

from linclf._estimator.base import BaseLinearClassifier
from linclf._files.stream import ATTRIBUTES, check_stream, check_tree
from linclf.calibration import (
    CalibratedClassifier,
    DirichletCalibration,
    PlattScaling,
    TemperatureScaling,
    VectorScaling,
)
from linclf.large import AdaptiveSoftmaxClassifier, HierarchicalSoftmaxClassifier

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
        [key for key in vars(model) if key.endswith("_") or key in ATTRIBUTES],
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
        check_tree(model.tree_, K)
    for attribute, dimensions in shapes.items():
        _check_floats(f"{attribute} of {name}", vars(model)[attribute], [sizes[one] for one in dimensions])
    names = vars(model).get("feature_names_in_")
    if names is not None and np.shape(names) != (sizes["d"],):
        raise ValueError(f"feature_names_in_ of {name} has shape {np.shape(names)} for {sizes['d']} features")
    for part in (vars(model).get("calibrator_"), vars(model).get("estimator_")):
        if hasattr(part, "classes_") and len(part.classes_) != K:
            raise ValueError(f"{part!r} of {name} is for {len(part.classes_)} classes, not {K}")
    if "_stream" in vars(model):
        check_stream(model._stream, K, sizes["seen"])


def _check_floats(name, value, shape):
    if np.shape(value) != tuple(shape):
        raise ValueError(f"{name} has shape {np.shape(value)} instead of {tuple(shape)}")
    if np.asarray(value).dtype not in (np.float32, np.float64) or not np.isfinite(value).all():
        raise ValueError(f"{name} has to be finite numbers of float32 or float64")
