"""Evaluation of a fitted model on rows with labels: outputs block by block, measures, and a summary."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from linclf._compare.measures import MEASURES, Outputs, number, spread_over, value_of
from linclf._types import IntArray
from linclf.metrics._wilson import wilson_interval

CLASSES_SHOWN = 20


class Judged(NamedTuple):
    """The evaluation of a model on some rows.

    Attributes
    ----------
    classes : ndarray
        The classes of the model and of the rows.
    codes : ndarray of shape (n,)
        The class of each row.
    outputs : Outputs
    values : dict
        Measures by name; None if a measure does not apply to the model or the rows.
    """

    classes: np.ndarray
    codes: IntArray
    outputs: Outputs
    values: dict[str, float | None]

    @property
    def n_rows(self) -> int:
        return len(self.codes)

    def lines(self) -> list[str]:
        """The measures, and a line for each class, at most 20."""
        n = self.n_rows
        accuracy = self.values["accuracy"] or 0.0
        low, high = wilson_interval(np.array([accuracy]), np.array([float(n)]))
        counts = np.bincount(self.codes, minlength=len(self.classes))
        most = int(counts.argmax())
        others = [
            f"{measure.heading} {number(self.values[key], measure.decimals)}"
            for key, measure in MEASURES.items()
            if key != "accuracy" and self.values[key] is not None
        ]
        lines = [
            f"{n:,} rows: accuracy {number(accuracy, 4)} (95 % interval {number(low[0], 4)} to "
            f"{number(high[0], 4)}; always predicting {self.classes[most]}: {number(counts[most] / n, 4)})",
            ", ".join(others),
        ]
        if len(self.classes) == 2:
            rare = self.classes[int(counts.argmin())]
            lines[1] += f" (F1 is the mean of both classes; AUC and AP are of {rare}, the rarer one)"
        return lines + self._of_classes(counts)

    def _of_classes(self, counts: IntArray) -> list[str]:
        from sklearn.metrics import precision_recall_fscore_support

        among: Any = {"labels": range(len(self.classes)), "zero_division": 0.0}
        found: Any = precision_recall_fscore_support(self.codes, self.outputs.predicted, **among)
        precision, recall, *_ = found
        order = np.argsort(recall, kind="stable") if len(counts) > CLASSES_SHOWN else np.arange(len(counts))
        order = [k for k in order if counts[k]][:CLASSES_SHOWN]
        width = max(5, *(len(str(self.classes[k])) for k in order))
        lines = [f"{'class'.ljust(width)}  {'rows':>9}  recall  precision"]
        for k in order:
            lines.append(
                f"{str(self.classes[k]).ljust(width)}  {counts[k]:>9,}  {recall[k]:6.3f}  {precision[k]:9.3f}"
            )
        if len(self.classes) > len(order):
            lines.append(f"(the {len(order)} of {len(self.classes):,} classes with the lowest recall)")
        return lines

    def facts(self) -> dict[str, Any]:
        """The measures for JSON."""
        return {"n_rows": self.n_rows, "n_classes": len(self.classes), "measures": self.values}


def judged(model: Any, blocks: Iterable[tuple[Any, np.ndarray]], memory: int, name: str) -> Judged:
    """Predict block by block, and measure.

    Parameters
    ----------
    blocks : iterable of (X, y)
    memory : int
        Limit of the bytes of the scores and probabilities of all rows.
    """
    labels, predicted, scores, probabilities = [], [], [], []
    size = 0
    for X, y in blocks:
        labels.append(y)
        predicted.append(model.predict(X))
        if hasattr(model, "decision_function"):
            scores.append(np.asarray(model.decision_function(X), np.float64))
        if hasattr(model, "predict_proba"):
            probabilities.append(np.asarray(model.predict_proba(X), np.float64))
        size += sum(part[-1].nbytes for part in (scores, probabilities) if part)
        if size > memory:
            raise ValueError(
                f"scores of all rows of {name} take more than {memory / 2**30:.3g} GiB; raise --memory, or "
                "evaluate a part of the rows"
            )
    if not labels:
        raise ValueError(f"{name} has no rows")
    y = np.concatenate(labels)
    classes = np.unique(np.concatenate([np.asarray(model.classes_), y]))
    columns = np.searchsorted(classes, model.classes_)
    codes = np.searchsorted(classes, y)
    p = spread_over(np.concatenate(probabilities), columns, classes.size, 0.0) if probabilities else None
    if scores:
        raw = np.concatenate(scores)
        raw = np.column_stack([-raw, raw]) if raw.ndim == 1 else raw
        raw = spread_over(raw, columns, classes.size, raw.min() - 1)
    else:
        raw = (
            p if p is not None else np.eye(classes.size)[np.searchsorted(classes, np.concatenate(predicted))]
        )
    outputs = Outputs(np.searchsorted(classes, np.concatenate(predicted)), raw, p)
    counts = np.bincount(codes, minlength=classes.size)
    rare = int(np.argmin(np.where(counts > 0, counts, counts.max() + 1)))
    return Judged(classes, codes, outputs, {key: value_of(key, codes, outputs, rare) for key in MEASURES})
