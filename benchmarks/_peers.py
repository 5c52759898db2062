"""The packages measured, each fitting the same objective with settings at which it does well.

A method is a function ``fit(problem, budget)`` that returns (W, b); its budget is a number of
iterations or epochs. Its package is imported here only when it is needed, so that one that is not
installed is a reason to report, and nothing else fails.
"""

import functools
import importlib
import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.svm import LinearSVC

from benchmarks import _newton
from benchmarks._data import DataSet
from benchmarks._measure import CORES, timed
from benchmarks._objective import objective
from linclf import LinearClassifier

NEWTON_PARAMETERS = 1_000  # above these the Hessian takes too long
WIDE = 1_000_000  # parameters from which the reference makes few iterations
LARGE = 10_000_000  # values of X from which the reference keeps float32


class Problem(NamedTuple):
    """One objective on one data set."""

    data: DataSet
    loss: str  # a name in `_objective.LOSSES` and in `linclf.losses.LOSSES`
    alpha: float

    @property
    def C(self):
        return 1 / (self.alpha * len(self.data.y))

    def objective(self, W, b):
        return objective(self.loss, W, b, self.data.X, self.data.y, self.alpha)

    def small(self):
        """The same with few rows, to load what a package loads at its first call."""
        rows = np.random.default_rng(0).permutation(len(self.data.y))[:1000]
        y = np.unique(self.data.y[rows], return_inverse=True)[1]
        return self._replace(data=self.data._replace(X=self.data.X[rows], y=y))


class Method(NamedTuple):
    """How one solver of one package is called, and what it does not share with the others."""

    package: str  # what has to be imported
    losses: tuple
    fit: Callable
    differs: str = "the same objective"


def linclf(problem, budget, solver):
    model = LinearClassifier(
        loss=problem.loss, alpha=problem.alpha, solver=solver, max_iter=budget, n_jobs=CORES, random_state=0
    )
    if solver == "lbfgs":
        model.set_params(tol=1e-9)
    return parameters(model.fit(problem.data.X, problem.data.y))


def logistic_regression(problem, budget, solver):
    model = LogisticRegression(C=problem.C, solver=solver, max_iter=budget, tol=1e-9, random_state=0)
    return parameters(model.fit(problem.data.X, problem.data.y))


def sgd_classifier(problem, budget):
    settings = {"loss": "log_loss", "alpha": problem.alpha, "n_jobs": CORES, "random_state": 0}
    model = SGDClassifier(**settings, max_iter=budget, tol=None)
    return parameters(model.fit(problem.data.X, problem.data.y))


def linear_svc(problem, budget):
    model = LinearSVC(C=problem.C, dual=False, tol=1e-9, max_iter=budget, intercept_scaling=10)
    return parameters(model.fit(problem.data.X, problem.data.y))


def cyanure(problem, budget):
    estimators = importlib.import_module("cyanure.estimators")
    logging.getLogger("Cyanure").setLevel(logging.ERROR)
    loss, half = {"softmax": ("logistic", 1.0), "squared-one-vs-rest": ("sqhinge", 0.5)}[problem.loss]
    settings = {"penalty": "l2", "lambda_1": half * problem.alpha, "fit_intercept": True}
    model = estimators.Classifier(
        loss=loss, **settings, max_iter=budget, tol=1e-7, n_threads=CORES, verbose=False
    )
    return parameters(model.fit(problem.data.X, problem.data.y))


def snapml(problem, budget):
    package = importlib.import_module("snapml")
    settings = {
        "regularizer": 1 / problem.C,
        "fit_intercept": True,
        "intercept_scaling": 10.0,
        "n_jobs": CORES,
        "max_iter": budget,
        "tol": 1e-9,
    }
    if problem.loss == "softmax":
        model = package.LogisticRegression(**settings)
    else:
        model = package.SupportVectorMachine(loss="squared_hinge", **settings)
    W, b = parameters(model.fit(problem.data.X, problem.data.y))
    return W, b * settings["intercept_scaling"]  # it publishes the weight of the constant feature


def torch(problem, budget, optimizer):
    from benchmarks import _torch

    return _torch.fit(problem, budget, optimizer)


