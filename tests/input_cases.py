"""Shared by the tests of inputs: integer data, estimators, and forms of rows.

Each form is tested once with `check_X`, which every estimator calls; `WAYS` are all estimator methods that
accept rows, and are tested with one hard form of each kind.
"""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
from scipy import sparse
from sklearn.datasets import load_iris

from linclf import MarginSoftmaxClassifier, SoftmaxClassifier, SVMClassifier
from linclf.large import HierarchicalSoftmaxClassifier, SampledSoftmaxClassifier

FAST = {"batch_size": 8, "max_iter": 10, "random_state": 0}
ESTIMATORS = {
    "soft": lambda: SoftmaxClassifier(**FAST),
    "hinge": lambda: SVMClassifier(**FAST),
    "cosine": lambda: MarginSoftmaxClassifier(**FAST),
    "sampled": lambda: SampledSoftmaxClassifier(n_sampled=2, **FAST),
    "tree": lambda: HierarchicalSoftmaxClassifier(max_iter=10, random_state=0),
    "lbfgs": lambda: SoftmaxClassifier(solver="lbfgs", max_iter=5, tol=None),
    "newton": lambda: SoftmaxClassifier(solver="newton", max_iter=5, tol=None),
    "dual": lambda: SVMClassifier(solver="dual"),
}
# exact solvers have no partial_fit
WAYS = [
    (name, way)
    for name in ESTIMATORS
    for way in ("fit", "partial_fit", "predict")
    if way != "partial_fit" or name not in ("lbfgs", "newton", "dual")
]
TRAINING_WAYS = [(name, way) for name, way in WAYS if way != "predict"]


@cache
def whole_iris():
    """Integers, so that every numeric type holds them; shuffled."""
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    X, y = (X[order] * 10).round(), y[order]
    for array in (X, y):
        array.flags.writeable = False
    return X, y


@cache
def trained(name):
    return ESTIMATORS[name]().fit(*whole_iris())


def fit(X, y, **parameters):
    sample_weight = parameters.pop("sample_weight", None)
    return SoftmaxClassifier(**{**FAST, **parameters}).fit(X, y, sample_weight=sample_weight)


def outcome(name, way, X, y=None, **weights):
    """Results that show whether an estimator treats two forms of X and y alike."""
    y = whole_iris()[1] if y is None else y
    if way == "predict":
        return trained(name).decision_function(X)
    model = ESTIMATORS[name]()
    if way == "partial_fit":
        return model.partial_fit(X, y, classes=np.unique(y), **weights).coef_
    return model.fit(X, y, **weights).coef_


# ---------------------------------------------------------------- forms of dense rows


def unaligned(X):
    raw = np.frombuffer(b"\0" + X.tobytes(), np.uint8)[1:].view(X.dtype).reshape(X.shape)
    assert raw.dtype.itemsize == 1 or not raw.flags.aligned
    return raw


def strided(X):
    wide = np.full((2 * len(X), 3 * X.shape[1]), 99, X.dtype)
    wide[::2, ::3] = X
    return wide[::2, ::3]


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def backwards(X):
    return X[::-1].copy()[::-1]


DENSE_FORMS = {
    **{t: lambda X, t=t: X.astype(t) for t in ("f2", "i1", "u1", "i4", "i8", "u8", ">f8", ">f4", ">i2", "g")},
    "fortran": np.asfortranarray,
    "unaligned": unaligned,
    "strided": strided,
    "read_only": read_only,
    "list": lambda X: X.tolist(),
    "masked array without masked entries": np.ma.array,
    "rows backwards": backwards,
    "columns backwards": lambda X: X[:, ::-1].copy()[:, ::-1],
    "strings in objects": lambda X: X.astype(str).astype(object),
    "nullable columns": lambda X: pd.DataFrame(X.astype(int)).astype("Int64"),
    "polars": lambda X: pl.DataFrame(X, schema=list("abcd"), orient="row"),
}


def hard_dense_form(X):
    """Big-endian integers, read-only, in every third column from right to left of every other row."""
    return read_only(strided(X.astype(">i2")[:, ::-1]))[:, ::-1]


# ---------------------------------------------------------------- forms of sparse rows


@cache
def sparse_iris():
    """Only the large values, and a row without any."""
    A = np.where(whole_iris()[0] > 20, whole_iris()[0], 0)
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
    """SciPy's cached flag says that the indices are sorted, but they no longer are."""
    A = A.copy()
    assert A.has_canonical_format
    reversed_parts = reversed_rows(A)
    A.indices[:], A.data[:] = reversed_parts.indices, reversed_parts.data
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
    """Arrays longer than needed, not contiguous, and in the other byte order."""
    A = A.copy()
    A.indices = np.repeat(np.append(A.indices, 7), 2)[::2]
    A.data = np.repeat(np.append(A.data, 1e9), 2)[::2]
    A.indptr = A.indptr.astype(">i4")
    return A


def diagonals(A):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sparse.SparseEfficiencyWarning)
        return sparse.dia_array(A)


SPARSE_FORMS = {
    **{
        form.__name__: form
        for form in (
            *(long_indices, mixed_indices, reversed_rows, forgotten_order, duplicates, explicit_zeros),
            *(read_only_parts, strange_parts, sparse.csr_matrix, sparse.csc_array, sparse.csc_matrix),
            *(sparse.coo_array, sparse.coo_matrix, sparse.lil_array, sparse.dok_array, diagonals),
        )
    },
    "blocks": lambda A: sparse.bsr_array(A, blocksize=(2, 2)),
    "integers": lambda A: A.astype(np.int64),
    "longdouble": lambda A: A.astype(np.longdouble),
    "sparse frame": lambda A: pd.DataFrame.sparse.from_spmatrix(A),
}


def hard_sparse_form(A):
    """Repeated entries including zeros, from right to left, with 64-bit indices, read-only."""
    return read_only_parts(long_indices(reversed_rows(duplicates(explicit_zeros(A)))))
