"""The measures of a model: from predictions on held-out rows to numbers."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn import metrics

from linclf._types import FloatArray, IntArray
from linclf.metrics import expected_calibration_error


class Outputs(NamedTuple):
    """Predictions of a model for held-out rows, with a column for each class of the table.

    Attributes
    ----------
    predicted : ndarray of shape (n,)
        Indices of classes.
    scores : ndarray of shape (n, n_classes)
    probabilities : ndarray of shape (n, n_classes) or None
    """

    predicted: IntArray
    scores: FloatArray
    probabilities: FloatArray | None


class Measure(NamedTuple):
    """A column of the table."""

    heading: str
    decimals: int
    higher_is_better: bool
    value: Callable[[IntArray, Outputs, int], float]  # true classes, outputs, the class of interest


def outputs_of(model: Any, X: Any, classes: np.ndarray) -> Outputs:
    """Predictions, scores and probabilities; a class that the model has not seen gets the lowest score.

    Raises
    ------
    ValueError
        If the model predicts NaN or infinity.
    """
    predicted = np.searchsorted(classes, model.predict(X))
    columns = np.searchsorted(classes, model.classes_)
    probabilities = None
    if hasattr(model, "predict_proba"):
        probabilities = spread_over(model.predict_proba(X), columns, classes.size, 0.0)
    if hasattr(model, "decision_function"):
        scores = np.asarray(model.decision_function(X))
        scores = np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
        scores = spread_over(scores, columns, classes.size, scores.min() - 1)
    elif probabilities is not None:
        scores = probabilities
    else:
        scores = np.eye(classes.size)[predicted]
    for name, values in (("decision_function", scores), ("predict_proba", probabilities)):
        if values is not None and not np.isfinite(values).all():
            raise ValueError(f"{name} returned NaN or infinity")
    return Outputs(predicted, scores, probabilities)


def spread_over(values: Any, columns: np.ndarray, n_classes: int, missing: float) -> FloatArray:
    """Spread values for the classes of a model over a column for each class of the table."""
    spread = np.full((len(values), n_classes), missing)
    spread[:, columns] = values
    return spread


def value_of(key: str, codes: IntArray, outputs: Outputs, class_of_interest: int) -> float | None:
    """The measure of this name, or None if the model or the rows do not have it."""
    if key in NEED_PROBABILITIES and outputs.probabilities is None:
        return None
    with warnings.catch_warnings():  # about classes that do not occur among the rows
        warnings.simplefilter("ignore")
        value = float(MEASURES[key].value(codes, outputs, class_of_interest))
    return value if np.isfinite(value) else None


def _over_classes(metric: Callable[..., Any]) -> Callable[[IntArray, Outputs, int], float]:
    """A one-against-rest metric: for the class of interest of two, else the mean over classes."""

    def value(codes: IntArray, outputs: Outputs, class_of_interest: int) -> float:
        n_classes = outputs.scores.shape[1]
        judged = [class_of_interest] if n_classes == 2 else np.unique(codes)
        if any((codes == k).all() or not (codes == k).any() for k in judged):
            return np.nan  # there is nothing to rank
        return float(np.mean([metric(codes == k, outputs.scores[:, k]) for k in judged]))

    return value


def _log_loss(codes: IntArray, outputs: Outputs, class_of_interest: int) -> float:
    assert outputs.probabilities is not None
    return metrics.log_loss(codes, outputs.probabilities, labels=range(outputs.probabilities.shape[1]))


def _ece(codes: IntArray, outputs: Outputs, class_of_interest: int) -> float:
    assert outputs.probabilities is not None
    return expected_calibration_error(codes, outputs.probabilities, labels=range(outputs.scores.shape[1]))


def _balanced(codes: IntArray, outputs: Outputs, class_of_interest: int) -> float:
    return metrics.recall_score(codes, outputs.predicted, average="macro", labels=np.unique(codes))


def _macro_f1(codes: IntArray, outputs: Outputs, class_of_interest: int) -> float:
    return metrics.f1_score(codes, outputs.predicted, average="macro", labels=np.unique(codes))


MEASURES: dict[str, Measure] = {
    "accuracy": Measure(
        "accuracy", 4, True, lambda codes, outputs, _: metrics.accuracy_score(codes, outputs.predicted)
    ),
    "balanced_accuracy": Measure("balanced acc.", 4, True, _balanced),
    "macro_f1": Measure("F1", 4, True, _macro_f1),
    "roc_auc": Measure("AUC", 4, True, _over_classes(metrics.roc_auc_score)),
    "average_precision": Measure("AP", 4, True, _over_classes(metrics.average_precision_score)),
    "log_loss": Measure("log loss", 3, False, _log_loss),
    "ece": Measure("ECE", 3, False, _ece),
}
NEED_PROBABILITIES = {"log_loss", "ece"}
TIMES = {"tune_seconds": "tune s", "fit_seconds": "fit s", "predict_seconds": "predict s"}


def automatic_measure(counts: IntArray) -> str:
    """The measure to sort by: accuracy, unless guessing the most frequent class would nearly win.

    Examples
    --------
    >>> from linclf._compare.measures import automatic_measure
    >>> [automatic_measure(counts) for counts in ([60, 40], [94, 6], [900, 50, 50])]
    ['accuracy', 'average_precision', 'macro_f1']
    """
    if np.max(counts) < 0.8 * np.sum(counts):
        return "accuracy"
    return "average_precision" if len(counts) == 2 else "macro_f1"


def check_sort(sort: str | None, counts: IntArray) -> str:
    """The requested measure, or the automatic one."""
    if sort is None:
        return automatic_measure(counts)
    if sort not in MEASURES:
        raise ValueError(f"sort={sort!r} is not a measure; use one of {', '.join(MEASURES)}, or None")
    return sort


def number(value: float | None, decimals: int) -> str:
    """Format a value without the zero before the point.

    Examples
    --------
    >>> from linclf._compare.measures import number
    >>> number(0.96, 4), number(1.5, 3), number(-0.01, 2), number(None, 4)
    ('.9600', '1.500', '-.01', '-')
    """
    if value is None:
        return "-"
    text = f"{value:.{decimals}f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def power(value: float | None) -> str:
    """Format a penalty; only its order of magnitude matters."""
    return "-" if value is None else f"{value:.2g}"