def parameters(model):
    """(W, b) of a fitted model, W with a row for each class, or one row for two classes."""
    b = np.ravel(model.intercept_)
    W = np.atleast_2d(model.coef_)
    return (W if len(W) == len(b) else W.T), b


def _with(function, value):
    return lambda problem, budget: function(problem, budget, value)


ONE_VS_REST = "one logistic problem per class: another optimum"
PENALISED = "the intercept is penalised, a hundredth as much as a weight (intercept_scaling=10)"
TUNED = "batches of 256, step falling to 0; first step the best of seven, not timed"

METHODS = {
    "linclf sgd": Method("linclf", ("softmax", "squared-one-vs-rest"), _with(linclf, "sgd")),
    "linclf lbfgs": Method("linclf", ("softmax", "squared-one-vs-rest"), _with(linclf, "lbfgs")),
    "LogisticRegression lbfgs": Method("sklearn", ("softmax",), _with(logistic_regression, "lbfgs")),
    "LogisticRegression newton-cholesky": Method(
        "sklearn", ("softmax",), _with(logistic_regression, "newton-cholesky")
    ),
    "LogisticRegression saga": Method("sklearn", ("softmax",), _with(logistic_regression, "saga")),
    "SGDClassifier": Method("sklearn", ("softmax",), sgd_classifier, ONE_VS_REST),
    "LinearSVC": Method("sklearn", ("squared-one-vs-rest",), linear_svc, PENALISED),
    "cyanure": Method("cyanure", ("softmax", "squared-one-vs-rest"), cyanure),
    "snapml": Method(
        "snapml", ("softmax", "squared-one-vs-rest"), snapml, f"softmax: {ONE_VS_REST}; {PENALISED}"
    ),
    "torch SGD": Method("torch", ("softmax",), _with(torch, "SGD"), f"momentum 0.9, {TUNED}"),
    "torch Adam": Method("torch", ("softmax",), _with(torch, "Adam"), TUNED),
    "torch L-BFGS": Method("torch", ("softmax",), _with(torch, "LBFGS")),
}


def absent_packages():
    """Package -> why it cannot be imported, for all that METHODS need."""
    reasons = {}
    for package in sorted({method.package for method in METHODS.values()}):
        try:
            importlib.import_module(package)
        except Exception as fault:  # a broken binary is as absent as one that is not installed
            reasons[package] = f"{type(fault).__name__}: {fault}"
    return reasons


_known = {}


def best_known(problem):
    """(least objective of long runs, which run it was); (inf, why not) where none succeeded."""
    key = problem.data.name, problem.loss, problem.alpha
    if key not in _known:
        found = []
        for name, run in _references(problem).items():
            try:
                found.append((problem.objective(*timed(run)[0]), name))
            except Exception as fault:
                found.append((np.inf, f"none: {name}: {str(fault)[:200]}"))
        _known[key] = min(found, key=lambda pair: pair[0])
    return _known[key]


def _references(problem):
    """Long runs: linclf's L-BFGS, and Newton's method where its Hessian is small."""
    X, y = problem.data.X, problem.data.y
    large = sparse.issparse(X) or X.size > LARGE
    n_parameters = (1 if problem.data.n_classes == 2 else problem.data.n_classes) * (X.shape[1] + 1)

    def long_lbfgs():
        model = LinearClassifier(loss=problem.loss, alpha=problem.alpha, solver="lbfgs", n_jobs=CORES)
        # F(0) - F* of wide data is large, and what their fits differ by is known well before
        tol, max_iter = (1e-4, 60) if n_parameters > WIDE else (1e-6, 300) if large else (1e-10, 5_000)
        model.set_params(tol=tol, max_iter=max_iter)
        return parameters(model.fit(X if large else X.astype(np.float64), y))

    dense = not sparse.issparse(X) and n_parameters <= NEWTON_PARAMETERS
    newton = functools.partial(_newton.newton, problem.loss, X, y, problem.alpha)
    return {"linclf lbfgs": long_lbfgs} | ({"Newton's method": newton} if dense else {})
