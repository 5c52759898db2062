"""Single passes over the rows: value and gradient, an epoch of SGD, and LogisticRegression's pass.

The pass of linclf makes the calls of an exact solver; an epoch is read from the history of a fit.
"""

import statistics
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn._loss import HalfBinomialLoss, HalfMultinomialLoss
from sklearn.base import clone
from sklearn.linear_model._linear_loss import LinearModelLoss

from benchmarks.data.dataset import DataSet
from benchmarks.measure.best_threads import threads
from benchmarks.measure.timing import timed
from linclf import SoftmaxClassifier
from linclf._data.dataset import dataset
from linclf._data.targets import Labels
from linclf._estimator.settings import settings_of
from linclf._training.fit import Fit
from linclf._training.left_out import Task
from linclf._training.objective import Rows
from linclf._training.train import fit_for

ALPHA = 1e-4
LONG = 2.0  # seconds of all calls together above which they are repeated least often
FEWEST, MOST = 3, 15


class Call(NamedTuple):
    """A function that returns its time, and the number of BLAS threads for it."""

    seconds: Callable[[], float]
    threads: int = 1


def call(function: Callable[[], Any], n_threads: int = 1) -> Call:
    """A call that times the whole of a function."""
    return Call(lambda: timed(function).seconds, n_threads)


def in_turns(
    calls: Mapping[str, Call], middle: Callable[[list[float]], float] = statistics.median
) -> dict[str, float]:
    """Median seconds of each call; they take turns, so that a slow phase of the machine affects all."""

    def turn() -> dict[str, float]:
        found = {}
        for name, (seconds, n_threads) in calls.items():
            with threads(n_threads):
                found[name] = seconds()
        return found

    turn()  # loads machine code and touches memory
    found = [turn()]
    repeats = int(np.clip(LONG * MOST / max(sum(found[0].values()), 1e-9), FEWEST, MOST))
    found += [turn() for _ in range(repeats - 1)]
    return {name: middle([seconds[name] for seconds in found]) for name in calls}


def fit_of(data: DataSet, model: SoftmaxClassifier) -> Fit:
    """The `Fit` that the solver of a model gets; X is used as it is."""
    solver, settings = settings_of(model)
    X = sparse.csr_array(data.X) if sparse.issparse(data.X) else data.X
    rows = dataset(X, Labels(data.y, data.n_classes), np.ones(len(data.y)), None)
    task = Task(rows, None, None, None)
    return fit_for(task, model._loss(), solver, settings, None, np.random.RandomState(0))


def full_pass(data: DataSet, n_jobs: int) -> Call:
    """Value and gradient of the objective at weights that are not zero."""
    fit = fit_of(data, SoftmaxClassifier(alpha=ALPHA, solver="lbfgs", n_jobs=n_jobs))
    rows = Rows(fit, fit.ids)
    V = (0.01 * np.random.default_rng(0).standard_normal(fit.V.shape)).astype(fit.V.dtype)
    G = np.empty_like(V)
    return call(lambda: rows.value_and_gradient(V, G))


def epoch(data: DataSet, n_jobs: int, epochs: int) -> Call:
    """An epoch of SGD in random order, after the first one of a fit."""
    model = SoftmaxClassifier(
        solver="sgd", alpha=ALPHA, max_iter=epochs, tol=None, n_jobs=n_jobs, random_state=0
    )
    return Call(partial(_epoch_seconds, model, data))


def _epoch_seconds(model: SoftmaxClassifier, data: DataSet) -> float:
    model = clone(model)
    timed(lambda: model.fit(data.X, data.y))
    first, *_, last = model.history_["seconds"]
    return (last - first) / (model.n_iter_ - 1)


def sklearn_pass(data: DataSet, n_threads: int) -> Call:
    """What LogisticRegression(solver="lbfgs") does in each iteration; two classes have one column there."""
    two = data.n_classes == 2
    loss = HalfBinomialLoss() if two else HalfMultinomialLoss(n_classes=data.n_classes)
    linear = LinearModelLoss(base_loss=loss, fit_intercept=True)
    n, n_features = data.X.shape
    size = (n_features + 1) * (1 if two else data.n_classes)
    coef = 0.01 * np.random.default_rng(0).standard_normal(size)
    y, weights = data.y.astype(data.X.dtype), np.ones(n, data.X.dtype)
    return call(lambda: linear.loss_gradient(coef, data.X, y, weights, ALPHA, n_threads), n_threads)
