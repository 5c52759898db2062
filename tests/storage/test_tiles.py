"""Tiles compared with NumPy: every remainder of rows, classes and features, on registers of every width."""

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from linclf._numba import vectors
from linclf._storage import choice, dense_storage, read_only, tiles
from linclf._storage.copied import Copied
from linclf._storage.in_place import InPlace

WIDTHS = [1, 3, 8, 15, 16, 33, 118]
CLASSES = [1, 2, 3, 4, 5, 7, 10]
ROWS = [1, 2, 4, 5, 11]


def compiled_tiles():
    """Compiled again, so that the width of a register is looked up again."""

    @njit
    def products(X, ids, coming, centre, W, S):
        for r in range(0, ids.size, tiles.ROWS):
            tiles.products(X, ids, coming, r, centre, W, S)

    @njit
    def add_gradient(X, ids, centre, S, G):
        tiles.add_gradient(X, ids, centre, S, G)

    @njit
    def descend(X, ids, centre, S, W, lengths, decay):
        tiles.descend(X, ids, centre, S, W, lengths, decay)

    return products, add_gradient, descend


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("register", [16, 32, 64])
def test_tiles_equal_numpy(register, dtype, monkeypatch):
    """On any processor: LLVM splits vectors that are wider than its registers."""
    monkeypatch.setattr(vectors, "register_bytes", lambda features: register)
    products, add_gradient, descend = compiled_tiles()
    rng = np.random.default_rng(0)
    close = {"rtol": 2e-4, "atol": 2e-5} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-13}
    for d in WIDTHS:
        X, centre = read_only(rng.normal(size=(40, d)).astype(dtype)), rng.normal(size=d).astype(dtype)
        lengths, decay = rng.random((2, d)).astype(dtype)
        for n_classes in CLASSES:
            W = rng.normal(size=(n_classes, d)).astype(dtype)
            for n in ROWS:
                ids = rng.permutation(40)[:n]
                Z = X[ids].astype(np.float64) - centre
                S = np.full((-(-n // tiles.ROWS) * tiles.ROWS, n_classes), np.nan, dtype, order="F")
                coming = rng.permutation(40)[: rng.integers(0, n + 3)]  # fewer rows or more, or none
                products(X, ids, coming, centre, W, S)
                np.testing.assert_allclose(S[:n], Z @ W.T, **close)
                np.testing.assert_array_equal(S[n:], S[[n - 1] * (len(S) - n)])

                S = np.asfortranarray(rng.normal(size=S.shape).astype(dtype))
                G = np.ones((n_classes, d + 1), dtype)
                add_gradient(X, ids, centre, S, G)
                np.testing.assert_allclose(G[:, :d], 1 + S[:n].T @ Z, **close)
                np.testing.assert_array_equal(G[:, d], 1)

                V = W.copy()
                descend(X, ids, centre, S, V, lengths, decay)
                np.testing.assert_allclose(V, (W - lengths * (S[:n].T @ Z)) * (1 - decay), **close)


def test_scores_may_lie_in_any_order():
    """Numba sees a single class as C-ordered, and scores from elsewhere may be C-ordered too."""
    products, add_gradient, _ = compiled_tiles()
    rng, ids = np.random.default_rng(0), np.arange(6)
    X, centre, W = read_only(rng.normal(size=(6, 9))), np.zeros(9), rng.normal(size=(3, 9))
    S, G = np.zeros((8, 3)), np.zeros((3, 10))
    products(X, ids, ids, centre, W, S)
    np.testing.assert_allclose(S[:6], X @ W.T, rtol=1e-12)
    add_gradient(X, ids, centre, S, G)
    np.testing.assert_allclose(G[:, :9], S[:6].T @ X, rtol=1e-12)


def test_other_arrays_are_refused_when_it_is_compiled():
    products, add_gradient, _ = compiled_tiles()
    X, W, S = read_only(np.zeros((4, 3))), np.zeros((2, 3)), np.zeros((4, 2), order="F")
    ids = np.arange(4)
    for arguments in (
        (X, ids, ids, np.zeros(3), W.astype(np.float32), S),
        (X, ids, ids, np.zeros(6)[::2], W, S),
        (X, ids.astype(np.int32), ids, np.zeros(3), W, S),
        (X, ids, ids.astype(np.int32), np.zeros(3), W, S),
    ):
        with pytest.raises(TypingError, match=r"C-ordered arrays of one type|numbers of rows are int64"):
            products(*arguments)
    with pytest.raises(TypingError, match="one type"):
        add_gradient(X, ids, np.zeros(3), S.astype(np.float32), np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("register", "n_products", "dtype", "factor", "kind"),
    [
        (32, 2, np.float32, 1.0, InPlace),
        (32, 63, np.float32, 1.0, InPlace),
        (32, 64, np.float32, 1.0, Copied),
        (64, 31, np.float32, 1.0, InPlace),
        (64, 32, np.float32, 1.0, Copied),
        (32, 19, np.float64, 1.0, InPlace),
        (32, 20, np.float64, 1.0, Copied),
        (64, 20, np.float64, 1.0, Copied),
        # float32 would not hold the weights
        (32, 2, np.float32, 1e20, Copied),
        (32, 2, np.float32, 1e-20, Copied),
    ],
)
def test_which_rows_are_read_in_place(register, n_products, dtype, factor, kind, monkeypatch):
    monkeypatch.setattr(choice, "vector_bytes", lambda: register)
    X = np.zeros((3, 20), dtype)
    storage = dense_storage(X, np.zeros(20), np.full(20, factor), n_products)
    assert type(storage) is kind
    assert np.shares_memory(storage.X, X)
