"""Export of a fitted classifier as an ONNX model."""

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from linclf._data.limits import is_integer
from linclf._estimator.predicting import Predicting
from linclf._onnx.calibrators import NEVER, log_odds_of_labels, log_probabilities_of
from linclf._onnx.graph import OLDEST_OPSET, Graph, check_opset, require_onnx, two_columns
from linclf._onnx.probabilities import probabilities_of
from linclf._onnx.scores import scores_of
from linclf._types import FloatArray, LabelArray
from linclf._version import __version__
from linclf.calibration import CalibratedClassifier

if TYPE_CHECKING:
    from onnx import ModelProto

    from linclf._estimator.base import BaseLinearClassifier


class Outputs(NamedTuple):
    """Names of values: the ranking (n, K) that decides, and the outputs of the two prediction methods."""

    ranking: str
    scores: str | None
    probabilities: str | None


def to_onnx(
    model: "BaseLinearClassifier | CalibratedClassifier",
    *,
    dtype: Literal["float32", "float64"] | None = None,
    target_opset: int | None = None,
    top_k: int | None = None,
) -> "ModelProto":
    """Convert a fitted classifier to an ONNX model, which predicts without Python.

    The input X has the shape (n_samples, n_features). The outputs are "label", "scores" (the values of
    `decision_function`), "probabilities" if the classifier has ``predict_proba``, and with `top_k` the
    labels of `predict_topk` as "labels". For several labels a row, "label" has a 0 or 1 for each, as
    `predict` does. They equal those of the classifier up to rounding. Rows with NaN or infinity, which
    `predict` refuses, give NaN and a meaningless label.
    For classifiers in a Pipeline, call `register_onnx_converters` and convert it with skl2onnx.

    Parameters
    ----------
    model : classifier of linclf, or CalibratedClassifier around one
        A fitted model. Custom losses and calibrators are not supported.
    dtype : {"float32", "float64"} or None, default=None
        The dtype of X, scores and probabilities; None is that of the weights, which is that of X in ``fit``.
        Calibrated probabilities are float64.
    target_opset : int >= 18 or None, default=None
        Version of the operators; None is 18, which onnxruntime supports since version 1.14.
    top_k : int in 1 ... n_classes or None, default=None
        Adds the output "labels" of shape (n_samples, top_k), best first.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    ImportError
        If onnx is not installed: ``pip install "linclf[onnx]"``.
    TypeError
        If the model, its loss, its calibrator or its labels cannot be expressed in ONNX.
    ValueError
        If the parameters are out of range, or there is no finite graph: for entmax with an alpha other than
        1.5 and 2, and for a hierarchical softmax with a `beam_width`.

    Examples
    --------
    >>> import onnxruntime
    >>> import linclf
    >>> from sklearn.datasets import load_iris
    >>> iris = load_iris()
    >>> clf = linclf.SoftmaxClassifier().fit(iris.data, iris.target_names[iris.target])
    >>> session = onnxruntime.InferenceSession(linclf.to_onnx(clf).SerializeToString())
    >>> labels, p = session.run(["label", "probabilities"], {"X": iris.data[[0, 60, 120]]})
    >>> labels
    array(['setosa', 'versicolor', 'virginica'], dtype=object)
    >>> bool(abs(p - clf.predict_proba(iris.data[[0, 60, 120]])).max() < 1e-6)
    True
    """
    require_onnx()
    if not isinstance(model, CalibratedClassifier):
        _check_known(model)
    check_is_fitted(model)
    opset = check_opset(OLDEST_OPSET if target_opset is None else target_opset)
    if dtype not in (None, "float32", "float64"):
        raise ValueError(f"dtype={dtype!r} must be 'float32', 'float64' or None, the dtype of the weights")
    classes = model.classes_
    if top_k is not None and not (is_integer(top_k) and 1 <= top_k <= len(classes)):
        raise ValueError(f"top_k={top_k!r} must be an integer between 1 and {len(classes)}, or None")
    graph = Graph(np.dtype(_weights_of(model).dtype if dtype is None else dtype))
    add_classifier(graph, model, "X", top_k)
    return graph.model(vars(model)["n_features_in_"], opset, f"linclf {__version__}")


def add_classifier(graph: Graph, model: Any, rows: str, top_k: int | None = None) -> Outputs:
    """Add a classifier to the graph, and publish its outputs; ``rows`` names its input."""
    labels, found = labels_of(model.classes_), outputs_of(model, graph, rows)
    shape: list[int | str] = ["n_samples", len(labels)]
    several = getattr(model, "multilabel_", False)
    if several:
        has = graph.cast(graph("Greater", found.ranking, graph.number(0)), np.int64)
        graph.publish("label", has, np.dtype(np.int64), shape)
    else:
        index = graph("ArgMax", found.ranking, axis=1, keepdims=0)
        graph.publish("label", graph("Gather", labels, index), labels.dtype, shape[:1])
    is_calibrated = isinstance(model, CalibratedClassifier) or model._is_calibrated
    kind = np.dtype(np.float64) if is_calibrated else graph.dtype
    if found.probabilities is not None:
        graph.publish("probabilities", found.probabilities, kind, shape)
    if found.scores is not None:
        one = len(labels) == 2 and not several
        scores = graph("Squeeze", found.scores, np.array([1])) if one else found.scores
        graph.publish("scores", scores, kind, shape[:1] if one else shape)
    if top_k is not None:
        _, best = graph.two("TopK", found.ranking, np.array([top_k]), axis=1)
        graph.publish("labels", graph("Gather", labels, best), labels.dtype, ["n_samples", top_k])
    return found


