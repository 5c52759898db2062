"""Shared by the parts: fits without compile time, and the scores of a fitted model on the test rows."""

import functools
from typing import Any

import numpy as np
from sklearn.base import clone

from benchmarks.data.dataset import DataSet
from benchmarks.measure.timing import timed
from benchmarks.question import Row
from linclf.large import AdaptiveSoftmaxClassifier, HierarchicalSoftmaxClassifier

ALPHA = 1e-8
FULL, SAMPLED = "SoftmaxClassifier", "SampledSoftmaxClassifier"
ADAPTIVE = "AdaptiveSoftmaxClassifier"
Part = tuple[list[dict[str, Any]], list[Row]]  # facts of the data sets, and rows


def compile_for(model: Any, data: DataSet) -> None:
    """Fit a clone to few rows with as many classes as they can have, so that nothing is compiled later."""
    small, n = clone(model).set_params(max_iter=1), min(9000, len(data.y))
    few = {"n_sampled": 64, "cutoffs": [100, 500] if data.n_classes > 1000 else "auto", "tree": "balanced"}
    small.set_params(**{name: value for name, value in few.items() if name in small.get_params()})
    timed(lambda: small.fit(data.X[:n], np.arange(n) % min(n // 2, data.n_classes)))


def scores_on_test_rows(model: Any, data: DataSet) -> Row:
    """Scores on the test rows; the log loss is None if a label has probability 0."""
    best, seconds, _ = timed(lambda: model.predict_topk(data.X_test, 10))
    p = model.predict_proba_of(data.X_test, data.y_test).astype(np.float64)
    return {
        "top1": float(np.mean(best[:, 0] == data.y_test)),
        "top10": float(np.mean((best == data.y_test[:, None]).any(axis=1))),
        "log_loss": float(-np.log(p).mean()) if p.min() > 0 else None,
        "seconds_topk": seconds,
    }


def n_weights(model: Any) -> int:
    return model.coef_.size + model.intercept_.size


@functools.singledispatch
def n_parameters(model: Any) -> int:
    return n_weights(model)


@n_parameters.register
def _in_all_parts(model: AdaptiveSoftmaxClassifier) -> int:
    if not len(model.cutoffs_):  # few classes are not cut
        return n_weights(model)
    return sum(part.W.size + part.b.size for part in (model.head_, *model.tails_))


@functools.singledispatch
def structure(model: Any, data: DataSet) -> Row:
    """The tree or the cut-offs of the classes, if the model has one."""
    return {}


@structure.register
def _tree(model: HierarchicalSoftmaxClassifier, data: DataSet) -> Row:
    return {"mean_depth": float(model.tree_.depths[data.y].mean())}


@structure.register
def _cutoffs(model: AdaptiveSoftmaxClassifier, data: DataSet) -> Row:
    return {"cutoffs": model.cutoffs_.tolist()}
