"""How fast are maps from scores to probabilities on NumPy arrays of any shape?"""

import functools
import importlib
from collections.abc import Callable
from math import prod
from types import ModuleType
from typing import Any

import numpy as np
import scipy.special

from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import best_medians
from benchmarks.measure.machine import CORES
from benchmarks.measure.timing import median_seconds
from benchmarks.question import Mark, Measurements, NotMeasured, Question, Result, Row
from benchmarks.report.text import markdown_table, number
from linclf import functional

Shape = tuple[int, ...]
Peers = dict[str, ModuleType]
Calls = dict[str, Callable[[], Any]]  # by the name of the package

# shape, axis, layout
SHAPES = (
    *(((3,), -1, "C"), ((1, 10), -1, "C"), ((100, 10), -1, "C"), ((1000, 10), -1, "C")),
    *(((100_000, 10), -1, "C"), ((1_000_000, 10), -1, "C"), ((20_000, 50), -1, "C")),
    *(((1000, 1000), -1, "C"), ((100, 100_000), -1, "C"), ((32, 128, 128), -1, "C")),
    *(((32, 128, 128), 1, "C"), ((10, 100_000), 0, "C"), ((1000, 1000), 0, "C"), ((100_000, 10), 0, "C")),
    *(((100_000, 10), -1, "F"), ((100_000, 10), -1, "strided"), ((1000, 1000), -1, "strided")),
    # as small as in calls inside a loop, so that a fixed cost would show
    *(((300,), -1, "C"), ((1000,), -1, "C"), ((300, 1), -1, "C"), ((26, 10), -1, "C"), ((50, 10), -1, "C")),
    *(((30, 10), 0, "C"), ((600, 5), 0, "C"), ((8, 33), -1, "C"), ((32, 64), -1, "C")),
    *(((100, 32), -1, "C"), ((640, 100), 0, "C"), ((20, 5, 10), 1, "C"), ((40, 10), -1, "F")),
    *(((53, 300), -1, "F"), ((40, 10), -1, "strided"), ((500, 100), -1, "reversed")),
)
SPARSE = (
    *(((3,), -1, "C"), ((1000, 10), -1, "C"), ((100_000, 10), -1, "C"), ((1000, 1000), -1, "C")),
    *(((100, 100_000), -1, "C"), ((1000, 1000), 0, "C")),
)
# batch and length of attention with 64 features
SEQUENCES = ((1, 128), (32, 128), (8, 1024), (1, 8192))
QUICK = (((3,), -1, "C"), ((1000, 10), -1, "C"))
# a call on fewer numbers than this is repeated, up to this many times, and timed as a whole
ENTRIES, MOST = 10_000, 100
NAMES = ("linclf", "scipy", "numpy", "torch", "entmax")


def run(quick: bool) -> Measurements:
    peers, absent = _peers()
    rows = []
    for dtype in ("float32",) if quick else ("float32", "float64"):
        for name in FUNCTIONS:
            shapes = SPARSE if name in ("sparsemax", "entmax 1.5") else SHAPES
            for shape, axis, layout in QUICK if quick else shapes:
                facts = {"function": name, "shape": _text(shape), "axis": axis, "layout": layout}
                scores = _scores(shape, layout, dtype)
                calls = FUNCTIONS[name](scores, axis, peers)
                rows.append(attempt(facts | {"dtype": dtype}, functools.partial(_times, calls, scores.size)))
        for batch, n in ((1, 64),) if quick else SEQUENCES:
            facts = {"function": "attention", "shape": _text((batch, n, 64)), "axis": -2, "layout": "C"}
            calls = _attention(batch, n, dtype, peers)
            rows.append(attempt(facts | {"dtype": dtype}, functools.partial(_times, calls, batch * n * n)))
    return {
        "data": [{"name": "Gaussian scores", "source": "generated"}],
        "settings": {"threads": CORES, "in_turn": True},
        "rows": rows,
        "absent": absent,
    }


def _peers() -> tuple[Peers, dict[str, str]]:
    """The packages that can be imported, and why the other packages cannot."""
    peers, absent = {}, {}
    for name in ("torch", "entmax"):
        try:
            peers[name] = importlib.import_module(name)
        except ImportError as fault:
            absent[name] = str(fault)
    if "torch" in peers:
        peers["torch"].set_num_threads(CORES)
    return peers, absent


def _text(shape: Shape) -> str:
    return " x ".join(f"{length:,}" for length in shape)


