"""`train` without an estimator gives bitwise the results of a classifier.

The path of training is tested in test_training.py.
"""

import numpy as np
import pytest
from scipy import sparse

from linclf import SoftmaxClassifier
from linclf._data.dataset import Dataset
from linclf._data.targets import Labels, Probabilities
from linclf._training.blas import one_blas_thread
from linclf._training.model import LinearModel
from linclf._training.settings import Settings
from linclf._training.solvers import LBFGS, Automatic, Newton, Stochastic
from linclf._training.step_rule import StepRule
from linclf._training.train import train
from linclf._training.validation import Validation
from linclf.heads import Linear
from linclf.losses import Softmax
from linclf.optimizers import Adam, Averaged

RNG = np.random.default_rng(0)
N, D = 300, 6
CASES = {
    "dense": (np.asarray, Stochastic(), {"solver": "sgd"}),
    "newton": (np.asarray, Newton(), {"solver": "newton"}),
    "auto": (np.asarray, Automatic(), {}),
    "batches": (np.asarray, Stochastic(StepRule(batch_size=16)), {"batch_size": 16}),
    "sparse": (sparse.csr_array, Stochastic(StepRule(batch_size=8)), {"batch_size": 8}),
    "sparse, averaged": (
        sparse.csr_array,
        Stochastic(StepRule(Averaged(Adam()), learning_rate=0.01, batch_size=32)),
        {"solver": "adam", "average": True, "learning_rate": 0.01, "batch_size": 32},
    ),
    "lbfgs": (np.asarray, LBFGS(), {"solver": "lbfgs"}),
    "sparse, lbfgs": (sparse.csr_array, LBFGS(), {"solver": "lbfgs"}),
}
of_each = pytest.mark.parametrize("case", CASES)


def rows(n_classes, n=N):
    X = RNG.normal(size=(n, D)) * (RNG.random((n, D)) < 0.6)
    return X, (X[:, :n_classes] + RNG.gumbel(size=(n, n_classes))).argmax(axis=1)


def trained(solver, X, y, **options):
    settings = Settings(
        alpha=1e-3,
        fit_intercept=True,
        max_iter=30,
        tol="auto",
        n_iter_no_change=5,
        n_jobs=1,
        verbose=0,
    )
    data = Dataset(X, y, np.ones(X.shape[0]))
    with one_blas_thread():
        return train(data, Softmax(), solver, settings, rng=np.random.RandomState(0), **options)


def classifier(parameters, **more):
    return SoftmaxClassifier(alpha=1e-3, max_iter=30, random_state=0, **parameters, **more)


def assert_same(outcome, fitted):
    model = outcome.model.one_of_two() if len(fitted.classes_) == 2 else outcome.model
    np.testing.assert_array_equal(model.W, fitted.coef_)
    np.testing.assert_array_equal(model.b, fitted.intercept_)
    assert outcome.n_iter == fitted.n_iter_
    seconds = {"seconds": fitted.history_["seconds"]}
    assert outcome.history | seconds == fitted.history_


@of_each
@pytest.mark.parametrize("n_classes", [2, 4])
def test_from_nothing(case, n_classes):
    storage, solver, parameters = CASES[case]
    X, y = rows(n_classes)
    outcome = trained(solver, storage(X), Labels(y, n_classes))
    assert_same(outcome, classifier(parameters).fit(storage(X), y))
    assert (outcome.model.scores(X).argmax(axis=1) == y).mean() > 0.4


@of_each
def test_with_validation_rows(case):
    storage, solver, parameters = CASES[case]
    (X, y), (X_val, y_val) = rows(3), rows(3, 100)
    held_out = Dataset(storage(X_val), Labels(y_val, 3), np.ones(100))
    outcome = trained(solver, storage(X), Labels(y, 3), validation=Validation(held_out, Softmax()))
    fitted = classifier(parameters).fit(storage(X), y, X_val=storage(X_val), y_val=y_val)
    assert_same(outcome, fitted)
    assert {"validation_loss", "validation_score"} <= set(outcome.history)


@of_each
def test_with_a_start(case):
    storage, solver, parameters = CASES[case]
    (X, y), (X_more, y_more) = rows(3), rows(3)
    fitted = classifier(parameters, warm_start=True).fit(storage(X), y)
    start = LinearModel(fitted.coef_, fitted.intercept_, Linear())
    outcome = trained(solver, storage(X_more), Labels(y_more, 3), start=start)
    assert_same(outcome, fitted.fit(storage(X_more), y_more))
    assert not np.array_equal(outcome.model.W, start.W)


@of_each
def test_with_probabilities(case):
    storage, solver, parameters = CASES[case]
    X, q = rows(3)[0], RNG.dirichlet(np.ones(3), N)
    outcome = trained(solver, storage(X), Probabilities(q))
    assert_same(outcome, classifier(parameters).fit(storage(X), q))
