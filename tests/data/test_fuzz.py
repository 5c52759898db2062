"""Any input gives a model that agrees with the plain one, or a ValueError or TypeError that says why not.

The plain model is fitted to the same values as a C-ordered float64 array. Warnings are errors, except
for those about convergence and uneven columns. ``LINCLF_FUZZ=20000 pytest -m fuzz`` runs 20,000 new
examples.
"""

import os
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from input_cases import (
    explicit_zeros,
    forgotten_order,
    long_indices,
    read_only,
    reversed_rows,
    strange_parts,
    strided,
    unaligned,
)
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from linclf import MarginSoftmaxClassifier, SoftmaxClassifier, SVMClassifier

pytestmark = pytest.mark.fuzz

LONG = int(os.environ.get("LINCLF_FUZZ", 0))
fuzz = settings(
    max_examples=LONG or 70,
    derandomize=not LONG,
    database=None,
    deadline=120_000,  # milliseconds: catches hangs, but the first examples compile kernels
    suppress_health_check=list(HealthCheck),
)


def duplicates(A):
    data = np.column_stack([A.data, np.zeros_like(A.data)]).ravel()
    return sparse.csr_array((data, np.repeat(A.indices, 2), A.indptr * 2), A.shape)


DENSE = {
    "plain": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "strided": strided,
    "unaligned": unaligned,
    "read-only": read_only,
    "backwards": lambda X: X[::-1].copy()[::-1],
    "list": lambda X: X.tolist(),
    "frame": lambda X: pd.DataFrame(X),
    "objects": lambda X: X.astype(object),
    "big-endian": lambda X: X.astype(">f8"),
}
SPARSE = {
    "csr_array": lambda A: A,
    "csr_matrix": sparse.csr_matrix,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "lil": sparse.lil_array,
    "dok": sparse.dok_array,
    "long": long_indices,
    "reversed": reversed_rows,
    "forgotten": forgotten_order,
    "duplicates": duplicates,
    "zeros": explicit_zeros,
    "strange": strange_parts,
}
FLOAT64 = {"list", "objects", "big-endian"}  # forms that lose float32
DTYPES = ["f8", "f4", "f2", "i1", "i8", "u4", "bool", "g"]
CLASSES = [SoftmaxClassifier, SVMClassifier, MarginSoftmaxClassifier]
LABELS = {
    "int": lambda y: y,
    "int8": lambda y: y.astype(np.int8),
    "far": lambda y: (y - 1) * 2**61,
    "float": lambda y: y.astype(float),
    "str": lambda y: y.astype(str),
    "bytes": lambda y: y.astype("S"),
    "object": lambda y: y.astype(str).astype(object),
    "list": lambda y: y.astype(str).tolist(),
    "category": lambda y: pd.Categorical(y),
    "nullable": lambda y: pd.Series(y, dtype="Int64"),
    "date": lambda y: y.astype("M8[D]"),
}