def labels_of(classes: LabelArray) -> NDArray[Any]:
    """Labels in a type that ONNX supports: int64, bool, float64 or strings."""
    labels = np.array(classes.tolist()) if classes.dtype == object else classes
    kind, largest = labels.dtype.kind, np.iinfo(np.int64).max
    if kind == "b" or (kind in "iu" and labels.max() <= largest):
        return labels.astype(bool if kind == "b" else np.int64)
    if kind == "f":
        return labels.astype(np.float64)
    if kind in "UT":
        return labels.astype(object)
    raise TypeError(
        f"classes_ are {classes[:3].tolist()!r} ..., and ONNX has labels of strings, floats and integers "
        "below 2^63 only; fit with such labels"
    )


def outputs_of(model: Any, graph: Graph, rows: str) -> Outputs:
    """Nodes from rows to the outputs of a classifier."""
    if isinstance(model, CalibratedClassifier):
        return _of_calibrated(model, graph, rows)
    _check_known(model)
    beam_width = getattr(model, "beam_width", None)
    if beam_width is not None:
        raise ValueError(
            f"{beam_width=} searches a part of the tree, and a graph goes through all of it; "
            "use set_params(beam_width=None)"
        )
    scores = scores_of(model._model(model._learnt()), graph, rows)
    n_classes = len(model.classes_)
    several = getattr(model, "multilabel_", False)
    if several and model._is_calibrated:
        odds = log_odds_of_labels(model.calibrator_, graph, scores, n_classes)
        return Outputs(odds, odds, graph("Sigmoid", odds))
    one = n_classes == 2 and not several
    each = two_columns(graph, scores) if one else scores
    if model._is_calibrated:
        log_p, p = log_probabilities_of(model.calibrator_, graph, each, n_classes, model.classes_)
        return Outputs(log_p, _decisions(graph, log_p, n_classes), p)
    p, loss = None, model._loss_and_columns(np.zeros((0, n_classes)))[0]  # refuses a new `calibration`
    if hasattr(model, "predict_proba"):
        p = probabilities_of(loss, graph, each, n_classes)
    return Outputs(each, scores, p)


def _decisions(graph: Graph, log_p: str, n_classes: int) -> str:
    """Like `decisions_of`; for two classes, their difference."""
    log_p = graph("Max", log_p, np.array(NEVER))
    if n_classes > 2:
        return log_p
    return graph("Sub", graph.columns(log_p, np.array([1])), graph.columns(log_p, np.array([0])))


def _of_calibrated(model: CalibratedClassifier, graph: Graph, rows: str) -> Outputs:
    estimator = _classifier_in(model)
    inner, n_scored = outputs_of(estimator, graph, rows), len(estimator.classes_)
    if model._response == "predict_proba":
        p, floor = (
            graph.cast(str(inner.probabilities), np.float64),
            np.array(getattr(model.calibrator_, "_floor", 1e-30)),
        )
        scores = graph("Log", graph("Max", p, floor))
    else:
        scores = str(inner.scores)
        scores = two_columns(graph, scores) if n_scored == 2 else scores
    p = log_probabilities_of(model.calibrator_, graph, scores, n_scored, model.classes_)[1]
    return Outputs(p, None, p)


def _weights_of(model: Any) -> FloatArray:
    """Weights, which have the dtype of X in `fit`."""
    if isinstance(model, CalibratedClassifier):
        return _weights_of(_classifier_in(model))
    _check_known(model)
    return model.head_.W if hasattr(model, "head_") else model.coef_


def _classifier_in(model: CalibratedClassifier) -> Any:
    estimator = model.estimator_
    return estimator.estimator if isinstance(estimator, FrozenEstimator) else estimator


def _check_known(model: Any) -> None:
    if not isinstance(model, Predicting):
        name = type(model).__name__
        inside = "; export its estimator_" if hasattr(model, "estimator_") else ""
        rule = [each for each in ("costs_", "offsets_", "thresholds_", "bound_") if hasattr(model, each)]
        if inside and rule:
            inside += f", and apply {rule[0]} to its probabilities yourself"
        raise TypeError(
            f"{name} is no classifier of linclf{inside}; skl2onnx converts others, and pipelines around "
            "classifiers of linclf after linclf.register_onnx_converters()"
        )
