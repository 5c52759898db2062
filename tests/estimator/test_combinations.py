"""Parameters and calls in combination: weights, early stopping, streams that change or fail."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss

from linclf import LinearClassifier, MarginSoftmaxClassifier, SoftmaxClassifier


@pytest.fixture(scope="module")
def weak():
    """1,000 + 4,000 rows of strongly overlapping classes."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5000, 5))
    y = (X[:, 0] + 2 * rng.standard_normal(5000) > 0).astype(int)
    return X[:1000], y[:1000], X[1000:], y[1000:]


@pytest.mark.parametrize("weights", ["few heavy", "lognormal"])
def test_uneven_weights_are_fitted(weak, weights):
    """The first mini-batch may hold only light rows, and then says nothing about the objective."""
    X, y = weak[:2]
    rng = np.random.default_rng(1)
    w = np.where(np.arange(1000) >= 980, 500.0, 1.0)
    if weights == "lognormal":
        w = rng.lognormal(sigma=3, size=1000)
    for seed in range(3):
        model = SoftmaxClassifier(alpha=1e-2, random_state=seed, shuffle=seed > 0).fit(X, y, sample_weight=w)
        optimum = SoftmaxClassifier(alpha=1e-2, batch_size=1000, max_iter=3000).fit(X, y, sample_weight=w)
        np.testing.assert_allclose(model.coef_, optimum.coef_, atol=0.05 * np.abs(optimum.coef_).max())


def test_rare_class_with_a_large_weight(weak):
    X = weak[0]
    rare = np.zeros(1000, int)
    rare[np.argsort(X[:, 0])[-4:]] = 1
    model = SoftmaxClassifier(class_weight={0: 1, 1: 1e5}, random_state=0).fit(X, rare)
    assert (model.predict(X)[rare == 1] == 1).all()


@pytest.mark.parametrize("seed", range(3))
def test_early_stopping_is_not_worse_than_the_full_run(weak, seed):
    """With noise, a stall first shortens the step before it ends the run."""
    X, y, X_test, y_test = weak
    full = SoftmaxClassifier(solver="sgd", random_state=seed).fit(X, y)
    early = SoftmaxClassifier(random_state=seed, early_stopping=True).fit(X, y)
    losses = [log_loss(y_test, model.predict_proba(X_test)) for model in (full, early)]
    assert losses[1] < losses[0] + 0.02
    assert early.n_iter_ <= full.n_iter_


def test_balanced_weights_are_those_of_all_rows(weak):
    """A class missing from the validation part is not an error, and keeps its training weight."""
    X, y, X_val, y_val = weak
    three = np.where(np.arange(1000) < 3, 2, y)
    model = SoftmaxClassifier(class_weight="balanced", random_state=0)
    model.fit(X, three, X_val=X_val[:50], y_val=y_val[:50])
    assert list(model.classes_) == [0, 1, 2]
    few = SoftmaxClassifier(early_stopping=True, validation_fraction=0.001, random_state=0).fit(X, three)
    assert list(few.classes_) == [0, 1, 2]


def test_balanced_weights_of_soft_labels_count_expected_rows():
    X, y = load_iris(return_X_y=True)
    rows = np.r_[:50, 50:70, 100:110]
    Y = np.eye(3)[y[rows]]
    soft, hard = (
        SoftmaxClassifier(class_weight="balanced", random_state=0).fit(X[rows], target)
        for target in (Y, y[rows])
    )
    np.testing.assert_allclose(soft.coef_, hard.coef_, rtol=1e-6, atol=1e-9)
    never_first = np.column_stack([Y[:, 0] * 0.9 + 0.05, Y[:, 1] * 0.9 + 0.025, Y[:, 2] * 0.9 + 0.025])
    SoftmaxClassifier(class_weight="balanced").fit(X[rows], never_first)


