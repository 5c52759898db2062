"""Mini-batches with weights too large for the cache: the same steps as elsewhere, for any threads."""

import tracemalloc

import numpy as np
import pytest
from cases import default_run

from linclf import LinearClassifier, SoftmaxClassifier
from linclf._training import plan as _plan
from linclf._training.sweeps import Wide
from linclf.losses import CosFace, SquaredCrammerSinger
from linclf.optimizers import Adam, Averaged

RNG = np.random.default_rng(0)
K, D, N = 1100, 260, 2300  # 1.1 MB of float32 weights, and more classes than one piece


def data(dtype):
    y = np.append(np.arange(K), RNG.integers(0, K, N - K))
    X = RNG.normal(size=(K, D))[y] + 0.5 * RNG.normal(size=(N, D))
    return X.astype(dtype), y


SETTINGS = [
    {},
    {"solver": "momentum", "alpha": 1e-2},
    {"solver": Averaged(Adam())},
    {"fit_intercept": False, "learning_rate": 0.05},
    {"loss": SquaredCrammerSinger()},
    {"loss": CosFace(), "batch_size": 200, "learning_rate": 10.0},
]


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [pytest.param(np.float32, 2e-4, marks=pytest.mark.exhaustive), (np.float64, 1e-11)],
)
@pytest.mark.parametrize("parameters", default_run(SETTINGS, kept=[SETTINGS[2], SETTINGS[-1]]), ids=str)
def test_pieces_make_the_steps_of_one_kernel(parameters, dtype, tolerance, monkeypatch):
    X, y = data(dtype)
    model = LinearClassifier(solver="sgd", max_iter=2, random_state=0).set_params(**parameters)
    taken = []
    run = Wide.run
    monkeypatch.setattr(Wide, "run", lambda *args: taken.append(len(args[3])) or run(*args))
    wide = model.fit(X, y)
    assert taken == [len(range(0, N, 200 if "batch_size" in parameters else 256))] * 2
    W, b, objective = wide.coef_, wide.intercept_, wide.history_["objective"]
    monkeypatch.setattr(_plan, "MOST_WIDE", 0)
    plain = model.fit(X, y)
    assert len(taken) == 2
    scale = np.abs(plain.coef_).max()
    np.testing.assert_allclose(W, plain.coef_, atol=tolerance * scale, rtol=0)
    np.testing.assert_allclose(b, plain.intercept_, atol=tolerance * np.abs(plain.intercept_).max(), rtol=0)
    np.testing.assert_allclose(objective, plain.history_["objective"], rtol=tolerance)


def test_one_vector_of_two_classes_that_is_wide(monkeypatch):
    X = RNG.normal(size=(40, 131_100)) / 300
    X[:20, 0] += 3
    taken, run, y = [], Wide.run, np.arange(40) // 20
    monkeypatch.setattr(Wide, "run", lambda *args: taken.append(1) or run(*args))
    model = SoftmaxClassifier(learning_rate=0.1, max_iter=3, tol=None, random_state=0)
    wide = model.fit(X, y).coef_
    assert len(taken) == 3
    monkeypatch.setattr(_plan, "MOST_WIDE", 0)
    plain = model.fit(X, y).coef_
    assert len(taken) == 3
    np.testing.assert_allclose(wide, plain, atol=1e-12 * np.abs(plain).max(), rtol=0)


@pytest.mark.parametrize("loss", ["softmax", "cosface"])
def test_threads_change_no_bit(loss):
    X, y = data(np.float32)
    one, two = (
        LinearClassifier(loss=loss, solver="sgd", max_iter=2, n_jobs=n_jobs, random_state=0).fit(X, y)
        for n_jobs in (1, 3)
    )
    np.testing.assert_array_equal(one.coef_, two.coef_)
    assert one.history_["objective"] == two.history_["objective"]


def test_memory_is_that_of_a_batch_times_classes():
    """It holds neither the scores of all rows nor a gradient of all weights."""
    n, n_classes, d = 12_000, 3000, 100
    X, y = RNG.random((n, d), dtype=np.float32), np.arange(n) % n_classes
    model = SoftmaxClassifier(solver="sgd", max_iter=1, alpha=1e-8, random_state=0)
    model.fit(X[:6000], y[:6000])
    tracemalloc.start()
    try:
        model.fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # published weights and their copies are float64; the bound is on memory that grows with the rows
    scores, weights = 256 * n_classes * 4, n_classes * (d + 1) * 8
    assert peak < 2 * scores + 10 * weights + 0.35 * X.nbytes < n * n_classes * 4 / 3
