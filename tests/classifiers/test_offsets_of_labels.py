"""Known scores of rows with several labels: each label is a binary problem with a column of the offset."""

import numpy as np
import pytest
from optima import optimum
from scipy import sparse
from sklearn.datasets import make_multilabel_classification

from linclf import LinearClassifier

FORMS = {"dense": np.asarray, "csr": sparse.csr_array}
SCIPYS = {"one-vs-rest-logistic": "softmax", "squared-one-vs-rest": "squared-one-vs-rest"}


def table(n_labels):
    X, Y = make_multilabel_classification(200, 6, n_classes=n_labels, random_state=0)
    rng = np.random.default_rng(n_labels)
    return X / 5, Y, rng.uniform(0.1, 2, 200), 2 * rng.normal(size=(200, n_labels))


def separate(loss, X, Y, weights, alpha, offset):
    """SciPy's optimum for each label, from two classes with one column of the offset."""
    each = [
        optimum(SCIPYS[loss], X, y, weights, alpha, known)[:2] for y, known in zip(Y.T, offset.T, strict=True)
    ]
    return np.vstack([W for W, _ in each]), np.concatenate([b for _, b in each])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_labels", [2, 4])
@pytest.mark.parametrize("loss", SCIPYS)
def test_each_label_is_a_problem_of_its_own(loss, n_labels, form):
    X, Y, weights, offset = table(n_labels)
    W, b = separate(loss, X, Y, weights, 0.05, offset)
    for solver in ("newton", "lbfgs"):
        model = LinearClassifier(loss=loss, alpha=0.05, solver=solver, tol=1e-10)
        model.fit(FORMS[form](X), Y, weights, offset=offset)
        np.testing.assert_allclose(model.coef_, W, atol=1e-5, err_msg=solver)
        np.testing.assert_allclose(model.intercept_, b, atol=1e-5, err_msg=solver)
    near = LinearClassifier(loss=loss, alpha=0.05, solver="sgd", max_iter=300, random_state=0)
    near.fit(FORMS[form](X), Y, weights, offset=offset)
    assert near.history_["objective"][-1] == pytest.approx(model.history_["objective"][-1], rel=2e-3)
    scores = X @ model.coef_.T + model.intercept_ + offset
    X = FORMS[form](X)
    np.testing.assert_allclose(model.decision_function(X, offset=offset), scores, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X, offset=offset), scores > 0)
    assert (model.predict(X) != (scores > 0)).any()
    assert model.score(X, Y, offset=offset) == ((scores > 0) == Y).all(axis=1).mean()
    if loss == "one-vs-rest-logistic":
        p = 1 / (1 + np.exp(-scores))
        np.testing.assert_allclose(model.predict_proba(X, offset=offset), p, atol=1e-12)
        every = [list(range(n_labels))]
        np.testing.assert_allclose(model.predict_proba_of(X, every, offset=offset), p, atol=1e-12)


def test_validation_rows_of_labels_have_their_own_offset():
    """Known scores that give the labels away leave nothing to learn."""
    X, Y, _, _ = table(3)
    away = 30.0 * (2 * Y - 1)
    model = LinearClassifier(loss="one-vs-rest-logistic", solver="sgd", max_iter=10, random_state=0)
    given = {"X_val": X[150:], "y_val": Y[150:], "offset_val": away[150:]}
    model.set_params(early_stopping=True).fit(X[:150], Y[:150], offset=away[:150], **given)
    assert max(model.history_["validation_loss"]) < 1e-4
    model.fit(X, Y, offset=away)
    assert max(model.history_["validation_loss"]) < 1e-4


def test_a_start_and_what_is_refused():
    X, Y, weights, offset = table(2)
    still = LinearClassifier(loss="one-vs-rest", solver="sgd", learning_rate=1e-12, max_iter=1, tol=None)
    W, b = np.arange(12.0).reshape(2, 6), np.array([1.0, -2.0])
    still.fit(X, Y, weights, coef_init=W, intercept_init=b)
    np.testing.assert_allclose(still.coef_, W, atol=1e-9)
    np.testing.assert_allclose(still.intercept_, b, atol=1e-9)
    shape = r"offset has shape \(200,\), and for these rows it must be \(200, 2\)"
    with pytest.raises(ValueError, match=shape):
        still.fit(X, Y, offset=offset[:, 0])
    with pytest.raises(ValueError, match=shape):
        still.predict(X, offset=offset[:, 0])
    with pytest.raises(ValueError, match=r"coef_init has shape \(1, 6\), .* of coef_, \(2, 6\)"):
        still.fit(X, Y, coef_init=W[:1])
    with pytest.raises(ValueError, match=r"prior is for one label a row.*pass its scores as an offset"):
        still.fit(X, Y, prior=still)
