"""The packages measured, each fitting the same objective with settings at which it does well.

A method is a function ``fit(problem, budget)`` that returns (W, b); its budget is a number of iterations or
epochs. It uses `allowed_threads`, so that it can be timed at its best number of threads. It imports its
package when it is called: a package that is not installed is reported, and nothing else fails. README.md says
how to add one.
"""

import importlib
import logging
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.svm import LinearSVC

from benchmarks.measure.best_threads import allowed_threads
from benchmarks.measure.classifier import LinearEstimator
from benchmarks.measure.machine import CORES
from benchmarks.peers.problem import Problem, Weights
from linclf import LinearClassifier

SAME = "the same objective"


class Method(NamedTuple):
    """How one solver of one package is called, and how its objective and settings differ from the others'."""

    package: str  # the module to import
    losses: tuple[str, ...]
    fit: Callable[[Problem, int], Weights]
    differs: str = SAME
    tune: Callable[[Problem], dict[str, float]] = lambda problem: {}  # settings found before the first fit


def linclf(problem: Problem, budget: int, solver: str) -> Weights:
    model = LinearClassifier(
        loss=problem.loss, alpha=problem.alpha, solver=solver, max_iter=budget, n_jobs=CORES, random_state=0
    )
    if solver != "sgd":
        model.set_params(tol=1e-12)
    return coefficients(model.fit(problem.data.X, problem.data.y))


def logistic_regression(problem: Problem, budget: int, solver: str) -> Weights:
    scaling = {"intercept_scaling": 10} if solver == "liblinear" else {}
    model = LogisticRegression(
        C=problem.C, solver=solver, max_iter=budget, tol=1e-9, random_state=0, **scaling
    )
    return coefficients(model.fit(problem.data.X, problem.data.y))


def sgd_classifier(problem: Problem, budget: int) -> Weights:
    settings = {"loss": "log_loss", "alpha": problem.alpha, "random_state": 0}
    settings["n_jobs"] = allowed_threads()
    model = SGDClassifier(**settings, max_iter=budget, tol=None)
    return coefficients(model.fit(problem.data.X, problem.data.y))


def linear_svc(problem: Problem, budget: int) -> Weights:
    model = LinearSVC(C=problem.C, dual=False, tol=1e-9, max_iter=budget, intercept_scaling=10)
    return coefficients(model.fit(problem.data.X, problem.data.y))


def cyanure(problem: Problem, budget: int) -> Weights:
    estimators = importlib.import_module("cyanure.estimators")
    logging.getLogger("Cyanure").setLevel(logging.ERROR)
    loss, half = {"softmax": ("logistic", 1.0), "squared-one-vs-rest": ("sqhinge", 0.5)}[problem.loss]
    settings = {"penalty": "l2", "lambda_1": half * problem.alpha, "fit_intercept": True}
    model = estimators.Classifier(
        loss=loss, **settings, max_iter=budget, tol=1e-7, n_threads=allowed_threads(), verbose=False
    )
    return coefficients(model.fit(problem.data.X, problem.data.y))


def snapml(problem: Problem, budget: int) -> Weights:
    package = importlib.import_module("snapml")
    settings = {
        "regularizer": 1 / problem.C,
        "fit_intercept": True,
        "intercept_scaling": 10.0,
        "n_jobs": allowed_threads(),
        "max_iter": budget,
        "tol": 1e-9,
    }
    if problem.loss == "softmax":
        model = package.LogisticRegression(**settings)
    else:
        model = package.SupportVectorMachine(loss="squared_hinge", **settings)
    W, b = coefficients(model.fit(problem.data.X, problem.data.y))
    return W, b * settings["intercept_scaling"]  # intercept_ is the weight of the constant feature


def intelex(problem: Problem, budget: int) -> Weights:
    package = importlib.import_module("sklearnex.linear_model")
    model = package.LogisticRegression(C=problem.C, solver="lbfgs", max_iter=budget, tol=1e-9)
    return coefficients(model.fit(problem.data.X, problem.data.y))


def glum(problem: Problem, budget: int) -> Weights:
    package = importlib.import_module("glum")
    settings = {"family": "binomial", "alpha": problem.alpha, "l1_ratio": 0, "gradient_tol": 1e-9}
    model = package.GeneralizedLinearRegressor(**settings, max_iter=budget)
    return coefficients(model.fit(problem.data.X, problem.data.y.astype(np.float64)))


