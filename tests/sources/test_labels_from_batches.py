"""`fit(Batches)` with several labels a row equals `fit(X, Y)`; and what is refused.

The sums of shards, and reading, are tested in `test_fit_from_batches` and `test_reading`.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification

from linclf import Batches, LinearClassifier, LinearClassifierCV, SoftmaxClassifier, SVMClassifier
from linclf._sources import formats
from linclf._training import survey

LOGISTIC = "one-vs-rest-logistic"
ALPHA = 1e-2
BY_HAND = [{0: 1.0, 1: 4.0}, {1: 0.5}, {0: 2.0}, {}]
FORMS = {"dense": np.asarray, "sparse": sparse.csr_array}


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    """Use many small pieces."""
    monkeypatch.setattr(formats, "PIECE", 2**13)
    monkeypatch.setattr(formats, "SPARSE_PIECE", 128)


@pytest.fixture(scope="module")
def table():
    """2,000 rows of 8 features with 4 labels; the last label is rare."""
    X, Y = make_multilabel_classification(2000, 8, n_classes=4, random_state=0)
    Y[:, 3] &= np.arange(2000) % 20 == 0
    return X / 5, Y


def model(**given):
    tight = {"tol": 1e-13, "max_iter": 1000}
    return LinearClassifier(**{"loss": LOGISTIC, "alpha": ALPHA, "random_state": 0} | tight | given)


def assert_same(one, all_rows, X, atol=1e-5):
    assert one.multilabel_ is True
    np.testing.assert_array_equal(one.classes_, all_rows.classes_)
    np.testing.assert_allclose(one.coef_, all_rows.coef_, atol=atol)
    np.testing.assert_allclose(one.intercept_, all_rows.intercept_, atol=atol)
    np.testing.assert_array_equal(one.predict(Batches(X, None)), one.predict(X))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_labels", [2, 4])
@pytest.mark.parametrize(
    "given",
    [
        {"solver": "lbfgs"},
        {"solver": "newton"},
        {"class_weight": "balanced"},
        {"class_weight": BY_HAND},
        {"standardize": True},
        {"fit_intercept": False},
        {"loss": "squared-one-vs-rest"},
    ],
    ids=str,
)
def test_the_model_of_all_rows(table, given, n_labels, form):
    X, Y = FORMS[form](table[0]), table[1][:, 4 - n_labels :]
    if isinstance(given.get("class_weight"), list):
        given = {"class_weight": BY_HAND[4 - n_labels :]}
    weights = np.random.default_rng(0).integers(0, 3, len(Y)).astype(float)
    one = model(**given).fit(Batches(X, Y, weights))
    all_rows = model(**given).fit(X, Y, weights)
    assert_same(one, all_rows, X)
    if "class_weight" not in given:  # the curvature of few rows with weights gives no bound
        assert one.optimality_gap_ < 1e-6


def test_forms_of_blocks(table, tmp_path):
    X, Y = table
    expected = model().fit(X, Y)
    cuts = np.array_split(np.arange(2000), 7)
    frame = pd.DataFrame(Y.astype(bool), columns=list("abcd"))
    blocks = {
        "arrays": lambda: ((X[part], Y[part]) for part in cuts),
        "lists": lambda: ((X[part], Y[part].tolist()) for part in cuts),
        "sparse of floats": lambda: ((X[part], sparse.csr_array(Y[part].astype(float))) for part in cuts),
        "tables": lambda: ((X[part], frame.iloc[part]) for part in cuts),
        "objects": lambda: ((X[part], Y[part].astype(object)) for part in cuts),
        "nullable": lambda: ((X[part], frame.astype("Int8").iloc[part]) for part in cuts),
    }
    found = {name: Batches(make) for name, make in blocks.items()}
    found["a sparse target"] = Batches(X, sparse.csr_array(Y))
    found["a list of arrays"] = Batches([X[:700], X[700:]], [Y[:700], Y[700:].astype(bool)])
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "Y.npy", Y)
    found["files"] = Batches(tmp_path / "X.npy", tmp_path / "Y.npy")
    names = [f"x{k}" for k in range(8)]
    for kind in (np.int8, bool):
        columns = pd.DataFrame(X, columns=names).assign(**{f"y{k}": Y[:, k].astype(kind) for k in range(4)})
        path = tmp_path / f"{np.dtype(kind).name}.parquet"
        pq.write_table(pa.Table.from_pandas(columns), path, row_group_size=300)
        found[f"Parquet of {kind}"] = Batches(path, target=[f"y{k}" for k in range(4)])
    for name, batches in found.items():
        one = model().fit(batches)
        np.testing.assert_allclose(one.coef_, expected.coef_, atol=1e-5, err_msg=name)
        np.testing.assert_array_equal(one.classes_, np.arange(4))


def test_a_sample_that_lacks_a_label(table, monkeypatch):
    """The start is the minimum of a sample; all rows decide."""
    monkeypatch.setattr(survey, "MOST_SAMPLED", 64 * 8)
    X, Y = table[0], table[1].copy()
    Y[:, 3] = 0
    Y[100:103, 3] = 1
    for solver in ("lbfgs", "newton"):
        one = model(solver=solver).fit(Batches(X, Y))
        assert_same(one, model().fit(X, Y), X, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("given", [{}, {"class_weight": "balanced"}])
def test_stochastic_steps_come_near_the_minimum(table, given, form):
    X, Y = FORMS[form](table[0]), table[1]
    one = model(solver="sgd", tol="auto", max_iter=100, **given).fit(Batches(X, Y))
    exact = model(**given).fit(table[0], Y)
    share = Y.mean(axis=0)
    weights = np.where(Y, 0.5 / share, 0.5 / (1 - share)) if given else np.ones(Y.shape)

    def objective(clf):
        losses = weights * np.logaddexp(0, -(2 * Y - 1) * clf.decision_function(X))
        return losses.sum(axis=1).mean() + ALPHA / 2 * (clf.coef_**2).sum()

    assert objective(one) == pytest.approx(objective(exact), rel=2e-3)


def test_hinges(table):
    X, Y = table
    given = {"multi_class": "one-vs-rest", "alpha": ALPHA, "random_state": 0}
    one, all_rows = SVMClassifier(**given).fit(Batches(X, Y)), SVMClassifier(**given).fit(X, Y)

    def objective(clf):
        margins = (2 * Y - 1) * clf.decision_function(X)
        return np.maximum(0, 1 - margins).sum(axis=1).mean() + ALPHA / 2 * (clf.coef_**2).sum()

    assert objective(one) == pytest.approx(objective(all_rows), rel=0.01)


@pytest.mark.parametrize("form", FORMS)
def test_bitwise_for_any_block_and_thread(table, form):
    X, Y = FORMS[form](table[0]), table[1]

    def in_blocks(size):
        starts = range(0, 2000, size)
        return Batches(lambda: ((X[start : start + size], Y[start : start + size]) for start in starts))

    fits = [
        model(solver=solver, n_jobs=n_jobs, max_iter=4, tol=None).fit(in_blocks(size)).coef_
        for solver in ("lbfgs", "sgd")
        for n_jobs, size in ((1, 100), (2, 700))
    ]
    np.testing.assert_array_equal(fits[0], fits[1])
    np.testing.assert_array_equal(fits[2], fits[3])


def test_held_out_rows(table):
    X, Y = table
    stopping = {"solver": "sgd", "early_stopping": True, "tol": "auto", "calibration": "platt"}
    one = model(**stopping).fit(Batches(X, Y))
    assert len(one.history_["validation_loss"]) == one.n_iter_
    assert len(one.calibrator_.calibrators_) == 4
    assert np.abs(one.predict_proba(X).mean(axis=0) - Y.mean(axis=0)).max() < 0.05
    given = {"X_val": X[1500:], "y_val": Y[1500:]}
    balanced = model(class_weight="balanced", calibration="platt", early_stopping=False)
    own, all_rows = (clone(balanced).fit(*rows, **given) for rows in ([Batches(X, Y)], [X, Y]))
    assert_same(own, all_rows, X)
    np.testing.assert_allclose(own.predict_proba(X), all_rows.predict_proba(X), atol=1e-5)
    with pytest.raises(ValueError, match=r"y_val must be an indicator as y is"):
        balanced.fit(Batches(X, Y), X_val=X, y_val=Y[:, 0])
    with pytest.raises(ValueError, match=r"y_val has 3 columns of labels, but there are 4 classes"):
        balanced.fit(Batches(X, Y), X_val=X, y_val=Y[:, :3])


def _with(Y, row, column, value):
    Y = Y.copy()
    Y[row, column] = value
    return Y


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda Y: _with(Y, 700, 1, 2), r"y is an indicator of several labels a row, and has 2 in row"),
        (lambda Y: _with(Y, slice(None), 2, 0), r"column 2 of y is never 1 in rows of positive weight"),
        (lambda Y: _with(Y, slice(None), 2, 1), r"column 2 of y is never 0 in rows of positive weight"),
        (lambda Y: Y.astype(float), r"y as class probabilities: row .*pass y.astype\(int\)"),
    ],
)
def test_rows_that_are_refused(table, change, message):
    X, Y = table
    with pytest.raises(ValueError, match=message):
        model().fit(Batches(X, change(Y)))


def test_blocks_of_another_form(table):
    X, Y = table
    for other in (Y[1000:, :3], Y[1000:, 0]):
        with pytest.raises(ValueError, match=r"starts with row 1000 has labels of shape .*the one before"):
            model().fit(Batches([X[:1000], X[1000:]], [Y[:1000], other]))
    with pytest.raises(ValueError, match=r"y as class probabilities: row .* is \["):
        model().fit(Batches([X[:1000], X[1000:]], [Y[:1000], np.full((1000, 4), 0.25)]))


def test_what_has_one_label_a_row(table):
    X, Y = table
    with pytest.raises(ValueError, match=r"SoftmaxClassifier has one label a row; use LinearClassifier"):
        SoftmaxClassifier().fit(Batches(X, Y))
    with pytest.raises(ValueError, match=r"needs a loss that is a sum over the classes"):
        LinearClassifier().fit(Batches(X, Y))
    with pytest.raises(TypeError, match=r"LinearClassifierCV needs all rows in memory"):
        LinearClassifierCV(loss=LOGISTIC).fit(Batches(X, Y))
    with pytest.raises(ValueError, match=r"class_weight is a list of 1, and y has 4 labels"):
        model(class_weight=[{}]).fit(Batches(X, Y))
