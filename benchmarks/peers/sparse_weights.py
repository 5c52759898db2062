"""The packages measured with penalties that make weights zero, each fitting the same objective.

F(W, b) = mean of the losses of W x + b, plus alpha R(W); R is the sum of absolute weights for "l1", and of
the norms of the columns of W for "group". The intercept b is free. Two classes have one row of W.

Other than in `methods.py`, a budget is a tolerance for some methods: those that grow a working set have no
iterations that can be compared.
"""

import importlib
import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.data.dataset import DataSet
from benchmarks.measure.best_threads import Best, BestThreads, allowed_threads
from benchmarks.measure.machine import CORES
from benchmarks.peers import adelie_process
from benchmarks.peers.methods import SAME, coefficients
from benchmarks.peers.objective import objective
from benchmarks.peers.problem import Weights
from linclf import SoftmaxClassifier


class SparseProblem(NamedTuple):
    """The softmax loss on one data set, with a penalty that makes weights zero."""

    data: DataSet
    penalty: str  # "l1" or "group"
    alpha: float

    @property
    def C(self) -> float:
        return 1 / (self.alpha * len(self.data.y))

    def objective(self, W: np.ndarray, b: np.ndarray) -> float:
        R = np.linalg.norm(W, axis=0).sum() if self.penalty == "group" else np.abs(W).sum()
        return objective("softmax", W, b, self.data.X, self.data.y, 0.0) + self.alpha * float(R)


def largest_alpha(data: DataSet, penalty: str) -> float:
    """The smallest alpha at which all weights are zero, from the gradient at the best intercepts."""
    Y = np.eye(data.n_classes)[data.y]
    G = data.X.T @ (Y - Y.mean(axis=0)) / len(Y)
    if data.n_classes == 2:
        G = G[:, 1:]
    return float(np.linalg.norm(G, axis=1).max() if penalty == "group" else np.abs(G).max())


class SparseMethod(NamedTuple):
    """How one package is called, for which numbers of classes and penalties, and how it differs."""

    package: str  # the module to import
    penalties: tuple[str, ...]
    timed: Callable[[SparseProblem, float, BestThreads], Best[Weights]]  # a fit with a budget
    most_classes: float = np.inf
    differs: str = SAME


def linclf(problem: SparseProblem, tol: float) -> Weights:
    model = SoftmaxClassifier(penalty=problem.penalty, alpha=problem.alpha, tol=tol, n_jobs=CORES)
    return coefficients(model.fit(problem.data.X, problem.data.y))


def saga(problem: SparseProblem, epochs: float) -> Weights:
    model = LogisticRegression(
        solver="saga", l1_ratio=1, C=problem.C, max_iter=int(epochs), tol=1e-12, random_state=0
    )
    return coefficients(model.fit(problem.data.X, problem.data.y))


def cyanure(problem: SparseProblem, epochs: float) -> Weights:
    estimators = importlib.import_module("cyanure.estimators")
    logging.getLogger("Cyanure").setLevel(logging.ERROR)
    model = estimators.Classifier(
        loss="logistic",
        penalty="l1l2" if problem.penalty == "group" and problem.data.n_classes > 2 else "l1",
        lambda_1=problem.alpha,
        fit_intercept=True,
        max_iter=int(epochs),
        tol=1e-10,
        n_threads=allowed_threads(),
        verbose=False,
    )
    return coefficients(model.fit(problem.data.X, problem.data.y))


def skglm(problem: SparseProblem, tol: float) -> Weights:
    package = importlib.import_module("skglm")
    model = package.SparseLogisticRegression(alpha=problem.alpha, l1_ratio=1.0, tol=tol)
    return coefficients(model.fit(problem.data.X, problem.data.y))


def adelie(problem: SparseProblem, tol: float, race: BestThreads) -> Best[Weights]:
    found = adelie_along(problem, np.array([problem.alpha]), tol, race)
    return found._replace(result=(found.result.coefs[0].toarray(), found.result.intercepts[0]))


def adelie_along(
    problem: SparseProblem, alphas: np.ndarray, tol: float, race: BestThreads
) -> Best[adelie_process.AdeliePath]:
    """A path of adelie at its fastest number of threads; the seconds are those of the path alone."""
    data, found = problem.data, []
    for number in race.numbers:
        path = adelie_process.path(data.X, data.y, alphas, problem.penalty, tol=tol, n_threads=number)
        found.append(Best(path, path.seconds, [], number))
    return race.fastest(found)


def here(fit: Callable[[SparseProblem, float], Weights]) -> Callable[..., Best[Weights]]:
    """A method whose fits are timed in this process."""
    return lambda problem, budget, race: race.timed(lambda: fit(problem, budget))


METHODS = {
    "linclf": SparseMethod("linclf", ("l1", "group"), here(linclf)),
    "adelie": SparseMethod("adelie", ("l1", "group"), adelie),
    "cyanure": SparseMethod("cyanure", ("l1", "group"), here(cyanure)),
    "LogisticRegression saga": SparseMethod("sklearn", ("l1",), here(saga)),
    "skglm": SparseMethod("skglm", ("l1",), here(skglm), 2, "two classes only"),
}


def absent() -> dict[str, str]:
    """Why packages of METHODS cannot be used, by package."""
    reasons = {}
    for package in sorted({method.package for method in METHODS.values()} - {"adelie"}):
        try:
            importlib.import_module(package)
        except Exception as fault:  # a broken binary is as absent as one that is not installed
            reasons[package] = f"{type(fault).__name__}: {fault}"
    try:
        adelie_process.version()
    except RuntimeError as fault:
        reasons["adelie"] = str(fault)
    return reasons
