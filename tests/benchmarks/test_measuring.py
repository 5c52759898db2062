"""How the benchmarks time peers and single passes, and evaluate the times."""

import time

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info

from benchmarks.data import generated, real
from benchmarks.measure import best_threads
from benchmarks.measure.best_threads import BestThreads, allowed_threads, best_medians, timed_fit
from benchmarks.measure.passes import Call, fit_of, in_turns
from benchmarks.peers.objective import objective
from benchmarks.questions import pass_profile
from benchmarks.questions.kernel_rate.marks import MARKS
from benchmarks.questions.kernel_rate.passes import MNIST, NARROW, Figures
from benchmarks.questions.sparse.passes import _bytes, bound
from linclf import SoftmaxClassifier
from linclf._kernels.problem import buffers_for
from linclf._training.objective import Rows

pytestmark = pytest.mark.benchmarks


def slow_with(number, seconds):
    """A call that is slow with this number of threads, and reports how many it may use."""

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


def test_torch_is_held_to_the_number_that_is_tried():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    with best_threads.threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_a_timed_fit_is_that_of_the_model_itself():
    data = real.bundled("wine").scaled()
    model = LogisticRegression(max_iter=500)
    best = timed_fit(model, data.X, data.y)
    assert best.result is model
    assert best.threads in best_threads.NUMBERS
    assert model.score(data.X, data.y) > 0.95


def test_calls_take_turns():
    order = []

    def seconds(name):
        order.append(name)
        return {"a": 0.1, "b": 0.3}[name]

    found = in_turns({name: Call(lambda name=name: seconds(name)) for name in "ab"})
    assert found == {"a": 0.1, "b": 0.3}
    assert order == list("ab") * (len(order) // 2)


def test_a_full_pass_is_that_of_the_objective():
    data = real.bundled("wine")
    fit = fit_of(data, SoftmaxClassifier(alpha=1e-2, solver="lbfgs"))
    V = 0.1 * np.random.default_rng(0).standard_normal(fit.V.shape)
    value = Rows(fit, fit.ids).value_and_gradient(V, np.empty_like(V))
    model = fit.model(V)
    assert value == pytest.approx(objective("softmax", model.W, model.b, data.X, data.y, 1e-2), rel=1e-9)


def test_figures_are_shares_of_the_limits():
    row = {"part": "pass", **MNIST, "dtype": "float32"}
    row |= {
        "seconds": {"1": 0.05, "2": 0.025},
        "product_gflops": {"1": 75.264, "2": 150.0},
        "read_gb_s": {"1": 10.0, "2": 12.0},
        "seconds_sklearn": {"1": 0.2, "2": 0.08},
    }
    one, two = (Figures.of(row, threads) for threads in "12")
    assert one.gflops == pytest.approx(4 * 60_000 * 784 * 10 / 0.05 / 1e9)
    assert one.share == pytest.approx(0.5)
    assert one.share_of_reading == pytest.approx(60_000 * 784 * 4 / 0.05 / 10e9)
    assert (one.sklearn, two.sklearn, two.gain) == (0.2, 0.08, 2.0)
    narrow = row | NARROW | {"seconds": {"1": 0.01, "2": 0.008}}
    result = {"rows": [row, narrow]}
    judged = {mark.work.partition(",")[0] + mark.bar: mark.judge for mark in (MARKS[0], MARKS[2], MARKS[-1])}
    said, verdicts = zip(*(judge(result) for judge in judged.values()), strict=True)
    assert verdicts == (True, True, False)  # 1.25 times with two threads at the narrow shape
    assert "1/4.0 of LogisticRegression's pass" in said[0]


def test_bytes_of_a_sparse_pass_are_counted_one_by_one():
    data = generated.texts(40, 300, 5, 8, 0.3, "x")
    X, n_classes = data.X, data.n_classes
    starts = X.indptr.itemsize * (len(data.y) + 1)
    of_rows = starts + sum(8 + X.indices.itemsize for row in X for _ in row.data)
    touched = {int(j) for row in X for j in row.indices}
    found = _bytes(data)
    assert found["bytes_least"] == of_rows + len(touched) * 3 * 8 * n_classes
    assert found["bytes_uncached"] == of_rows + X.nnz * 3 * 8 * n_classes
    assert bound(found | {"read_gb_s": {"1": 2.0}}, "1") == found["bytes_least"] / 2e9


@pytest.mark.parametrize("again", [0, 2])
def test_the_pieces_that_are_timed_make_the_gradient_of_the_package(again):
    data = real.bundled("wine")
    data = data._replace(X=data.X[:60], y=data.y[:60])  # one block
    fit = fit_of(data, SoftmaxClassifier(solver="lbfgs"))
    state = pass_profile._state(fit)
    rows = Rows(fit, fit.ids)
    expected = np.empty_like(state.V)
    rows.value_and_gradient(state.V, expected)
    times = pass_profile.Times(products=1 + again, gather=1 + again, gradient=1 + again)
    pass_profile.through(fit.problem, state, buffers_for(fit.problem, state.V, 60), fit.ids, times)
    assert state.G + rows.penalty * state.V == pytest.approx(expected, rel=1e-9)