@st.composite
def values(draw, usual=False):
    """An array (n, d) of float64 whose columns have scales, offsets and zeros of many kinds."""
    n, d = draw(st.integers(2, 40)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.normal(size=(n, d))
    if draw(st.booleans()):
        X = np.round(3 * X)
    X *= rng.random((n, d)) < draw(st.sampled_from([1.0, 1.0, 0.5, 0.1, 0.0]))
    scales = st.sampled_from([1.0] * 6 + [0.0, 1e-3, 10.0])
    if not usual and draw(st.booleans()):
        scales |= st.sampled_from([1e-320, 1e-40, 1e-12, 1e6, 1e18, 1e30, 1e150, 1e300])
    scale = draw(st.lists(scales, min_size=d, max_size=d))
    offset = 0.0 if usual else draw(st.sampled_from([0.0] * 6 + [1.0, 1e3, 1e12]))
    return X * scale + offset * (np.arange(d) == 0)


@st.composite
def estimators(draw, classes=CLASSES, **fixed):
    cls = draw(st.sampled_from(classes))
    chosen = {
        "alpha": draw(st.sampled_from([1e-4, 1e-2, 1.0, 1e5, 0.0])),
        "fit_intercept": draw(st.booleans()),
        "class_weight": draw(st.sampled_from([None, None, "balanced"])),
        "max_iter": draw(st.integers(1, 4)),
        "tol": None,
        "random_state": 0,
    }
    if not fixed:
        chosen["standardize"] = draw(st.booleans())
    if draw(st.integers(0, 3)) == 0 and not fixed:
        if cls is SVMClassifier:
            return lambda: cls(solver="dual", **chosen | {"alpha": chosen["alpha"] or 1e-4})
        solver = draw(st.sampled_from(["lbfgs"] if cls is MarginSoftmaxClassifier else ["lbfgs", "newton"]))
        return lambda: cls(solver=solver, **chosen)
    chosen |= {
        "solver": draw(st.sampled_from(["sgd", "sgd", "adam"])),
        "batch_size": draw(st.sampled_from(["auto", 1, 7])),
        "learning_rate": draw(st.sampled_from(["auto", "auto", 1e-3, 10.0])),
        "schedule": draw(st.sampled_from(["linear", "constant", "invscaling"])),
    } | fixed
    return lambda: cls(**chosen)


@st.composite
def weights(draw, n):
    kind = draw(st.sampled_from(["none", "none", "zeros", "orders", "huge", "tiny"]))
    rng = np.random.default_rng(n)
    return {
        "none": None,
        "zeros": (np.arange(n) % 3 > 0).astype(float),
        "orders": 10.0 ** rng.uniform(-8, 8, n),
        "huge": np.full(n, 1e300),
        "tiny": np.full(n, 1e-300),
    }[kind]


def attempt(call):
    """The result of a call, or an error that a user may see; any other error fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        warnings.filterwarnings("ignore", ".* of the columns of X, in rows in which", UserWarning)
        warnings.filterwarnings("ignore", "X (does not have valid|has) feature names", UserWarning)
        try:
            return call(), None
        except (ValueError, TypeError) as fault:
            return None, fault


def both_or_neither(first, second):
    """The results of two calls, which must fail together; None if both fail."""
    (found, fault), (expected, other) = attempt(first), attempt(second)
    assert (fault is None) == (other is None), (fault, other)
    return None if fault is not None else (found, expected)


def agree(model, X, plain, Z, tolerance=0.0):
    """The same predictions and scores, within a tolerance relative to their summands."""
    scores = both_or_neither(lambda: model.decision_function(X), lambda: plain.decision_function(Z))
    if scores is None:
        return
    predicted = model.predict(X)
    assert predicted.dtype == model.classes_.dtype
    if tolerance:
        parts = np.abs(plain.coef_).max(axis=0) * np.abs(Z).max(axis=0)
        size = 1e-6 + max(parts.max(), np.abs(plain.intercept_).max())
        np.testing.assert_allclose(*scores, rtol=0, atol=tolerance * size)
    else:
        np.testing.assert_array_equal(*scores)
        index = np.searchsorted(plain.classes_, plain.predict(Z))
        np.testing.assert_array_equal(predicted, model.classes_[index])


def draw_targets(data, n):
    y = np.random.default_rng(n).integers(0, data.draw(st.integers(2, 4)), n)
    return y, LABELS[data.draw(st.sampled_from(sorted(LABELS)))](y), data.draw(weights(n))


def with_dtype(X, dtype):
    with np.errstate(all="ignore"):
        return X.astype(dtype)


@fuzz
@given(data=st.data())
def test_dense_rows_of_any_form(data):
    form, X = data.draw(st.sampled_from(sorted(DENSE))), data.draw(values())
    X = with_dtype(X, data.draw(st.sampled_from(DTYPES)))
    with np.errstate(over="ignore"):
        is_narrow = X.dtype in (np.float16, np.float32) and form not in FLOAT64
        Z = X.astype(np.float32 if is_narrow else np.float64)
        given_rows = DENSE[form](X)
    make, (y, labels, weight) = data.draw(estimators()), draw_targets(data, len(X))
    fitted = both_or_neither(
        lambda: make().fit(given_rows, labels, sample_weight=weight),
        lambda: make().fit(Z, y, sample_weight=weight),
    )
    if fitted is not None:
        agree(fitted[0], given_rows, fitted[1], Z)


@fuzz
@given(data=st.data())
def test_sparse_rows_of_any_form(data):
    form, X = data.draw(st.sampled_from(sorted(SPARSE))), data.draw(values())
    X = with_dtype(X, data.draw(st.sampled_from(["f8", "f4", "i8"]))) + 0  # no -0, which would be stored
    Z = X if X.dtype == np.float32 else X.astype(np.float64)
    given_rows, plain = SPARSE[form](sparse.csr_array(X)), sparse.csr_array(Z)
    make, (y, labels, weight) = data.draw(estimators()), draw_targets(data, len(X))
    fitted = both_or_neither(
        lambda: make().fit(given_rows, labels, sample_weight=weight),
        lambda: make().fit(plain, y, sample_weight=weight),
    )
    if fitted is not None:
        agree(fitted[0], given_rows, fitted[1], plain)


@fuzz
@given(data=st.data())
def test_dense_sparse_and_single_precision_agree(data):
    """With a given step size all take the same path, up to rounding, if losses have no kinks."""
    X = data.draw(values(usual=True)).astype(np.float32)
    make = data.draw(estimators(CLASSES[:1], solver="sgd", learning_rate=1e-3, batch_size=7))
    y, labels, weight = draw_targets(data, len(X))
    Z = X.astype(np.float64)
    for given_rows, tolerance in ((sparse.csr_array(Z), 1e-6), (X, 1e-3), (sparse.csr_array(X), 1e-3)):
        fitted = both_or_neither(
            lambda given_rows=given_rows: make().fit(given_rows, labels, sample_weight=weight),
            lambda: make().fit(Z, y, sample_weight=weight),
        )
        if fitted is not None:
            agree(fitted[0], given_rows, fitted[1], Z, tolerance)


@fuzz
@given(data=st.data())
def test_streams_of_any_form(data):
    X = data.draw(values())
    form, make = data.draw(st.sampled_from(sorted(DENSE))), data.draw(estimators(class_weight=None))
    y, labels, weight = draw_targets(data, len(X))
    labels = np.asarray(labels)
    weight = None if weight is None else np.minimum(weight, 1e25)

    def stream(X, y, convert):
        model = make()
        for part in (slice(0, len(X) // 2), slice(len(X) // 2, None)):
            share = None if weight is None else weight[part]
            model.partial_fit(convert(X[part]), y[part], np.unique(y), sample_weight=share)
        return model

    fitted = both_or_neither(lambda: stream(X, labels, DENSE[form]), lambda: stream(X, y, np.asarray))
    if fitted is not None:
        agree(fitted[0], X, fitted[1], X)


@fuzz
@given(data=st.data())
def test_broken_sparse_structure_is_refused_or_harmless(data):
    A = sparse.csr_array(data.draw(values(usual=True)))
    make, (y, _, _) = data.draw(estimators(solver="sgd")), draw_targets(data, A.shape[0])
    model, _ = attempt(lambda: make().fit(A, y))
    A = A.asformat(data.draw(st.sampled_from(["csr", "csc", "coo"])))
    names = ("row", "col", "data") if A.format == "coo" else ("indptr", "indices", "data")
    array = getattr(A, data.draw(st.sampled_from(names)))
    if array.size:
        number = data.draw(st.sampled_from([-1, 0, 1, 7, 2**31 - 1, -(2**31)]))
        array[data.draw(st.integers(0, array.size - 1))] = number
    attempt(lambda: make().fit(A, y))
    if model is not None:
        attempt(lambda: model.predict(A))
