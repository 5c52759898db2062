"""What people pass to ``fit``: the same data in another form gives the same model, faults say what is wrong.

Not repeated here: what scikit-learn's own checks (test_sklearn.py) already ask.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_iris

from linclf import SoftmaxClassifier

FAST = {"batch_size": 8, "max_iter": 10, "random_state": 0}


@pytest.fixture(scope="module")
def iris():
    """Whole numbers, so that every number type holds them; some are 0 in the sparse tests."""
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return (X[order] * 10).round(), y[order]


def fit(X, y, **parameters):
    sample_weight = parameters.pop("sample_weight", None)
    return SoftmaxClassifier(**{**FAST, **parameters}).fit(X, y, sample_weight=sample_weight)


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


@pytest.mark.parametrize(
    "form",
    [
        *(np.dtype(t).type for t in ("f2", "i1", "u1", "i4", "i8")),
        np.longdouble,
        *(np.asfortranarray, unaligned, strided, read_only, list, np.ma.array),
        lambda X: X.astype(">f8"),
        lambda X: X[::-1].copy()[::-1],
        lambda X: X[:, ::-1].copy()[:, ::-1],
        lambda X: X.astype(str).astype(object),
    ],
)
def test_forms_of_dense_rows_give_one_model(iris, form):
    X, y = iris
    given = form(X.astype(form) if isinstance(form, type) and issubclass(form, np.number) else X)
    np.testing.assert_array_equal(fit(given, y).coef_, fit(X, y).coef_)


def test_booleans_are_zero_and_one(iris):
    X = iris[0] > iris[0].mean(axis=0)
    np.testing.assert_array_equal(fit(X, iris[1]).coef_, fit(X.astype(float), iris[1]).coef_)


def test_memory_map(iris, tmp_path):
    np.save(tmp_path / "X.npy", iris[0])
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    np.testing.assert_array_equal(fit(X, iris[1]).coef_, fit(*iris).coef_)


def test_single_precision_stays_single(iris):
    X, y = iris
    single, double = fit(X.astype(np.float32), y), fit(X, y)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    assert single.decision_function(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single.coef_, double.coef_, rtol=1e-2, atol=1e-3)
    fortran = fit(np.asfortranarray(X, dtype=np.float32), y)
    np.testing.assert_array_equal(fortran.coef_, single.coef_)


@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_the_callers_arrays_are_not_changed(iris, storage):
    X, y, weights = storage(iris[0]), iris[1].copy(), np.arange(1.0, 151)
    copies = X.copy(), y.copy(), weights.copy()
    fit(X, y, sample_weight=weights, class_weight={0: 1, 1: 2, 2: 3}).partial_fit(X, y).predict(X)
    np.testing.assert_array_equal(X @ np.eye(4), copies[0] @ np.eye(4))
    np.testing.assert_array_equal(y, copies[1])
    np.testing.assert_array_equal(weights, copies[2])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_nan_and_infinity_in_rows(iris, storage, value):
    X = iris[0].copy()
    X[3, 1] = value
    model = SoftmaxClassifier()
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        model.fit(storage(X), iris[1])
    assert not hasattr(model, "n_features_in_")


@pytest.mark.parametrize(
    ("scale", "offset"), [(1e30, 0), (1e100, 0), (1e2, 1e12), ([1, 1, 1e30, 1], 0)], ids=str
)
@pytest.mark.parametrize("batch_size", [8, 150])
def test_scales_and_offsets_that_sgd_cannot_bear(iris, scale, offset, batch_size):
    X, y = iris
    model = SoftmaxClassifier(batch_size=batch_size, random_state=0).fit(X * scale + offset, y)
    assert model.score(X * scale + offset, y) >= 0.96


def test_columns_that_say_nothing(iris):
    X, y = iris[0][:, :2], iris[1][20:]
    constant = np.column_stack([X, np.full(150, 3.0), np.zeros(150)])
    assert not fit(constant, iris[1]).coef_[:, 2:].any()
    model = SoftmaxClassifier(random_state=0).fit(np.zeros((130, 3)), y)
    assert not model.coef_.any()
    np.testing.assert_allclose(model.predict_proba(np.zeros((1, 3)))[0], np.bincount(y) / 130, atol=1e-3)
    assert (
        SoftmaxClassifier(random_state=0).fit(iris[0][:, [2]], iris[1]).score(iris[0][:, [2]], iris[1]) > 0.9
    )


# ---------------------------------------------------------------- sparse rows


@pytest.fixture(scope="module")
def csr(iris):
    return sparse.csr_array(np.where(iris[0] > 20, iris[0], 0))


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


def duplicates(A):
    data = np.column_stack([A.data / 4, A.data * 3 / 4]).ravel()
    return sparse.csr_array((data, np.repeat(A.indices, 2), A.indptr * 2), A.shape)


def explicit_zeros(A):
    n, d = A.shape
    return sparse.csr_array((A.toarray().ravel(), np.tile(np.arange(d), n), np.arange(n + 1) * d), A.shape)


@pytest.mark.parametrize(
    "form",
    [
        *(long_indices, mixed_indices, reversed_rows, duplicates, explicit_zeros),
        *(sparse.csr_matrix, sparse.csc_array, sparse.coo_array, sparse.lil_array),
        lambda A: A.astype(np.int64),
    ],
)
def test_forms_of_sparse_rows_give_one_model(iris, csr, form):
    given = form(csr)
    parts = [getattr(given, name).copy() for name in ("data", "indices", "indptr") if hasattr(given, name)]
    np.testing.assert_array_equal(fit(given, iris[1]).coef_, fit(csr, iris[1]).coef_)
    for name, part in zip(("data", "indices", "indptr"), parts, strict=False):
        np.testing.assert_array_equal(getattr(given, name), part)


def test_dense_and_sparse_take_the_same_path(iris, csr):
    """Where no centring is involved; rows without a stored value are among them."""
    csr = csr.copy()
    csr.data[csr.indptr[5] : csr.indptr[6]] = 0
    csr.eliminate_zeros()
    assert csr.indptr[5] == csr.indptr[6]
    settings = {"learning_rate": 1e-3, "tol": None, "alpha": 0.1}
    dense, rows = fit(csr.toarray(), iris[1], **settings), fit(csr, iris[1], **settings)
    np.testing.assert_allclose(rows.coef_, dense.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(rows.history_["objective"], dense.history_["objective"], rtol=1e-10)


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", "b", "c"]),
        np.array(["a", "b", "c"], dtype=object),
        np.array([-(2**62), 0, 2**62]),
        np.array([2**62, 2**62 + 1, 2**62 + 2]),
        np.array([0, 1, 2**63 + 5], dtype=np.uint64),
        np.array([-1.0, 0.0, 7.0]),
        np.array([3, 5, 7], dtype=np.int8),
    ],
    ids=lambda labels: f"{labels.dtype} {labels[0]}",
)
def test_labels_come_back_as_they_are(iris, labels):
    X, y = iris
    model = fit(X, labels[y])
    assert model.classes_.dtype == model.predict(X).dtype == labels.dtype
    np.testing.assert_array_equal(model.classes_, labels)
    np.testing.assert_array_equal(model.predict(X), labels[fit(X, y).predict(X)])
    np.testing.assert_array_equal(model.coef_, fit(X, y).coef_)


def test_other_containers_of_labels(iris):
    X, y = iris
    names, expected = np.array(["a", "b", "c"])[y], fit(X, y).coef_
    for labels in (list(names), pd.Series(names), pd.Categorical(names), pd.Series(names, dtype="string")):
        model = fit(X, labels)
        assert list(model.classes_) == ["a", "b", "c"]
        np.testing.assert_array_equal(model.coef_, expected)
    two = fit(X, y > 0)
    assert two.predict(X).dtype == bool
    np.testing.assert_array_equal(two.coef_, fit(X, (y > 0).astype(int)).coef_)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (lambda y: np.where(y == 0, np.nan, y), "Input y contains NaN"),
        (lambda y: y + 0.5, "Unknown label type: continuous"),
        (lambda y: y * 0, "contains only one class: .*0"),
        (
            lambda y: np.eye(3, dtype=int)[y],
            r"y with shape \(150, 3\) and dtype int64 is multilabel-indicator",
        ),
        (lambda y: y[:149], r"inconsistent numbers of samples: \[150, 149\]"),
    ],
)
def test_labels_that_cannot_be_used(iris, labels, message):
    model = SoftmaxClassifier()
    with pytest.raises(ValueError, match=message):
        model.fit(iris[0], labels(iris[1]))
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize("row", [[0.5, 0.2, 0.2], [1.5, -0.5, 0.0], [np.nan, 0.5, 0.5]])
def test_probability_rows_are_checked(iris, row):
    P = np.eye(3)[iris[1]]
    P[4] = row
    with pytest.raises(ValueError, match=r"row 4 is \[.*each row must be non-negative and sum to 1"):
        SoftmaxClassifier().fit(iris[0], P)


def test_labels_that_are_not_among_the_classes(iris):
    X, y = iris
    with pytest.raises(ValueError, match=r"labels that are not in classes array\(\[0, 1\]\): array\(\[2\]\)"):
        SoftmaxClassifier().partial_fit(X, y, classes=[0, 1])
    model = SoftmaxClassifier(**FAST).partial_fit(X[y < 2], y[y < 2], classes=[0, 1])
    before = model.coef_
    with pytest.raises(ValueError, match="labels that are not in classes"):
        model.partial_fit(X, y)
    assert model.coef_ is before
    with pytest.raises(ValueError, match="3 columns of class probabilities, but there are 2 classes"):
        model.partial_fit(X, np.eye(3)[y])
    with pytest.raises(ValueError, match="labels that are not in classes"):
        SoftmaxClassifier().fit(X[y < 2], y[y < 2], X_val=X, y_val=y)
    with pytest.raises(ValueError, match="X has 2 features, but SoftmaxClassifier is expecting 4"):
        model.partial_fit(X[:, :2], y)


# ---------------------------------------------------------------- weights


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.where(np.arange(150) == 3, -1.0, 1.0), "Negative values in data passed to `sample_weight`"),
        (np.where(np.arange(150) == 3, np.nan, 1.0), "Input sample_weight contains NaN"),
        (np.where(np.arange(150) == 3, np.inf, 1.0), "Input sample_weight contains infinity"),
        (np.ones(149), r"sample_weight.shape == \(149,\), expected \(150,\)"),
        (np.ones((150, 1)), "Sample weights must be 1D array or scalar"),
        (np.zeros(150), "Sample weights must contain at least one non-zero number"),
    ],
)
def test_sample_weights_that_cannot_be_used(iris, weights, message):
    with pytest.raises(ValueError, match=message):
        fit(*iris, sample_weight=weights)


def test_one_class_after_zero_weights(iris):
    with pytest.raises(ValueError, match=r"contains only one class: .*1"):
        fit(*iris, sample_weight=(iris[1] == 1).astype(float))


def test_class_weight_of_an_unknown_class(iris):
    with pytest.raises(ValueError, match="keys that are no classes"):
        fit(*iris, class_weight={7: 2.0})


def test_class_weight_by_name(iris):
    X, y = iris
    names = np.array(["a", "b", "c"])[y]
    by_name, by_number = (
        fit(X, labels, class_weight=dict(zip(np.unique(labels), (1.0, 2.0, 0.5), strict=True)))
        for labels in (names, y)
    )
    np.testing.assert_array_equal(by_name.coef_, by_number.coef_)
