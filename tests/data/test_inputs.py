"""Rows in any form: the same data give the same model, and errors say what is wrong.

Each form and each fault is tested once, with `check_X` or with one estimator; then every method of every
estimator that accepts rows gets one hard form and one fault of each kind. Each row of the table of
inputs (docs/robustness.md) has a test here, in test_labels.py or in test_numbers.py. Not repeated:
scikit-learn's own checks (test_sklearn.py).
"""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from input_cases import (
    DENSE_FORMS,
    ESTIMATORS,
    SPARSE_FORMS,
    WAYS,
    fit,
    hard_dense_form,
    hard_sparse_form,
    long_indices,
    outcome,
    read_only,
    sparse_iris,
    trained,
    unaligned,
    whole_iris,
)
from scipy import sparse

from linclf import SoftmaxClassifier, compare
from linclf._data.rows import check_X

ways = pytest.mark.parametrize(("name", "way"), WAYS)
checked_storage = pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array, sparse.coo_array])


def checked(X):
    return check_X(SoftmaxClassifier(), X, reset=True)


@pytest.fixture(scope="module")
def iris():
    return whole_iris()


@pytest.fixture(scope="module")
def csr():
    return sparse_iris()


# ---------------------------------------------------------------- dense rows


@pytest.mark.parametrize("kind", ["array", "list", "DataFrame", "CSR"])
def test_missing_values_are_counted_and_their_column_named(kind):
    rows = np.ones((6, 3))
    rows[1:4, 2] = rows[0, 0] = np.nan
    make = {"array": np.asarray, "list": np.ndarray.tolist, "CSR": sparse.csr_array}
    make["DataFrame"] = lambda rows: pd.DataFrame(rows, columns=["height", "weight", "mean radius"])
    column = "'mean radius'" if kind == "DataFrame" else "2"
    message = (
        rf"^Input X contains NaN: 3 of 6 values of column {column} are missing, and values of 1 more "
        "columns; fill them in, as SimpleImputer does"
    )
    with pytest.raises(ValueError, match=message):
        SoftmaxClassifier().fit(make[kind](rows), [0, 1, 2] * 2)


@pytest.mark.parametrize("form", DENSE_FORMS)
def test_forms_of_dense_rows_are_one_array(iris, form):
    found = checked(DENSE_FORMS[form](iris[0]))
    assert type(found) is np.ndarray
    assert found.flags.c_contiguous
    assert found.dtype == (np.float32 if form in ("f2", ">f4") else np.float64)
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, iris[0])


@ways
@pytest.mark.parametrize("form", [hard_dense_form, unaligned])  # only the first is copied
def test_forms_of_dense_rows_give_one_model(iris, name, way, form):
    np.testing.assert_array_equal(outcome(name, way, form(iris[0])), outcome(name, way, iris[0]))


def test_booleans_are_zero_and_one(iris):
    X = iris[0] > iris[0].mean(axis=0)
    np.testing.assert_array_equal(checked(X), X.astype(float))
    np.testing.assert_array_equal(fit(X, iris[1]).coef_, fit(X.astype(float), iris[1]).coef_)


