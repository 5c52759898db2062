"""Where does the time of a pass over dense rows go: reading X, products, losses, gradient, or the rest?"""

import functools
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.data import generated
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.limits import read_rows
from benchmarks.measure.passes import ALPHA, Call, epoch, fit_of, full_pass, in_turns
from benchmarks.question import Measurements, Question, Result, Row
from benchmarks.questions.kernel_rate.passes import EPOCH, EPOCHS, HUNDRED, KDD, MNIST, NARROW, PASS
from benchmarks.report.text import markdown_table, number
from linclf import SoftmaxClassifier, heads
from linclf._kernels.problem import State, buffers_for, buffers_of_rows
from linclf._kernels.row_gradients import row_gradients
from linclf._numba.compile import compiled
from linclf._storage import verbs
from linclf._training.fit import Fit
from linclf._training.plan import plan_for
from linclf._training.step_rule import StepRule

SHAPES = (MNIST, KDD, NARROW, HUNDRED)
QUICK = ({"rows": 4_000, "features": 100, "classes": 10}, {"rows": 20_000, "features": 20, "classes": 2})
AGAIN = 2  # additional runs of a piece
STEP = 1e-9


class Times(NamedTuple):
    """How often each piece of a block is run."""

    gather: int = 1
    products: int = 1
    loss: int = 1
    gradient: int = 1
    descend: int = 0


PIECES = ("products", "loss", "gradient", "descend")


@compiled
def through(problem, state, buffers, ids, times):
    """The pieces of a pass, block by block, in the order of the kernels of the package.

    The blocks are the batches if steps go straight into the weights (`descend`).
    """
    storage, head, block, work = problem.storage, problem.head, buffers.block, buffers.work
    constant, size = head.intercept, block.S.shape[0]
    scores = np.empty_like(block.S)
    verbs.fold(storage, state.V, block)
    for start in range(0, ids.size, size):
        part, coming = ids[start : start + size], ids[start + size :]
        for _ in range(times.gather):
            verbs.gather(storage, constant, part, block)
        heads.normalise(head, storage, block, part.size)
        for _ in range(times.products):
            verbs.products(storage, constant, part, coming, state.V, block)
        heads.to_scores(head, storage, state.V, block, part.size, work)
        scores[:] = block.S
        for _ in range(times.loss):
            block.S[:] = scores  # a loss overwrites them, and on gradients it would take a different time
            row_gradients(problem, part, block, STEP, part.size, np.inf)
        heads.from_scores(head, block, part.size, work)
        for _ in range(times.gradient):
            verbs.gradient(storage, constant, part, block, state.G, start == 0)
        for _ in range(times.descend):
            verbs.descend(storage, constant, part, block, state.V, STEP, problem.penalty)
    if times.gradient > 0:
        verbs.unfold(storage, state.G)
    else:
        verbs.settle(storage, state.V, block)


def run(quick: bool) -> Measurements:
    return {
        "data": [{"name": "Gaussian classes, float32", "source": "generated"}],
        "settings": {"again": AGAIN, "threads": 1},
        "rows": list(_rows(QUICK if quick else SHAPES)),
    }


def _rows(shapes: tuple[dict[str, int], ...]) -> Iterator[Row]:
    for shape in shapes:
        n, n_features, n_classes = shape.values()
        data = generated.gaussian(n, n_features, n_classes, "", n_test=1, distance=8.0)
        for part in (PASS, EPOCH):
            yield attempt({"part": part, **shape}, functools.partial(_profile, part, data))


def _profile(part: str, data: DataSet) -> Row:
    """Seconds of the package's own pass, of `through`, and of each piece once."""
    if part == PASS:
        package, model = full_pass(data, 1), SoftmaxClassifier(alpha=ALPHA, solver="lbfgs")
    else:
        package, model = epoch(data, 1, EPOCHS), SoftmaxClassifier(solver="sgd", alpha=ALPHA, random_state=0)
    fit = fit_of(data, model)
    order, batch, once = fit.ids, len(fit.ids), Times()
    if part == EPOCH:
        order, batch = np.random.default_rng(0).permutation(fit.ids), _batch(fit)
        once = Times(gradient=0, descend=1)
    state = _state(fit)
    buffers = buffers_for if part == PASS else buffers_of_rows
    go = functools.partial(through, fit.problem, state, buffers(fit.problem, state.V, batch), order)
    calls = {"package": package, "whole": _own(lambda: go(once)), "read": _reading(data.X, order)}
    pieces = [name for name in ("gather", *PIECES) if getattr(once, name)]
    for name in pieces:
        more = once._replace(**{name: getattr(once, name) + AGAIN})
        calls[name] = _own(lambda more=more: go(more))
    seconds = in_turns(calls, min)  # differences of medians would be mostly noise
    whole = seconds["whole"]
    found = {name: max(seconds[name] - whole, 0.0) / AGAIN for name in pieces}
    return {"package": seconds["package"], "whole": whole, "read": seconds["read"], "pieces": found}


def _batch(fit: Fit) -> int:
    return plan_for(StepRule(), "auto", fit.loss, fit.head, fit.shape).batch


def _state(fit: Fit) -> State:
    V = (fit.V + 0.01 * np.random.default_rng(0).standard_normal(fit.V.shape)).astype(fit.V.dtype)
    return State(V, np.zeros_like(V), np.zeros((len(V), 0, V.shape[1]), V.dtype), np.zeros(1, np.int64))


def _own(function: Callable[[], object]) -> Call:
    """CPU seconds of this thread: waiting on a busy machine would hide small differences."""

    def seconds() -> float:
        started = time.thread_time()
        function()
        return time.thread_time() - started

    return Call(seconds)


def _reading(X: np.ndarray, order: np.ndarray) -> Call:
    out = np.zeros(1, X.dtype)
    return _own(lambda: read_rows(X, order, out))


def table(result: Result) -> str:
    heads_of_table = [
        "what",
        "shape",
        "package, ms",
        "pieces, ms",
        "reading X",
        *PIECES,
        "rest",
        "copy again",
    ]
    return (
        "One thread, float32. The pieces are those of the package, called block by block by a kernel of the "
        f"benchmark; a piece is timed by running it {result['settings']['again']} more times. Reading X "
        "is a loop that only adds up its rows, in the same order; the rest is the time that no piece "
        "explains, including copying and centring rows; `copy again` copies a block that is in the cache. "
        "`package` is the wall time of the package's own pass, the others are CPU time. Shares refer to the "
        "total of the pieces.\n\n" + markdown_table(heads_of_table, map(_line, result["rows"]))
    )


def _line(row: Row) -> list[str]:
    named = [row["part"], " x ".join(f"{row[name]:,}" for name in ("rows", "features", "classes"))]
    if "absent" in row:
        return [*named, f"absent: {row['absent']}", *[""] * 8]
    whole, pieces = row["whole"], row["pieces"]
    rest = whole - row["read"] - sum(pieces.get(name, 0.0) for name in PIECES)
    seconds = [row["read"], *(pieces.get(name) for name in PIECES), rest, pieces.get("gather")]
    parts = ["" if s is None else f"{number(1e3 * s)} ({s / whole:.0%})" for s in seconds]
    return [*named, number(1e3 * row["package"]), number(1e3 * whole), *parts]


QUESTION = Question("Profile of a pass", __doc__, run, table)
