"""Each peer at its best number of threads: with two, small products can take several times as long."""

import contextlib
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Generic, NamedTuple, TypeVar

from sklearn.base import clone
from threadpoolctl import ThreadpoolController

from benchmarks.data.dataset import Rows
from benchmarks.measure.classifier import Classifier
from benchmarks.measure.machine import CORES
from benchmarks.measure.timing import median_seconds, timed

T = TypeVar("T")
Key = TypeVar("Key", bound=Hashable)

NUMBERS = (1, 2) if CORES > 1 else (1,)
LONG = 0.3  # seconds of a fit after which the slower number is not tried again
FEW = 5  # iterations of a first fit, which decides for a long one

_allowed: ContextVar[int] = ContextVar("threads that a peer may use", default=CORES)


def allowed_threads() -> int:
    """How many threads a peer may use, for peers that take the number as an argument."""
    return _allowed.get()


@contextlib.contextmanager
def threads(number: int) -> Iterator[None]:
    """Limit BLAS, OpenMP, torch and peers that call `allowed_threads` to this number of threads."""
    token, torch = _allowed.set(number), sys.modules.get("torch")  # which no limit of OpenMP reaches
    before = torch.get_num_threads() if torch is not None else 0
    try:
        if torch is not None:
            torch.set_num_threads(number)
        with ThreadpoolController().limit(limits=number):
            yield
    finally:
        if torch is not None:
            torch.set_num_threads(before)
        _allowed.reset(token)


class Best(NamedTuple, Generic[T]):
    """Like `timed`, at the fastest number of threads."""

    result: T
    seconds: float
    warnings: list[str]
    threads: int


class BestThreads:
    """The numbers of threads still tried for a peer, over fits of growing length."""

    def __init__(self, numbers: tuple[int, ...] = NUMBERS) -> None:
        self.numbers = numbers

    def timed(self, fit: Callable[[], T]) -> Best[T]:
        """The fastest of one fit per number of threads; if it is long, the other numbers are dropped."""
        found = []
        for number in self.numbers:
            with threads(number):
                found.append(Best(*timed(fit), number))
        return self.fastest(found)

    def fastest(self, found: list[Best[T]]) -> Best[T]:
        """The fastest of one fit per number of threads; if it is long, the other numbers are dropped."""
        best = min(found, key=lambda fit: fit.seconds)
        if best.seconds > LONG:
            self.numbers = (best.threads,)
        return best


def timed_fit(model: Classifier, X: Rows, y: Any) -> Best[Classifier]:
    """A fit of a peer at its best number of threads; if fits are long, one of few iterations decides."""
    trial = clone(model).set_params(max_iter=FEW)
    with threads(1):  # loads what the package loads at its first call
        timed(lambda: clone(model).set_params(max_iter=1).fit(X, y))
    race = BestThreads()
    race.timed(lambda: trial.fit(X, y))
    return race.timed(lambda: model.fit(X, y))


class BestMedian(NamedTuple):
    seconds: float
    threads: int


def best_medians(calls: Mapping[Key, Callable[[], Any]], repeats: int) -> dict[Key, BestMedian]:
    """Median seconds of each call at its best number of threads; all of them take turns at each number."""
    found: dict[Key, list[BestMedian]] = {name: [] for name in calls}
    for number in NUMBERS:
        with threads(number):
            median_seconds(calls, min(repeats, 2))
            for name, seconds in median_seconds(calls, repeats).items():
                found[name].append(BestMedian(seconds, number))
    return {name: min(medians) for name, medians in found.items()}
