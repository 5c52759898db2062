"""Checks that the parts of a model fit together, before it is saved and after it is read.

Kernels do not check shapes: if an array is too small, they read beyond its end.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from linclf._estimator.base import BaseLinearClassifier
from linclf._files.sklearn_composed import check_any_step
from linclf._files.sklearn_parts import is_step
from linclf._files.stream import ATTRIBUTES, check_head, check_stream, check_tree, check_type
from linclf._training.model import LinearModel
from linclf.calibration import (
    AutomaticCalibration,
    CalibratedClassifier,
    DirichletCalibration,
    PerLabelCalibration,
    PlattScaling,
    TemperatureScaling,
    VectorScaling,
)
from linclf.calibration._base import BaseCalibrator
from linclf.conformal import ConformalClassifier
from linclf.decisions import (
    CostSensitiveClassifier,
    LabelThresholdClassifier,
    RejectClassifier,
    ThresholdClassifier,
)
from linclf.embedding.estimator import LinearEmbedding
from linclf.heads import Linear
from linclf.large import AdaptiveSoftmaxClassifier, HierarchicalSoftmaxClassifier
from linclf.large._clusters import Clusters

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
    AutomaticCalibration: {"weights_": ("calibrators",)},
    PerLabelCalibration: {},
    CalibratedClassifier: {},
    ConformalClassifier: {},
    CostSensitiveClassifier: {"costs_": ("classes", "classes")},
    ThresholdClassifier: {"offsets_": ("classes",)},
    LabelThresholdClassifier: {},
    RejectClassifier: {},
}


def check_model(
    model: BaseEstimator, attributes_of: Callable[[BaseEstimator], dict[str, Any]] = vars
) -> None:
    """Raise ValueError if parts of an estimator, or of an estimator inside it, do not fit together."""
    attributes = attributes_of(model)
    for part in _estimators_in(list(attributes.values())):
        check_model(part, attributes_of)
    if is_step(model):
        check_any_step(model)
        return
    if isinstance(model, LinearEmbedding):
        _check_embedding(attributes)
        return
    shapes = next((shapes for cls, shapes in SHAPES.items() if isinstance(model, cls)), None)
    fitted = [key for key in attributes if key.endswith("_") or key in ATTRIBUTES]
    if shapes is None or not fitted:
        return
    name = type(model).__name__
    required = {"classes_"}
    if isinstance(model, BaseLinearClassifier):
        required |= {"n_features_in_", "history_", "n_iter_"}
    if missing := sorted(required - set(fitted)):
        raise ValueError(f"{name} has {fitted[0]}, but no {missing[0]}")
    classes = attributes["classes_"]
    fewest = 1 if isinstance(model, BaseCalibrator) else 2  # a calibrator knows only classes with weight
    if not (isinstance(classes, np.ndarray) and classes.ndim == 1 and len(classes) >= fewest):
        raise ValueError(f"classes_ of {name} is {classes!r}, not an array of {fewest} classes or more")
    if len(classes) == 1 and fitted == ["classes_"]:
        return  # a calibrator of one class, with probability 1
    K, n_features = len(classes), attributes.get("n_features_in_")
    several = "multilabel_" in attributes
    if several and attributes["multilabel_"] is not True:
        raise ValueError(f"multilabel_ of {name} is {attributes['multilabel_']!r}")
    if "calibrator_" in attributes and several != isinstance(attributes["calibrator_"], PerLabelCalibration):
        raise ValueError(f"calibrator_ of {name} is not for {'several labels' if several else 'one label'}")
    if isinstance(model, PerLabelCalibration):
        _check_labels(attributes, K)
    one = K == 2 and not several
    sizes = {"classes": K, "scores": 1 if one else K, "nodes": K - 1, "inputs": n_features}
    if "calibrators_" in attributes:
        sizes["calibrators"] = len(attributes["calibrators_"])
    if "projection_" in attributes:
        sizes["inputs"] = len(attributes["projection_"])
        _check_floats(f"projection_ of {name}", attributes["projection_"], (sizes["inputs"], n_features))
    if "spread_" in attributes:
        for attribute in ("mean_", "spread_"):
            _check_floats(f"{attribute} of {name}", attributes[attribute], (n_features,))
    if isinstance(model, ConformalClassifier):
        _check_conformal(attributes, K)
    if "tree_" in attributes:
        check_tree(attributes["tree_"], K)
    for attribute, dimensions in shapes.items():
        shape = tuple(sizes[dimension] for dimension in dimensions)
        _check_floats(f"{attribute} of {name}", attributes[attribute], shape)
    names = attributes.get("feature_names_in_")
    if names is not None and np.shape(names) != (n_features,):
        raise ValueError(f"feature_names_in_ of {name} has shape {np.shape(names)} for {n_features} features")
    inner = [attributes.get("calibrator_"), *attributes.get("calibrators_", []), attributes.get("estimator_")]
    for part in inner:
        known = np.asarray(getattr(part, "classes_", classes)).tolist()
        if others := set(known) - set(classes.tolist()):
            raise ValueError(
                f"{part!r} of {name} is for the classes {sorted(others)}, which it does not have"
            )
    if "head_" in attributes:
        _check_parts(name, attributes, K, sizes["inputs"])
    if "_stream" in attributes:
        check_stream(attributes["_stream"], K, sizes["inputs"], several)


def _estimators_in(value: Any) -> Iterator[BaseEstimator]:
    """Estimators in a value, including those in lists, such as the steps of a pipeline."""
    if isinstance(value, BaseEstimator):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _estimators_in(part)


def _check_floats(name: str, value: Any, shape: tuple[int | None, ...]) -> None:
    if np.shape(value) != shape:
        raise ValueError(f"{name} has shape {np.shape(value)} instead of {shape}")
    if np.asarray(value).dtype not in (np.float32, np.float64) or not np.isfinite(value).all():
        raise ValueError(f"{name} has to be finite numbers of float32 or float64")


def _check_labels(attributes: dict[str, Any], n_labels: int) -> None:
    """Check that each label has a calibrator of two classes."""
    parts = attributes["calibrators_"]
    if len(parts) != n_labels or not all(np.array_equal(part.classes_, [0, 1]) for part in parts):
        raise ValueError(f"calibrators_ of PerLabelCalibration are not those of {n_labels} labels")


def _check_embedding(attributes: dict[str, Any]) -> None:
    """Check the map of an embedding, and what it knows of the features and the classes."""
    if "components_" not in attributes:
        return
    n_components, n_features = np.shape(attributes["components_"])
    expected = {"components_": (n_components, n_features), "mean_": (n_features,)}
    if "centers_" in attributes:
        expected["centers_"] = (len(attributes["classes_"]), n_components)
    for attribute, shape in expected.items():
        _check_floats(f"{attribute} of LinearEmbedding", attributes[attribute], shape)
    if attributes["n_features_in_"] != n_features:
        raise ValueError(
            f"n_features_in_ of LinearEmbedding is {attributes['n_features_in_']}, and components_ has "
            f"{n_features} features"
        )
    names = attributes.get("feature_names_in_")
    if names is not None and np.shape(names) != (n_features,):
        raise ValueError(
            f"feature_names_in_ of LinearEmbedding has shape {np.shape(names)} for {n_features} features"
        )


def _check_conformal(attributes: dict[str, Any], K: int) -> None:
    """Check the scores of rows that calibrate, and the categories of these rows and of the classes."""
    names = "scores_", "row_categories_", "categories_"
    scores, of_rows, of_classes = (attributes[name] for name in names)
    if np.shape(of_classes) != (K,) or np.ndim(scores) != 1 or np.shape(of_rows) != np.shape(scores):
        raise ValueError(
            f"{', '.join(names)} of ConformalClassifier have the shapes {np.shape(scores)}, "
            f"{np.shape(of_rows)} and {np.shape(of_classes)} for {K} classes"
        )
    kinds = [np.asarray(array).dtype.kind for array in (scores, of_rows, of_classes)]
    if kinds != ["f", "i", "i"] or not (scores[1:] >= scores[:-1]).all() or np.isnan(scores).any():
        raise ValueError("scores_ of ConformalClassifier have to be sorted numbers, and categories integers")


def _check_parts(name: str, attributes: dict[str, Any], K: int, n_inputs: int) -> None:
    """Check the head and the tails of an adaptive softmax."""
    clusters = Clusters(attributes["order_"], attributes["cutoffs_"])
    edges = [0, *clusters.cutoffs.tolist(), K]
    if sorted(clusters.order.tolist()) != list(range(K)) or sorted(set(edges)) != edges:
        raise ValueError(f"order_ and cutoffs_ of {name} are not those of {K} classes")
    parts = [attributes["head_"], *attributes["tails_"]]
    projections = [None, *attributes["projections_"]]
    for part, size, projection in zip(parts, clusters.sizes, projections, strict=True):
        check_type(f"a part of {name}", part, (LinearModel,))
        check_head(part.head, (Linear,), 1)
        n_seen, rows = n_inputs, 1 if size == 2 else size
        if projection is not None:
            n_seen = np.shape(projection)[-1]
            _check_floats(f"a projection of {name}", projection, (n_inputs, n_seen))
        _check_floats(f"weights of {name}", part.W, (rows, n_seen))
        _check_floats(f"intercepts of {name}", part.b, (rows,))
