"""Losses of blocks with scores stored class by class: the same as row by row."""

import numpy as np
import pytest
from numba import njit

from linclf._kernels.row_gradients import losses
from linclf._storage import InPlace, read_only
from linclf.losses import Focal, Softmax
from linclf.losses._evaluation import evaluate, random_scores
from linclf.losses._names import loss_for


@njit
def losses_of_block(loss, targets, ids, block):
    losses(loss, targets, ids, block)


def by_classes(loss, scores, targets, ids):
    """Values and gradients of a block of these rows, and the part that it leaves untouched."""
    n, n_classes = scores.shape
    block = InPlace(*[np.zeros((0, 0))] * 4).block(n, 1, n_classes, scores.dtype)
    block.S[:n] = scores
    losses_of_block(loss, read_only(targets), ids, block)
    return block.values[:n], block.S[:n]


CASES = [
    (Softmax(), 1e-12),
    (Softmax(label_smoothing=0.2, temperature=0.7), 1e-12),
    (Focal(gamma=0.5), 1e-12),
]


@pytest.mark.parametrize(("loss", "rtol"), CASES, ids=repr)
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft"])
@pytest.mark.parametrize("size", [1.0, 1e4, 1e30])
def test_blocks_equal_rows(loss, rtol, soft, size):
    """Focal has no function for blocks, and is evaluated row by row."""
    rng = np.random.default_rng(0)
    for n_classes, n in ((2, 1), (3, 7), (11, 32)):
        resolved, ids = loss_for(loss, n_classes), rng.permutation(40)[:n]
        targets = rng.dirichlet(np.ones(n_classes), 40) if soft else rng.integers(0, n_classes, 40)
        scores = random_scores(resolved, n_classes, rng, size, n)
        values, gradient = evaluate(resolved, scores, targets[ids])
        ours, slopes = by_classes(resolved, scores, targets, ids)
        np.testing.assert_allclose(ours, values, rtol=rtol, atol=rtol)
        np.testing.assert_allclose(slopes, gradient, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("loss", [Softmax(), Softmax(label_smoothing=0.1, temperature=3.0)], ids=repr)
def test_blocks_in_float32(loss):
    """To float32 precision, compared with the same scores in float64."""
    rng, n, n_classes = np.random.default_rng(0), 32, 10
    scores, y = (5 * rng.standard_normal((n, n_classes))).astype(np.float32), rng.integers(0, n_classes, n)
    resolved = loss_for(loss, n_classes)
    values, gradient = evaluate(resolved, scores.astype(np.float64), y)
    ours, slopes = by_classes(resolved, scores, y, np.arange(n))
    assert slopes.dtype == np.float32
    np.testing.assert_allclose(ours, values, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(slopes, gradient, rtol=1e-5, atol=1e-6)
