"""How the benchmarks time peers: the number of threads that is kept, and what peers are told about it."""

import time

import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info

from benchmarks.data import real
from benchmarks.measure import best_threads
from benchmarks.measure.best_threads import BestThreads, allowed_threads, best_medians, timed_fit

pytestmark = pytest.mark.benchmarks


def slow_with(number, seconds):
    """A call that takes its time with this number of threads, and says how many it may use."""

    def call():
        if allowed_threads() == number:
            time.sleep(seconds)
        return allowed_threads()

    return call


@pytest.mark.parametrize(("slow", "fast"), [(1, 2), (2, 1)])
def test_the_faster_number_of_threads_counts(slow, fast):
    best = BestThreads((1, 2)).timed(slow_with(slow, 0.05))
    assert (best.result, best.threads) == (fast, fast)
    assert best.seconds < 0.05
    medians = best_medians({"a": slow_with(slow, 0.05)}, 3)
    assert medians["a"].threads == fast


def test_after_a_long_fit_the_slower_number_is_dropped(monkeypatch):
    monkeypatch.setattr(best_threads, "LONG", 0.01)
    race, calls = BestThreads((1, 2)), []

    def fit():
        calls.append(allowed_threads())
        time.sleep(0.02 * allowed_threads())

    assert race.timed(fit).threads == 1
    assert race.timed(fit).threads == 1
    assert calls == [1, 2, 1]


def test_blas_is_held_to_the_number_that_is_tried():
    def blas():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    before = blas()
    with best_threads.threads(1):
        assert blas() == {1}
    assert blas() == before


def test_a_timed_fit_is_that_of_the_model_itself():
    data = real.bundled("wine").scaled()
    model = LogisticRegression(max_iter=500)
    best = timed_fit(model, data.X, data.y)
    assert best.result is model
    assert best.threads in best_threads.NUMBERS
    assert model.score(data.X, data.y) > 0.95