def _scores(shape: Shape, layout: str, dtype: str) -> np.ndarray:
    random = np.random.default_rng(0)
    if layout == "strided":
        return random.standard_normal((*shape[:-1], 2 * shape[-1])).astype(dtype)[..., ::2]
    if layout == "reversed":
        return np.flip(random.standard_normal(shape).astype(dtype))
    return random.standard_normal(shape).astype(dtype, order=layout)


def _times(calls: Calls, size: int) -> Row:
    often, repeats = int(np.clip(ENTRIES // size, 1, MOST)), int(np.clip(1e7 / size, 7, 51))

    def repeated(call: Callable[[], Any]) -> None:
        for _ in range(often):
            call()

    calls, seconds = {name: functools.partial(repeated, call) for name, call in calls.items()}, {}
    # torch's threads keep a core busy after a call, and the allocator may serve the next call from memory
    # that the one before freed: so linclf takes turns with SciPy (NumPy if SciPy lacks the function) alone
    beside = "scipy" if "scipy" in calls else "numpy"
    pair = {name: calls.pop(name) for name in ("linclf", beside)}
    median_seconds(pair, 2)
    # the pair whose ratio is judged is timed longer: of 132 cells one would be 5% off by chance
    seconds |= median_seconds(pair, 4 * repeats)
    for name, call in calls.items():
        seconds[name] = best_medians({name: call}, repeats)[name].seconds
    return {f"seconds_{name}": of_all / often for name, of_all in seconds.items()}


# ---------------------------------------------------------------- the calls


def _softmax(scores: np.ndarray, axis: int, peers: Peers) -> Calls:
    def numpy_softmax() -> np.ndarray:
        p = scores - scores.max(axis=axis, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(axis=axis, keepdims=True)
        return p

    return {
        "linclf": lambda: functional.softmax(scores, axis),
        "scipy": lambda: scipy.special.softmax(scores, axis=axis),
        "numpy": numpy_softmax,
        **_torch("softmax", scores, axis, peers),
    }


def _log_softmax(scores: np.ndarray, axis: int, peers: Peers) -> Calls:
    def numpy_log_softmax() -> np.ndarray:
        logs = scores - scores.max(axis=axis, keepdims=True)
        logs -= np.log(np.exp(logs).sum(axis=axis, keepdims=True))
        return logs

    return {
        "linclf": lambda: functional.log_softmax(scores, axis),
        "scipy": lambda: scipy.special.log_softmax(scores, axis=axis),
        "numpy": numpy_log_softmax,
        **_torch("log_softmax", scores, axis, peers),
    }


def _logsumexp(scores: np.ndarray, axis: int, peers: Peers) -> Calls:
    def numpy_logsumexp() -> np.ndarray:
        top = scores.max(axis=axis, keepdims=True)
        return np.log(np.exp(scores - top).sum(axis=axis)) + top.squeeze(axis)

    return {
        "linclf": lambda: functional.logsumexp(scores, axis),
        "scipy": lambda: scipy.special.logsumexp(scores, axis=axis),
        "numpy": numpy_logsumexp,
        **_torch("logsumexp", scores, axis, peers),
    }


def _sparsemax(scores: np.ndarray, axis: int, peers: Peers) -> Calls:
    def numpy_sparsemax() -> np.ndarray:
        """By sorting."""
        f = np.moveaxis(scores, axis, -1)
        ranked = np.sort(f, axis=-1)[..., ::-1]
        sums, k = np.cumsum(ranked, axis=-1), np.arange(1, f.shape[-1] + 1, dtype=f.dtype)
        size = (1 + k * ranked > sums).sum(axis=-1, keepdims=True)
        tau = (np.take_along_axis(sums, size - 1, -1) - 1) / size.astype(f.dtype)
        return np.moveaxis(np.maximum(f - tau, 0), -1, axis)

    calls = {"linclf": lambda: functional.sparsemax(scores, axis), "numpy": numpy_sparsemax}
    return calls | _entmax_package("sparsemax", scores, axis, peers)


def _entmax15(scores: np.ndarray, axis: int, peers: Peers) -> Calls:
    def numpy_entmax15() -> np.ndarray:
        """By sorting."""
        f = np.moveaxis(scores, axis, -1)
        f = (f - f.max(axis=-1, keepdims=True)) / 2
        ranked, k = np.sort(f, axis=-1)[..., ::-1], np.arange(1, f.shape[-1] + 1, dtype=f.dtype)
        mean, square = np.cumsum(ranked, axis=-1) / k, np.cumsum(ranked**2, axis=-1) / k
        tau = mean - np.sqrt(np.maximum(1 / k - square + mean**2, 0))
        size = (tau <= ranked).sum(axis=-1, keepdims=True)
        return np.moveaxis(np.maximum(f - np.take_along_axis(tau, size - 1, -1), 0) ** 2, -1, axis)

    calls = {"linclf": lambda: functional.entmax(scores, 1.5, axis), "numpy": numpy_entmax15}
    return calls | _entmax_package("entmax15", scores, axis, peers)


FUNCTIONS = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "sparsemax": _sparsemax,
    "entmax 1.5": _entmax15,
}


def _torch(name: str, scores: np.ndarray, axis: int, peers: Peers) -> Calls:
    if "torch" not in peers:
        return {}
    tensor, function = _tensor(scores, peers), getattr(peers["torch"], name)
    return {"torch": lambda: function(tensor, dim=axis)}


def _tensor(scores: np.ndarray, peers: Peers) -> Any:
    """A tensor that shares the array, or a copy: torch has no negative strides."""
    return peers["torch"].from_numpy(scores if min(scores.strides) > 0 else scores.copy())


def _entmax_package(name: str, scores: np.ndarray, axis: int, peers: Peers) -> Calls:
    if not {"torch", "entmax"} <= set(peers):
        return {}
    tensor, function = _tensor(scores, peers), getattr(peers["entmax"], name)
    return {"entmax": lambda: function(tensor, dim=axis)}


def _attention(batch: int, n: int, dtype: str, peers: Peers) -> Calls:
    Q, K, V = np.random.default_rng(0).standard_normal((3, batch, n, 64)).astype(dtype)

    def numpy_attention() -> np.ndarray:
        p = Q @ K.swapaxes(-1, -2)
        p *= 1 / 8
        p -= p.max(axis=-1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(axis=-1, keepdims=True)
        return p @ V

    calls = {"linclf": lambda: functional.attention(Q, K, V), "numpy": numpy_attention}
    if "torch" in peers:
        tensors = [peers["torch"].from_numpy(a) for a in (Q, K, V)]
        function = peers["torch"].nn.functional.scaled_dot_product_attention
        calls["torch"] = lambda: function(*tensors)
    return calls


# ---------------------------------------------------------------- the table


def table(result: Result) -> str:
    lines = [
        [
            *(row["function"], row["shape"], row["axis"], row["layout"], row["dtype"]),
            *(_milliseconds(row, name) for name in NAMES),
            _against_scipy(row),
        ]
        for row in result["rows"]
    ]
    return (
        "Medians of calls, in milliseconds; linclf and SciPy (or NumPy, if SciPy lacks the function) take "
        "turns, the others come after them. NumPy is the formula in three lines, in place; for sparse maps, "
        "the method by sorting. Torch gets tensors that share the arrays, and all cores. The "
        "last column is linclf's time as a share of SciPy's.\n\n"
        + markdown_table(["function", "shape", "axis", "layout", "dtype", *NAMES, "of SciPy's"], lines)
    )


def _milliseconds(row: Row, name: str) -> str:
    if "absent" in row:
        return row["absent"]
    seconds = row.get(f"seconds_{name}")
    return number(None if seconds is None else 1e3 * seconds)


def _against_scipy(row: Row) -> str:
    return f"{row['seconds_linclf'] / row['seconds_scipy']:.2f}" if "seconds_scipy" in row else "-"


def _mark(result: Result) -> tuple[str, bool]:
    rows = [row for row in result["rows"] if row["function"] in ("softmax", "log_softmax")]
    missing = [row for row in rows if "absent" in row]
    if missing or not rows:
        raise NotMeasured(missing[0]["absent"] if missing else "no measurement of softmax")
    shares = [(row["seconds_linclf"] / row["seconds_scipy"], prod(_lengths(row)), row) for row in rows]
    worst, _, row = max(shares, key=lambda share: share[:2])
    best = min(shares, key=lambda share: share[:2])[0]
    where = f"{row['function']}, {row['shape']}, axis {row['axis']}, {row['layout']}, {row['dtype']}"
    return f"{best:.2f} to {worst:.2f} times its time, the most at {where}", worst <= 1.05


def _lengths(row: Row) -> list[int]:
    return [int(length.replace(",", "")) for length in row["shape"].split(" x ")]


MARKS = [
    Mark(
        f"softmax and log_softmax, {len(SHAPES)} shapes in float32 and float64",
        "not slower than `scipy.special` at any shape (5% for noise)",
        _mark,
    )
]

QUESTION = Question("Functions of scores", __doc__, run, table, MARKS)