@pytest.mark.parametrize("way", ["fit", "partial_fit", "predict"])
def test_read_only_memory_map(iris, tmp_path, way):
    np.save(tmp_path / "X.npy", iris[0])
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert np.shares_memory(checked(X), X)
    np.testing.assert_array_equal(outcome("soft", way, X), outcome("soft", way, iris[0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_contiguous_floats_are_never_copied(iris, dtype):
    X = read_only(iris[0].astype(dtype))
    assert np.shares_memory(checked(X), X)
    rows = sparse.csr_array(X)
    found = checked(rows)
    for part in ("data", "indices", "indptr"):
        assert np.shares_memory(getattr(found, part), getattr(rows, part))


def test_single_precision_stays_single(iris):
    X, y = iris
    single, double = fit(X.astype(np.float32), y), fit(X, y)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    assert single.decision_function(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single.coef_, double.coef_, rtol=1e-2, atol=1e-3)
    fortran = fit(np.asfortranarray(X, dtype=np.float32), y)
    np.testing.assert_array_equal(fortran.coef_, single.coef_)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("storage", [np.array, sparse.csr_array, sparse.csc_array])
def test_the_callers_arrays_are_not_changed(iris, name, storage):
    X, y, weights = storage(iris[0]), iris[1].copy(), np.arange(1.0, 151)
    copies = X.copy(), y.copy(), weights.copy()
    model = ESTIMATORS[name]().set_params(class_weight={0: 1, 1: 2, 2: 3}).fit(X, y, sample_weight=weights)
    if (name, "partial_fit") in WAYS:
        model.partial_fit(X, y, sample_weight=weights)
    model.predict(X)
    np.testing.assert_array_equal(X @ np.eye(4), copies[0] @ np.eye(4))
    np.testing.assert_array_equal(y, copies[1])
    np.testing.assert_array_equal(weights, copies[2])


@checked_storage
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_in_rows(iris, storage, value):
    X = iris[0].copy()
    X[3, 1] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        checked(storage(X))


@ways
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_infinity_is_refused_in_every_way(iris, name, way, storage):
    X = iris[0].copy()
    X[149, 1] = np.inf
    with pytest.raises(ValueError, match=r"Input X contains infinity"):
        outcome(name, way, storage(X))


@pytest.mark.parametrize("number", [np.longdouble("1e400"), 10**400, "1e400"])
def test_numbers_that_become_infinity_as_float64(iris, number):
    X = iris[0].astype(np.longdouble if isinstance(number, np.longdouble) else object)
    X[3, 1] = number
    for way in ("fit", "predict"):
        with pytest.raises(
            ValueError, match=r"Input X contains infinity or a value too large|too large for float64"
        ):
            outcome("soft", way, X)


def test_a_refused_fit_leaves_nothing(iris):
    model = SoftmaxClassifier()
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((150, 4), np.nan), iris[1])
    assert not hasattr(model, "n_features_in_")


@ways
def test_masked_array_with_masked_entries(iris, name, way):
    X = np.ma.array(iris[0], mask=iris[0] > 70)
    with pytest.raises(ValueError, match=r"X is a masked array with 12 masked entries.*fill them"):
        outcome(name, way, X)
    with pytest.raises(ValueError, match="masked"):
        compare(X, iris[1], models=["softmax"], progress=False)


@pytest.mark.parametrize("way", ["fit", "partial_fit", "predict"])
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((0, 4)), r"Found array with 0 sample\(s\)"),
        (np.zeros((150, 0)), r"Found array with 0 feature\(s\)"),
        (np.zeros(150), "Expected 2D array, got 1D array instead"),
        (np.zeros((150, 4, 1)), "Found array with dim 3"),
        (sparse.coo_array(np.ones(150)), "Expected 2D"),
        (np.ones((150, 4)) * 1j, "Complex data not supported"),
        (sparse.csr_array(np.ones((150, 4)) * 1j), "Complex data not supported"),
        (np.full((150, 4), "a"), "could not convert string to float|dtype='numeric' is not compatible"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{type(value).__name__} {value.shape}",
)
def test_no_rows_no_features_no_numbers(way, X, message):
    with pytest.raises(ValueError, match=message):
        outcome("soft", way, X)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_feature_names_reordered(iris, name):
    frame = pd.DataFrame(iris[0], columns=list("abcd"))
    for table in (frame, pl.DataFrame(iris[0], schema=list("abcd"), orient="row")):
        model = ESTIMATORS[name]().fit(table, iris[1])
        np.testing.assert_array_equal(model.coef_, ESTIMATORS[name]().fit(*iris).coef_)
        calls = [lambda X, model=model: model.predict(X)]
        if (name, "partial_fit") in WAYS:
            calls.append(lambda X, model=model: model.partial_fit(X, iris[1]))
        for call in calls:
            with pytest.raises(
                ValueError, match="Feature names must be in the same order as they were in fit"
            ):
                call(table[list("badc")])


# ---------------------------------------------------------------- sparse rows


@pytest.mark.parametrize("form", SPARSE_FORMS)
def test_forms_of_sparse_rows_are_one_matrix(csr, form):
    given, names = SPARSE_FORMS[form](csr), ("data", "indices", "indptr")
    before = {part: getattr(given, part).copy() for part in names if hasattr(given, part)}
    found = checked(given)
    assert found.dtype == np.float64
    assert found.dtype.isnative
    assert found.shape == csr.shape
    for part in names:
        assert getattr(found, part).flags.c_contiguous
        np.testing.assert_array_equal(getattr(found, part), getattr(csr, part))
    for part, values in before.items():  # the caller's arrays are not changed
        np.testing.assert_array_equal(getattr(given, part), values)


@ways
def test_forms_of_sparse_rows_give_one_model(csr, name, way):
    np.testing.assert_array_equal(outcome(name, way, hard_sparse_form(csr)), outcome(name, way, csr))


def test_dense_and_sparse_take_the_same_path(iris, csr):
    """Without centring; the rows include one without stored values."""
    assert csr.indptr[5] == csr.indptr[6]
    settings = {"learning_rate": 1e-3, "tol": None, "alpha": 0.1}
    dense, rows = fit(csr.toarray(), iris[1], **settings), fit(csr, iris[1], **settings)
    np.testing.assert_allclose(rows.coef_, dense.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(rows.history_["objective"], dense.history_["objective"], rtol=1e-10)


def test_dense_and_sparse_have_the_same_optimum(csr):
    y = whole_iris()[1]
    dense, rows = (
        SoftmaxClassifier(solver="lbfgs", tol=1e-8, alpha=0.01).fit(X, y) for X in (csr.toarray(), csr)
    )
    np.testing.assert_array_equal(rows.predict(csr), dense.predict(csr))
    np.testing.assert_allclose(rows.history_["objective"][-1], dense.history_["objective"][-1], rtol=1e-9)
    np.testing.assert_allclose(trained("soft").predict(csr), trained("soft").predict(csr.toarray()))


def broken(A, part, at, value):
    A = A.copy()
    getattr(A, part)[at] = value
    return A


def replaced(A, part, change):
    A = A.copy()
    setattr(A, part, change(getattr(A, part)))
    return A


def falling(A):
    return replaced(A, "indptr", lambda p: np.r_[p[:3], p[2] - 1, p[4:]])


def lil_out_of_range(A):
    A = A.tolil()
    A.rows[4][0] = 99
    return A


MALFORMED = {
    "index too large": (
        lambda A: broken(A, "indices", 9, 4),
        r"CSR matrix: row 3 has index 4, but X has 4 fea",
    ),
    "index far too large": (lambda A: broken(A, "indices", 9, 2**31 - 1), "row 3 has index 2147483647"),
    "negative index": (lambda A: broken(A, "indices", 9, -1), "row 3 has index -1, but X has 4 features"),
    "long negative": (lambda A: broken(long_indices(A), "indices", 9, -(2**60)), "row 3 has index -11529"),
    "indptr beyond the entries": (
        lambda A: broken(A, "indptr", -1, 10**6),
        "indptr of row 149 is .*, 1000000",
    ),
    "indptr decreasing": (falling, "indptr of row 2 is 6, 5 with"),
    "indptr not from 0": (lambda A: broken(A, "indptr", 0, 1), r"indptr has 151 entries starting at \[1\]"),
    "indptr negative": (lambda A: broken(A, "indptr", 0, -5), r"starting at \[-5\]"),
    "indptr too short": (lambda A: replaced(A, "indptr", lambda p: p[:-1]), "indptr has 150 entries"),
    "fewer values": (lambda A: replaced(A, "data", lambda v: v[:-9]), "indptr of row 14. is"),
    "fewer indices": (lambda A: replaced(A, "indices", lambda v: v[:-9]), "indptr of row 14. is"),
    "float indices": (lambda A: replaced(A, "indices", lambda i: i + 0.5), "must be 1-D arrays of integers"),
    "CSC index": (
        lambda A: broken(A.tocsc(), "indices", 3, 150),
        "CSC matrix: column 0 has index 150, but X h",
    ),
    "CSC indptr": (lambda A: broken(A.tocsc(), "indptr", -1, 10**6), "CSC matrix: indptr of column 3"),
    "BSR index": (
        lambda A: broken(sparse.bsr_array(A, blocksize=(2, 2)), "indices", 3, 2),
        "block row 1 has ind",
    ),
    "COO column": (lambda A: broken(A.tocoo(), "col", 3, 4), "COO matrix: entry 3 is in column 4, with"),
    "COO row": (lambda A: broken(A.tocoo(), "row", 3, -1), "COO matrix: entry 3 is in row -1, with"),
    "LIL": (lil_out_of_range, "row 4 has index 99"),
}


@pytest.mark.parametrize("fault", MALFORMED)
def test_sparse_structure_that_is_not_valid(csr, fault):
    make, message = MALFORMED[fault]
    with pytest.raises(ValueError, match=message):
        checked(make(csr))


@ways
def test_sparse_structure_is_checked_in_every_way(csr, name, way):
    with pytest.raises(ValueError, match="row 3 has index 4, but X has 4 features"):
        outcome(name, way, broken(csr, "indices", 9, 4))


@pytest.mark.parametrize("fault", ["index too large", "indptr decreasing", "CSC index"])
def test_compare_refuses_sparse_structure_that_is_not_valid(csr, fault):
    with pytest.raises(ValueError, match=MALFORMED[fault][1]):
        compare(MALFORMED[fault][0](csr), whole_iris()[1], models=["softmax"], progress=False)
