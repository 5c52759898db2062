"""Rows that are held out: dense ones are not copied."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from linclf import SoftmaxClassifier
from linclf._data.dataset import COPIED, Dataset, split
from linclf._data.targets import Labels, Probabilities
from linclf._training.model import LinearModel
from linclf._training.validation import Validation
from linclf.heads import Linear
from linclf.losses import Softmax


def data_of(n=900, d=7, soft=False, storage=np.asarray, dtype=np.float64):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, d)).astype(dtype), np.arange(n) % 3
    targets = Probabilities(np.eye(3)[y] * 0.8 + 0.2 / 3) if soft else Labels(y, 3)
    return Dataset(storage(X), targets, rng.uniform(0.5, 2, n))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array])
def test_the_parts_have_all_rows_once(soft, storage):
    data = data_of(soft=soft, storage=storage)
    train, held_out = split(data, 0.1, np.random.RandomState(0))
    compact = held_out.compact()
    assert len(train.ids) + len(compact.weights) == len(data.weights)
    assert np.shares_memory(held_out.X, data.X) if storage is np.asarray else held_out.X.shape[0] == 90
    y, weights = held_out.counted
    np.testing.assert_array_equal(y.array, compact.y.array)
    np.testing.assert_array_equal(weights, compact.weights)
    assert weights.all()
    together = np.sort(np.append(train.weights[train.ids], weights))
    np.testing.assert_array_equal(together, np.sort(data.weights))


@pytest.mark.parametrize("n_scores", [1, 3, 10**6])
def test_blocks_are_the_rows_in_order(n_scores):
    data = data_of(d=3000)
    _, held_out = split(data, 0.3, np.random.RandomState(0))
    parts = list(held_out.blocks(n_scores, 2**20))
    assert all(X.size <= max(COPIED, data.X.shape[1]) for _, X in parts)
    np.testing.assert_array_equal(np.vstack([X for _, X in parts]), held_out.compact().X)
    assert [part.start for part, _ in parts][1:] == [part.stop for part, _ in parts][:-1]
    ((_, X),) = data.blocks(3, np.inf)
    assert X is data.X


def test_the_loss_is_that_of_copied_rows():
    data, rng = data_of(d=2000), np.random.default_rng(1)
    _, held_out = split(data, 0.5, np.random.RandomState(0))
    model = LinearModel(rng.normal(size=(3, 2000)), rng.normal(size=3), Linear())
    shared, copied = (Validation(rows, Softmax()).measure(model) for rows in (held_out, held_out.compact()))
    assert shared == pytest.approx(copied, rel=1e-12)


@pytest.mark.parametrize("calibration", [None, "temperature"])
def test_early_stopping_takes_no_memory_for_the_rows(calibration):
    """Less than a share of X: a copy of the held-out rows would be a half."""
    rng = np.random.default_rng(0)
    X, y = rng.random((8000, 1500), dtype=np.float32), np.arange(8000) % 3
    peaks = {}
    for stop in (False, True):
        model = SoftmaxClassifier(
            solver="sgd",
            early_stopping=stop,
            validation_fraction=0.5,
            max_iter=2,
            tol=None,
            n_jobs=1,
            random_state=0,
        )
        if stop:
            model.set_params(calibration=calibration)
        model.fit(X, y)  # compiles the kernels for this many rows
        tracemalloc.start()
        model.fit(X, y)
        peaks[stop] = tracemalloc.get_traced_memory()[1] / X.nbytes
        tracemalloc.stop()
    assert peaks[True] < peaks[False] + 0.02
    assert peaks[False] < 0.25
