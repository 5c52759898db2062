"""The loop of a comparison over models and splits: a few models first, then the rest, then the leaders."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing

from linclf._compare.candidates import BASELINE, FIRST, Candidate
from linclf._compare.leaders import Look, look_at
from linclf._compare.measures import MEASURES
from linclf._compare.measuring import Measured, Shown, default_alpha, first_fits, mean_of, measure
from linclf._compare.splitting import Splitting
from linclf._compare.tuning import Rows
from linclf._tables.features import Features
from linclf._types import IntArray


@dataclass
class Run:
    """The settings of a comparison, and what has been measured so far.

    Attributes
    ----------
    measured : dict of list of Measured
        By model, one entry per split.
    failures : dict of str
        The error of each model that failed.
    looks : dict of list of Look
        By leader.
    not_looked_at : dict of str
        The error of each leader whose closer look failed, for example because it cannot be calibrated.
    shown : dict of Shown
        By model, for the last split.
    compile_seconds : float
    blas_threads : dict of int
        By model.
    """

    given: Any  # the rows as the user passed them, for pipelines
    features: Features
    y: np.ndarray
    codes: IntArray
    classes: np.ndarray
    class_of_interest: int
    splitting: Splitting
    alphas: Sequence[float]
    sort: str
    report_step: Callable[[str], object]
    measured: dict[str, list[Measured]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    looks: dict[str, list[Look]] = field(default_factory=dict)
    not_looked_at: dict[str, str] = field(default_factory=dict)
    shown: dict[str, Shown] = field(default_factory=dict)
    compile_seconds: float = 0.0
    blas_threads: dict[str, int] = field(default_factory=dict)

    def stages(self, candidates: list[Candidate]) -> Iterator[None]:
        """Measure the first few models, then the others; yields after each."""
        first = [each for each in candidates if each.name in FIRST]
        others = [each for each in candidates if each.name not in FIRST]
        for stage in (first, others):
            if stage:
                self._measure_all(stage)
                yield

    def means(self) -> dict[str, float]:
        """The mean of the measure to sort by, for the models that have it."""
        means = {
            name: mean_of(each.values[self.sort] for each in measured)
            for name, measured in self.measured.items()
            if name not in self.failures
        }
        return {name: mean for name, mean in means.items() if mean is not None}

    def leaders(self, most: int) -> list[str]:
        """The names of the best models, without the baseline."""
        means = self.means()
        sign = -1.0 if MEASURES[self.sort].higher_is_better else 1.0
        names = sorted(means, key=lambda name: sign * means[name])
        return [name for name in names if name != BASELINE][:most]

    def _measure_all(self, candidates: list[Candidate]) -> None:
        for number, (train, test) in enumerate(self.splitting.parts):
            encoded = self._encoded(train, test)
            folds = self.splitting.inner(train, self.codes)
            for candidate in candidates:
                name = candidate.name
                self.report_step(f"{name} (split {number + 1} of {len(self.splitting.parts)})")
                if name in self.failures:
                    continue
                try:
                    rows, held_out = self._rows(candidate, encoded, train, test)
                    if number == 0:
                        seconds, self.blas_threads[name] = first_fits(
                            candidate, rows, default_alpha(self.alphas)
                        )
                        self.compile_seconds += seconds if candidate.origin == "linclf" else 0.0
                    measured, self.shown[name] = measure(
                        candidate,
                        rows,
                        held_out,
                        alphas=self.alphas,
                        folds=folds,
                        sort=self.sort,
                        blas_threads=self.blas_threads[name],
                    )
                    self.measured.setdefault(name, []).append(measured)
                except Exception as fault:  # the comparison goes on without a model that fails
                    self.failures[name] = " ".join(f"{type(fault).__name__}: {fault}".split())
                    self.shown.pop(name, None)

    def look_at(self, leaders: list[Candidate]) -> None:
        """Learning curves and calibration of models that have been measured."""
        for number, (train, test) in enumerate(self.splitting.parts):
            encoded = self._encoded(train, test)
            folds = self.splitting.inner(train, self.codes)
            for candidate in leaders:
                name = candidate.name
                self.report_step(f"{name}: fewer rows, calibration (split {number + 1})")
                if name in self.not_looked_at:
                    continue
                rows, held_out = self._rows(candidate, encoded, train, test)
                alpha = self.measured[name][number].alpha
                if alpha is None:
                    alpha = default_alpha(self.alphas)
                try:
                    look = look_at(
                        candidate,
                        alpha,
                        rows,
                        held_out,
                        folds=folds,
                        sort=self.sort,
                        random_state=self.splitting.random_state,
                    )
                except Exception as fault:
                    self.not_looked_at[name] = " ".join(f"{type(fault).__name__}: {fault}".split())
                    self.looks.pop(name, None)
                    continue
                self.looks.setdefault(name, []).append(look)

    def _encoded(self, train: IntArray, test: IntArray) -> tuple[Any, Any]:
        """Both parts encoded as numbers, by an encoder fitted to the training rows."""
        encoder, rows = self.features.encoder(), self.features.rows
        X_train = encoder.fit_transform(_safe_indexing(rows, train))
        return X_train, encoder.transform(_safe_indexing(rows, test))

    def _rows(
        self, candidate: Candidate, encoded: tuple[Any, Any], train: IntArray, test: IntArray
    ) -> tuple[Rows, Rows]:
        parts: Iterable[Any] = encoded
        if candidate.raw:
            parts = (_safe_indexing(self.given, rows) for rows in (train, test))
        made = [
            Rows(X, self.y[rows], self.codes[rows], self.classes, self.class_of_interest)
            for X, rows in zip(parts, (train, test), strict=True)
        ]
        return made[0], made[1]
