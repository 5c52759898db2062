"""History, validation, callbacks, printing and early stopping of a training, for all solvers."""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from linclf._training.model import LinearModel
from linclf._training.settings import Settings
from linclf._training.validation import Validation

OVERFLOW = "training overflowed at every step size; scale the columns of X, or remove its outliers"


Reached = Callable[[], LinearModel]  # computed only if it is used


class Outcome(NamedTuple):
    model: LinearModel
    history: dict[str, list[float]]
    n_iter: int
    solver: str = ""  # the one used
    gap: float | None = None  # a bound on how far the objective lies above its minimum, if there is one
    warnings: tuple[str, ...] = ()  # why it may be far from the minimum


class Callbacks(Protocol):
    """Notified of each epoch or iteration."""

    def start(self, total: int) -> None:
        """Training begins, with at most ``total`` epochs."""
        ...

    def begin(self) -> None: ...

    def end(self, model: Reached) -> bool:
        """Returns whether to stop."""
        ...


class Watch:
    """Tells when a quantity has stopped falling by more than tol of itself."""

    def __init__(self, tol: float | None, patience: int) -> None:
        self.tol, self.patience = tol, patience
        self.forget()

    def forget(self) -> None:
        self.best, self.since = np.inf, 0

    def stalled(self, value: float) -> bool:
        if self.tol is None:
            return False
        if not np.isfinite(self.best) or value < self.best - self.tol * abs(self.best):
            self.best, self.since = value, 0
        else:
            self.since += 1
        return self.since >= self.patience


class Monitor:
    """History, validation, the best model, callbacks and printing of one training."""

    def __init__(
        self, settings: Settings, validation: Validation | None, callbacks: Callbacks | None
    ) -> None:
        self.settings, self.validation, self.callbacks = settings, validation, callbacks
        self.watch = Watch(None if settings.tol == "auto" else settings.tol, settings.n_iter_no_change)
        self.history: dict[str, list[float]] = {}
        self.best: tuple[float, LinearModel | None] = np.inf, None
        self.warnings: list[str] = []

    def start(self, word: str, total: int, *numbers: str) -> None:
        """A solver is about to run at most ``total`` epochs (or iterations), each with these numbers."""
        self.word, self.total = word, total
        names = ["objective", *numbers, "seconds"]
        if self.validation is not None:
            names += ["validation_loss", "validation_score"]
        self.history = {name: [] for name in names}
        self.started = time.perf_counter()
        if self.callbacks is not None:
            self.callbacks.start(total)

    @property
    def n_iter(self) -> int:
        return len(self.history["objective"])

    def begin(self) -> None:
        """An epoch begins."""
        if self.callbacks is not None:
            self.callbacks.begin()

    def record(self, model: Reached, objective: float, **numbers: float) -> float:
        """Record an epoch; returns the watched value: the validation loss, or the objective."""
        self.history["objective"].append(float(objective))
        for name, number in numbers.items():
            self.history[name].append(number)
        watched = objective
        if self.validation is not None:
            reached = model()
            watched, score = self.validation.measure(reached)
            self.history["validation_loss"].append(watched)
            self.history["validation_score"].append(score)
            if watched < self.best[0]:
                self.best = watched, reached
        self.history["seconds"].append(time.perf_counter() - self.started)
        if self.settings.verbose:
            values = ", ".join(f"{name} {value[-1]:.6g}" for name, value in self.history.items())
            print(f"{self.word} {self.n_iter}/{self.total}: {values}")
        return watched

    def end(self, model: Reached) -> bool:
        """An epoch ends; returns whether a callback asks to stop."""
        return self.callbacks is not None and bool(self.callbacks.end(model))

    def warn(self, message: str) -> None:
        """Note that tol was not reached, if there is one; `train` issues the warning."""
        if self.watch.tol is not None:
            self.warnings.append(message)

    def outcome(self, model: Reached) -> Outcome:
        """The best model on the validation rows, or the one reached."""
        best = self.best[1]
        reached = model() if best is None else best
        if not (np.isfinite(reached.W).all() and np.isfinite(reached.b).all()):
            raise ValueError(OVERFLOW)
        return Outcome(reached, self.history, max(self.n_iter, 1))