def skglm(problem: Problem, budget: int) -> Weights:
    package = importlib.import_module("skglm")
    datafits, penalties = (importlib.import_module(f"skglm.{name}") for name in ("datafits", "penalties"))
    solver = importlib.import_module("skglm.solvers").ProxNewton(max_iter=budget, tol=1e-9)
    squares = penalties.L1_plus_L2(problem.alpha, 0.0)
    model = package.GeneralizedLinearEstimator(datafits.Logistic(), squares, solver)
    return coefficients(model.fit(problem.data.X, problem.data.y))


def torch(problem: Problem, budget: int, optimizer: str) -> Weights:
    from benchmarks.peers import torch_softmax

    return torch_softmax.fit(problem, budget, optimizer)


def tune_torch(problem: Problem, optimizer: str) -> dict[str, float]:
    from benchmarks.peers import torch_softmax

    return {"step": torch_softmax.tune(problem, optimizer)}


def coefficients(model: LinearEstimator) -> Weights:
    """W and b of a fitted model."""
    b = np.ravel(model.intercept_)
    W = np.atleast_2d(model.coef_)
    return (W if len(W) == len(b) else W.T), b


ONE_VS_REST = "one logistic problem per class: a different optimum"
PENALISED = "the intercept is penalised, by a hundredth of the penalty on a weight (intercept_scaling=10)"
TUNED = "batches of 256, step falling to 0; the first step is the best of seven, not timed"

LOGISTIC_REGRESSION = "LogisticRegression"
LOGISTIC_SOLVERS = {
    **dict.fromkeys(("lbfgs", "newton-cholesky", "newton-cg", "sag", "saga"), SAME),
    "liblinear": f"two classes only; {PENALISED}",
}

METHODS = {
    "linclf sgd": Method("linclf", ("softmax", "squared-one-vs-rest"), partial(linclf, solver="sgd")),
    "linclf newton": Method("linclf", ("softmax", "squared-one-vs-rest"), partial(linclf, solver="newton")),
    "linclf lbfgs": Method("linclf", ("softmax", "squared-one-vs-rest"), partial(linclf, solver="lbfgs")),
    **{
        f"{LOGISTIC_REGRESSION} {solver}": Method(
            "sklearn", ("softmax",), partial(logistic_regression, solver=solver), differs
        )
        for solver, differs in LOGISTIC_SOLVERS.items()
    },
    "intelex lbfgs": Method("sklearnex", ("softmax",), intelex, "scikit-learn-intelex; the same objective"),
    "glum": Method("glum", ("softmax",), glum, "two classes only"),
    "skglm": Method("skglm", ("softmax",), skglm, "two classes only; the penalty is L1_plus_L2(alpha, 0)"),
    "SGDClassifier": Method("sklearn", ("softmax",), sgd_classifier, ONE_VS_REST),
    "LinearSVC": Method("sklearn", ("squared-one-vs-rest",), linear_svc, PENALISED),
    "cyanure": Method("cyanure", ("softmax", "squared-one-vs-rest"), cyanure),
    "snapml": Method(
        "snapml", ("softmax", "squared-one-vs-rest"), snapml, f"softmax: {ONE_VS_REST}; {PENALISED}"
    ),
    "torch SGD": Method(
        "torch",
        ("softmax",),
        partial(torch, optimizer="SGD"),
        f"momentum 0.9, {TUNED}",
        partial(tune_torch, optimizer="SGD"),
    ),
    "torch Adam": Method(
        "torch",
        ("softmax",),
        partial(torch, optimizer="Adam"),
        TUNED,
        partial(tune_torch, optimizer="Adam"),
    ),
    "torch L-BFGS": Method("torch", ("softmax",), partial(torch, optimizer="LBFGS")),
}


def absent_packages() -> dict[str, str]:
    """Why packages that METHODS need cannot be imported, by package."""
    reasons = {}
    for package in sorted({method.package for method in METHODS.values()}):
        try:
            importlib.import_module(package)
        except Exception as fault:  # a broken binary is as absent as one that is not installed
            reasons[package] = f"{type(fault).__name__}: {fault}"
    return reasons
