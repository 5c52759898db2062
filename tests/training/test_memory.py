"""Fitting holds the data once: no copy of C-contiguous float or CSR input, memory maps in place."""

import tracemalloc

import numpy as np
import pytest
from cases import default_run
from scipy import sparse

from linclf import SoftmaxClassifier, SVMClassifier

N, D = 30_000, 400
MODELS = [
    SoftmaxClassifier(solver="sgd", max_iter=1, random_state=0),
    SoftmaxClassifier(solver="sgd", max_iter=1, early_stopping=True, random_state=0),
    SoftmaxClassifier(solver="lbfgs", max_iter=2, tol=None, random_state=0),
    SVMClassifier(solver="adam", max_iter=1, random_state=0),
]


def peak(model, X, y):
    """Peak number of bytes allocated by NumPy and Python during a fit; kernels are already compiled."""
    model.fit(X[:3000], y[:3000])
    tracemalloc.start()
    try:
        model.fit(X, y)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def dense(dtype):
    return np.random.default_rng(0).random((N, D), dtype=dtype)


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("dtype", default_run([np.float32, np.float64], kept=[np.float32]))
def test_dense_input_is_not_copied(model, dtype):
    """Samples, indices and weights of rows need some memory; a validation part of a tenth is a copy."""
    X, y = dense(dtype), np.arange(N) % 3
    assert peak(model, X, y) < (0.5 if model.early_stopping is True else 0.35) * X.nbytes


@pytest.mark.parametrize("model", MODELS[:3], ids=str)
def test_sparse_input_is_not_copied(model):
    rng = np.random.default_rng(0)
    columns = np.sort(rng.integers(0, 20, (N, 40)) + 20 * np.arange(40), axis=1).astype(np.int32)
    starts = np.arange(0, columns.size + 1, 40, dtype=np.int32)
    X = sparse.csr_array((rng.random(columns.size), columns.ravel(), starts), shape=(N, 800))
    size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    assert peak(model, X, np.arange(N) % 3) < 0.6 * size
    X.data[::40] = 1000  # in columns of the first twenty: levelling needs a copy of the values
    assert peak(model, X, np.arange(N) % 3) < 0.6 * size + X.data.nbytes


def test_read_only_memory_maps_are_trained_in_place(tmp_path):
    X, y = dense(np.float32), np.arange(N) % 3
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = SoftmaxClassifier(solver="sgd", max_iter=1, random_state=0)
    assert peak(model, mapped, y) < 0.35 * X.nbytes
    np.testing.assert_array_equal(
        model.coef_, SoftmaxClassifier(solver="sgd", max_iter=1, random_state=0).fit(X, y).coef_
    )