def test_class_weights_of_zero_remove_rows():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="class_weight leaves no row"):
        SoftmaxClassifier(class_weight={0: 0, 1: 0, 2: 0}).fit(X, y)
    with pytest.raises(ValueError, match="must be non-negative"):
        SoftmaxClassifier(class_weight={0: -1, 1: 1, 2: 1}).fit(X, y)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_features_that_are_all_zero(container):
    X, y = container(np.zeros((300, 4))), np.arange(300) % 3
    model = SoftmaxClassifier(fit_intercept=False).fit(X, y)
    assert not model.coef_.any()
    np.testing.assert_allclose(model.predict_proba(X), 1 / 3)


def test_a_failed_part_changes_nothing(weak):
    X, y, _, _ = weak
    model = SoftmaxClassifier(learning_rate=1e150, alpha=0, schedule="constant")
    reference = SoftmaxClassifier(learning_rate=1e150, alpha=0, schedule="constant")
    for fitted in (model, reference):
        fitted.partial_fit(X[:8] * 1e-3, y[:8], classes=[0, 1])
    with pytest.raises(ValueError, match=r"learning_rate=1e\+150"):
        model.partial_fit(X * 1e100, y)
    for fitted in (model, reference):
        fitted.partial_fit(X[8:16] * 1e-3, y[8:16])
    np.testing.assert_array_equal(model.coef_, reference.coef_)
    assert model.n_iter_ == 2


def test_parameters_may_change_between_parts(weak):
    X, y, _, _ = weak
    start = {"learning_rate": 0.1, "schedule": "constant", "batch_size": 8}
    same = SoftmaxClassifier(**start).partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    for changed in ({"alpha": 10.0}, {"learning_rate": 1e-9}, {"solver": "adam"}, {"temperature": 5.0}):
        other = SoftmaxClassifier(**start).partial_fit(X, y, classes=[0, 1])
        other.set_params(**changed).partial_fit(X, y)
        assert not np.allclose(other.coef_, same.coef_, rtol=1e-4)


def test_format_may_change_between_parts(weak):
    X, _, X_test, _ = weak
    y, y_test = (X[:, 0] > 0).astype(int), (X_test[:, 0] > 0).astype(int)
    for first, second in ((np.asarray, sparse.csr_array), (sparse.csr_array, np.asarray)):
        model = SoftmaxClassifier().partial_fit(first(X), y, classes=[0, 1]).partial_fit(second(X), y)
        assert model.score(X_test, y_test) > 0.95
        assert len(model.history_["objective"]) == len(model.history_["seconds"]) == 2


def test_what_a_stream_cannot_do_is_refused(weak):
    X, y, _, _ = weak
    with pytest.raises(AttributeError, match="early_stopping=True needs all rows at once"):
        SoftmaxClassifier(early_stopping=True).partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="tol=None"):
        SoftmaxClassifier(schedule="adaptive", tol=None).fit(X, y)


def test_another_loss_forgets_the_constant_of_cosines():
    X, y = load_iris(return_X_y=True)
    model = LinearClassifier(loss="cosface", random_state=0).fit(X, y)
    assert model.constant_ == pytest.approx(np.sqrt(np.mean(np.sum(X**2, axis=1))))
    model.set_params(loss="softmax").fit(X, y)
    assert not hasattr(model, "constant_")
    expected = SoftmaxClassifier(random_state=0).fit(X, y).decision_function(X)
    np.testing.assert_array_equal(model.decision_function(X), expected)


def test_cosine_constant_stays_when_training_goes_on():
    X, y = load_iris(return_X_y=True)
    model = MarginSoftmaxClassifier(random_state=0).fit(X, y)
    before, constant = model.decision_function(X), model.constant_
    model.set_params(learning_rate=1e-12).partial_fit(10 * X, y)
    assert model.constant_ == constant
    np.testing.assert_allclose(model.decision_function(X), before, rtol=1e-6)


@pytest.mark.exhaustive
def test_import_without_docstrings():
    command = [sys.executable, "-OO", "-c", "import linclf; print(linclf.SVMClassifier.__doc__)"]
    root = pathlib.Path(__file__).resolve().parents[2]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=root)
    assert (run.returncode, run.stdout) == (0, "None\n"), run.stderr
