"""Columns that do not occur are left out of training; the model is the same as with them."""

import numpy as np
import pytest
from scipy import sparse

from linclf import LinearClassifier, SoftmaxClassifier
from linclf._training import left_out
from linclf.large import AdaptiveSoftmaxClassifier, HierarchicalSoftmaxClassifier, SampledSoftmaxClassifier

D, USED = 600, 60


def table(n=90, n_classes=3, seed=0, dtype=np.float64):
    """Rows with a tenth of the columns, including the first and the last."""
    rng = np.random.default_rng(seed)
    at = np.linspace(0, D - 1, USED).astype(int)
    y = np.arange(n) % n_classes
    X = np.zeros((n, D), dtype)
    X[:, at] = (rng.normal(size=(n, USED)) + rng.normal(size=(n_classes, USED))[y]) * (
        rng.random((n, USED)) < 0.3
    )
    return sparse.csr_array(X), y, np.setdiff1d(np.arange(D), at)


@pytest.fixture
def everything(monkeypatch):
    """Train all columns, as if the rows had most of them."""

    def train(fit):
        with monkeypatch.context() as patch:
            patch.setattr(left_out.Task, "without_absent", lambda self, *arguments: self)
            return fit()

    return train


@pytest.mark.parametrize("loss", ["softmax", "sparsemax", "weston-watkins", "squared-one-vs-rest", "cosface"])
@pytest.mark.parametrize("solver", ["sgd", "adam", "momentum", "lbfgs"])
@pytest.mark.parametrize("learning_rate", ["auto", 0.05])
def test_the_model_is_that_of_all_columns(loss, solver, learning_rate, everything):
    if solver == "lbfgs" and (loss not in ("softmax", "cosface") or learning_rate != "auto"):
        return
    X, y, absent = table()
    model = LinearClassifier(
        loss=loss, solver=solver, learning_rate=learning_rate, batch_size="auto", random_state=0, alpha=1e-3
    )
    if solver == "lbfgs":
        model.set_params(tol=1e-5, max_iter=2000)
    else:
        model.set_params(max_iter=4, tol=None, batch_size=8)
    narrow = model.fit(X, y).coef_
    whole = everything(lambda: model.fit(X, y).coef_)
    assert narrow.shape == (3, D)
    assert not narrow[:, absent].any()
    np.testing.assert_allclose(narrow, whole, rtol=1e-9, atol=1e-3 if solver == "lbfgs" else 1e-12)


