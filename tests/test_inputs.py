"""Rows that people pass: the same data in another form gives the same model, faults say what is wrong.

Each row of the table of inputs (docs/robustness.md) has a test here, in test_labels.py or in
test_numbers.py. Not repeated: what scikit-learn's own checks (test_sklearn.py) already ask.
"""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from input_cases import ESTIMATORS, WAYS, fit, outcome, trained, whole_iris
from scipy import sparse

from linclf import SoftmaxClassifier, compare
from linclf._data.validation import check_X

ways = pytest.mark.parametrize(("name", "way"), WAYS)


@pytest.fixture(scope="module")
def iris():
    return whole_iris()


def unaligned(X):
    raw = np.frombuffer(b"\0" + X.tobytes(), np.uint8)[1:].view(X.dtype).reshape(X.shape)
    assert not raw.flags.aligned
    return raw


def strided(X):
    wide = np.full((2 * len(X), 3 * X.shape[1]), np.nan)
    wide[::2, ::3] = X
    return wide[::2, ::3]


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


# ---------------------------------------------------------------- dense rows

FORMS = {
    **{t: lambda X, t=t: X.astype(t) for t in ("f2", "i1", "u1", "i4", "i8", "u8", ">f8", ">f4", ">i2", "g")},
    "fortran": np.asfortranarray,
    "unaligned": unaligned,
    "strided": strided,
    "read_only": read_only,
    "list": lambda X: X.tolist(),
    "masked array without masked entries": np.ma.array,
    "rows backwards": lambda X: X[::-1].copy()[::-1],
    "columns backwards": lambda X: X[:, ::-1].copy()[:, ::-1],
    "strings in objects": lambda X: X.astype(str).astype(object),
    "nullable columns": lambda X: pd.DataFrame(X.astype(int)).astype("Int64"),
    "polars": lambda X: pl.DataFrame(X, schema=list("abcd"), orient="row"),
}


@pytest.mark.parametrize("form", FORMS)
@ways
def test_forms_of_dense_rows_give_one_model(iris, name, way, form):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X has feature names, but")  # the fitted one has none
        found = outcome(name, way, FORMS[form](iris[0]))
    np.testing.assert_array_equal(found, outcome(name, way, iris[0]))


@ways
def test_booleans_are_zero_and_one(iris, name, way):
    X = iris[0] > iris[0].mean(axis=0)
    np.testing.assert_array_equal(outcome(name, way, X), outcome(name, way, X.astype(float)))


