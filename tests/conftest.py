"""What several test files share: the softmax optimum by Newton's method, and the folder of real data."""

import os
import pathlib

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits


def softmax_objective(W, b, X, Y, weights, alpha):
    """F of `SoftmaxClassifier` in NumPy; Y has class probabilities. One row of W is two classes."""
    if len(W) == 1:  # the two score columns that have this difference and the same penalty
        W, b, alpha = np.vstack([-W, W]) / 2, np.append(-b, b) / 2, 2 * alpha
    losses = -(Y * log_softmax(X @ W.T + b, axis=1)).sum(axis=1)
    return weights @ losses / weights.sum() + alpha / 2 * np.sum(W**2)


def softmax_optimum(X, Y, weights, alpha):
    """(W, b) of the least F, shaped like ``coef_`` and ``intercept_``, by Newton's method.

    Newton's method does not mind badly scaled features; a row of probabilities is a weighted copy
    for each class.
    """
    rows, labels = np.nonzero(Y)
    mean, copies = weights @ X / weights.sum(), weights[rows] * Y[rows, labels]
    C = 1 / (alpha * weights.sum())
    newton = LogisticRegression(C=C, solver="newton-cholesky", tol=1e-8, max_iter=200)
    with threadpool_limits(1):  # on a busy machine more BLAS threads are ten times slower
        newton.fit(X[rows] - mean, labels, sample_weight=copies)
    return newton.coef_, newton.intercept_ - newton.coef_ @ mean


@pytest.fixture(scope="session")
def distance_left():
    """(F - F*) / (F(0) - F*) of a fitted `SoftmaxClassifier`: 0 is the optimum, 1 is no training."""

    def measure(model, X, y):
        Y, ones = np.eye(len(model.classes_))[np.searchsorted(model.classes_, y)], np.ones(len(y))
        least = softmax_objective(*softmax_optimum(X, Y, ones, model.alpha), X, Y, ones, model.alpha)
        reached = softmax_objective(model.coef_, model.intercept_, X, Y, ones, model.alpha)
        return (reached - least) / (np.log(len(model.classes_)) - least)

    return measure


@pytest.fixture(scope="session")
def data_folder():
    """The folder of real data: LINCLF_DATA, or shared/data beside the repository."""
    here = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(os.environ.get("LINCLF_DATA") or here.parent.parent / "shared" / "data")
    if not (folder / "load.py").is_file():
        pytest.skip(f"no real data in {folder}; LINCLF_DATA says where it is")
    return folder.resolve()


def pytest_addoption(parser):
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails: what is here must run")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped although --no-skips is given: {report.longrepr}"
    return report