def test_columns_that_no_row_has_beside_those_of_one_row(everything):
    """The former are left out, the latter folded; with many rows, stochastic steps come first."""
    X, y, _ = table(n=1500)
    alone = sparse.csr_array((np.ones(40), (np.arange(40) // 2, np.arange(40))), shape=(1500, 40))
    X = sparse.csr_array(sparse.hstack([X, alone, sparse.csr_array((1500, 3000))]))
    model = SoftmaxClassifier(solver="lbfgs", alpha=1e-3, tol=1e-7)
    narrow = model.fit(X, y).coef_
    whole = everything(lambda: model.fit(X, y).coef_)
    np.testing.assert_allclose(narrow, whole, atol=1e-3)
    dense = SoftmaxClassifier(solver="newton", alpha=1e-3, tol=1e-9).fit(X.toarray(), y)
    np.testing.assert_allclose(narrow, dense.coef_, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [8, "auto"])
def test_plain_steps_of_a_given_length_are_bitwise_the_same(dtype, batch_size, everything):
    X, y, _ = table(n=1300, dtype=dtype)
    model = SoftmaxClassifier(learning_rate=0.1, max_iter=3, tol=None, batch_size=batch_size, random_state=0)
    narrow = model.fit(X, y)
    coef, objective = narrow.coef_, narrow.history_["objective"]
    whole = everything(lambda: model.fit(X, y))
    np.testing.assert_array_equal(coef, whole.coef_)
    np.testing.assert_allclose(objective, whole.history_["objective"], rtol=1e-6)


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
@pytest.mark.parametrize("given", [False, True])
def test_a_column_of_validation_rows_only_has_the_weight_zero(solver, given, everything):
    X, y, absent = table(60)
    other, other_y, _ = table(60, seed=1)
    other = sparse.csr_array(other + sparse.csr_array(([9.0], ([3], [absent[0]])), shape=other.shape))
    model = SoftmaxClassifier(solver=solver, random_state=0, early_stopping="auto", max_iter=20, tol=None)
    if given:
        fit = lambda: model.fit(X, y, X_val=other, y_val=other_y)  # noqa: E731
    else:
        X = sparse.vstack([X, other], format="csr")
        fit = lambda: model.set_params(early_stopping=True).fit(X, np.append(y, other_y))  # noqa: E731
    coef, losses = fit().coef_, model.history_["validation_loss"]
    assert not coef[:, absent[1:]].any()
    if given:
        assert not coef[:, absent[0]].any()
    whole = everything(lambda: fit().coef_)
    np.testing.assert_allclose(coef, whole, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(losses[0], model.history_["validation_loss"][0], rtol=1e-6)


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
@pytest.mark.parametrize("alpha", [1e-3, 0.0])
@pytest.mark.parametrize("few", [True, False])
def test_weights_to_start_from_on_columns_that_do_not_occur(solver, alpha, few):
    """The penalty shrinks them gradually; without a penalty they do not move."""
    X, y, absent = table()
    if not few:  # most columns occur, and all are trained
        X = sparse.csr_array(X[:, np.append(np.setdiff1d(np.arange(D), absent), absent[:5])])
        absent = np.arange(USED, USED + 5)
    model = SoftmaxClassifier(solver=solver, alpha=alpha, max_iter=5, tol=None, random_state=0)
    model.fit(X, y)
    start = model.coef_.copy()
    start[:, absent] = 0.25
    model.set_params(warm_start=True, max_iter=2).coef_ = start
    model.fit(X, y)
    kept = model.coef_[:, absent]
    if alpha == 0:  # up to rounding in the change of coordinates
        np.testing.assert_allclose(kept, 0.25, rtol=1e-15)
    else:
        assert (np.abs(kept) < 0.25).all()
        assert solver == "lbfgs" or (kept > 0).all()
    assert (model.coef_ != start).any()


@pytest.mark.parametrize(("solver", "alpha"), [("sgd", 1e-4), ("sgd", 0.0), ("lbfgs", 0.0)])
def test_fits_that_go_on_with_other_rows_do_not_forget_columns(solver, alpha):
    X, y, absent = table()
    used = np.unique(X.indices)
    later = sparse.csr_array((X.data, absent[np.searchsorted(used, X.indices)], X.indptr), shape=X.shape)
    model = SoftmaxClassifier(
        solver=solver, alpha=alpha, warm_start=True, max_iter=1, tol=None, random_state=0
    ).fit(X, y)
    first = model.coef_.copy()
    model.fit(later, y)
    np.testing.assert_allclose(
        model.coef_[:, used], first[:, used], rtol=0.05 if alpha else 1e-12, atol=1e-12
    )


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_a_start_from_zero_is_left_out_too(solver):
    X, y, absent = table()
    model = SoftmaxClassifier(solver=solver, max_iter=2, tol=None, random_state=0).fit(X, y)
    once = model.coef_
    model.coef_ = np.zeros_like(once)
    model.set_params(warm_start=True).fit(X, y)
    assert not model.coef_[:, absent].any()


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
@pytest.mark.parametrize("loss", ["softmax", "cosface"])
def test_losses_of_validation_rows_are_those_of_all_their_columns(solver, loss, everything):
    """Also for dense rows; cosines of a row depend on features that are not trained."""
    X, y, absent = table(60)
    other, other_y, _ = table(60, seed=1)
    other = other.toarray()
    other[:, absent] = np.random.default_rng(2).normal(size=(60, len(absent)))
    model = LinearClassifier(loss=loss, solver=solver, early_stopping="auto", random_state=0)
    model.set_params(max_iter=3, tol=None)
    for X_val in (other, sparse.csr_array(other)):
        found = model.fit(X, y, X_val=X_val, y_val=other_y).history_["validation_loss"]
        everything(lambda X_val=X_val: model.fit(X, y, X_val=X_val, y_val=other_y))
        np.testing.assert_allclose(found[0], model.history_["validation_loss"][0], rtol=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        SampledSoftmaxClassifier(n_sampled=3),
        HierarchicalSoftmaxClassifier(),
        AdaptiveSoftmaxClassifier(cutoffs=[4]),
    ],
)
def test_many_classes(model, everything):
    X, y, absent = table(1200, n_classes=12)
    model.set_params(random_state=0, max_iter=2, learning_rate=0.1)
    narrow = model.fit(X, y).decision_function(X)
    whole = everything(lambda: model.fit(X, y).decision_function(X))
    np.testing.assert_allclose(narrow, whole, rtol=1e-9, atol=1e-9)
    if hasattr(model, "coef_"):
        assert not model.fit(X, y).coef_[:, absent].any()