@ways
def test_read_only_memory_map(iris, tmp_path, name, way):
    np.save(tmp_path / "X.npy", iris[0])
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    np.testing.assert_array_equal(outcome(name, way, X), outcome(name, way, iris[0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_contiguous_floats_are_never_copied(iris, dtype):
    X = read_only(iris[0].astype(dtype))
    assert np.shares_memory(check_X(SoftmaxClassifier(), X, reset=True), X)
    rows = sparse.csr_array(X)
    checked = check_X(SoftmaxClassifier(), rows, reset=True)
    for part in ("data", "indices", "indptr"):
        assert np.shares_memory(getattr(checked, part), getattr(rows, part))


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
    if name != "lbfgs":
        model.partial_fit(X, y, sample_weight=weights)
    model.predict(X)
    np.testing.assert_array_equal(X @ np.eye(4), copies[0] @ np.eye(4))
    np.testing.assert_array_equal(y, copies[1])
    np.testing.assert_array_equal(weights, copies[2])


@ways
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array, sparse.coo_array])
def test_nan_and_infinity_in_rows(iris, name, way, storage, value):
    X = iris[0].copy()
    X[3, 1] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        outcome(name, way, storage(X))


@ways
@pytest.mark.parametrize("number", [np.longdouble("1e400"), 10**400, "1e400"])
def test_numbers_that_become_infinity_as_float64(iris, name, way, number):
    X = iris[0].astype(np.longdouble if isinstance(number, np.longdouble) else object)
    X[3, 1] = number
    with pytest.raises(
        ValueError, match=r"Input X contains infinity or a value too large|too large for float64"
    ):
        outcome(name, way, X)


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


@ways
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
def test_no_rows_no_features_no_numbers(name, way, X, message):
    with pytest.raises(ValueError, match=message):
        outcome(name, way, X)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_feature_names_reordered(iris, name):
    frame = pd.DataFrame(iris[0], columns=list("abcd"))
    for table in (frame, pl.DataFrame(iris[0], schema=list("abcd"), orient="row")):
        model = ESTIMATORS[name]().fit(table, iris[1])
        np.testing.assert_array_equal(model.coef_, ESTIMATORS[name]().fit(*iris).coef_)
        calls = [lambda X, model=model: model.predict(X)]
        if name != "lbfgs":
            calls.append(lambda X, model=model: model.partial_fit(X, iris[1]))
        for call in calls:
            with pytest.raises(
                ValueError, match="Feature names must be in the same order as they were in fit"
            ):
                call(table[list("badc")])


# ---------------------------------------------------------------- sparse rows


@pytest.fixture(scope="module")
def csr(iris):
    A = np.where(iris[0] > 20, iris[0], 0)
    A[5] = 0
    return sparse.csr_array(A)


def long_indices(A):
    return sparse.csr_array((A.data, A.indices.astype(np.int64), A.indptr.astype(np.int64)), A.shape)


def mixed_indices(A):
    A = A.copy()
    A.indptr = A.indptr.astype(np.int64)
    return A


def reversed_rows(A):
    A = A.copy()
    for start, end in zip(A.indptr, A.indptr[1:], strict=False):
        A.indices[start:end] = A.indices[start:end][::-1].copy()
        A.data[start:end] = A.data[start:end][::-1].copy()
    return sparse.csr_array((A.data, A.indices, A.indptr), A.shape)


def forgotten_order(A):
    """SciPy remembers that the indices were sorted, which they are no more."""
    A = A.copy()
    assert A.has_canonical_format
    backwards = reversed_rows(A)
    A.indices[:], A.data[:] = backwards.indices, backwards.data
    return A


def duplicates(A):
    data = np.column_stack([A.data / 4, A.data * 3 / 4]).ravel()
    return sparse.csr_array((data, np.repeat(A.indices, 2), A.indptr * 2), A.shape)


def explicit_zeros(A):
    n, d = A.shape
    return sparse.csr_array((A.toarray().ravel(), np.tile(np.arange(d), n), np.arange(n + 1) * d), A.shape)


def read_only_parts(A):
    A = A.copy()
    for part in (A.data, A.indices, A.indptr):
        part.flags.writeable = False
    return A


def strange_parts(A):
    """Longer than needed, not contiguous, and of the other byte order."""
    A = A.copy()
    A.indices = np.repeat(np.append(A.indices, 7), 2)[::2]
    A.data = np.repeat(np.append(A.data, 1e9), 2)[::2]
    A.indptr = A.indptr.astype(">i4")
    return A


def diagonals(A):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sparse.SparseEfficiencyWarning)
        return sparse.dia_array(A)


SPARSE_FORMS = [
    *(long_indices, mixed_indices, reversed_rows, forgotten_order, duplicates, explicit_zeros),
    *(read_only_parts, strange_parts, sparse.csr_matrix, sparse.csc_array, sparse.csc_matrix),
    *(sparse.coo_array, sparse.coo_matrix, sparse.lil_array, sparse.dok_array, diagonals),
    lambda A: sparse.bsr_array(A, blocksize=(2, 2)),
    lambda A: A.astype(np.int64),
    lambda A: A.astype(np.longdouble),
    lambda A: pd.DataFrame.sparse.from_spmatrix(A),
]


@pytest.mark.parametrize("form", SPARSE_FORMS)
@ways
def test_forms_of_sparse_rows_give_one_model(csr, name, way, form):
    given, names = form(csr), ("data", "indices", "indptr")
    parts = {part: getattr(given, part).copy() for part in names if hasattr(given, part)}
    expected = outcome(name, way, csr)
    np.testing.assert_array_equal(outcome(name, way, given), expected)
    for part, before in parts.items():
        np.testing.assert_array_equal(getattr(given, part), before)


def test_dense_and_sparse_take_the_same_path(iris, csr):
    """Where no centring is involved; a row without a stored value is among them."""
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
@ways
def test_sparse_structure_that_is_not_valid(csr, name, way, fault):
    make, message = MALFORMED[fault]
    with pytest.raises(ValueError, match=message):
        outcome(name, way, make(csr))


@pytest.mark.parametrize("fault", ["index too large", "indptr decreasing", "CSC index"])
def test_compare_refuses_sparse_structure_that_is_not_valid(csr, fault):
    with pytest.raises(ValueError, match=MALFORMED[fault][1]):
        compare(MALFORMED[fault][0](csr), whole_iris()[1], models=["softmax"], progress=False)
