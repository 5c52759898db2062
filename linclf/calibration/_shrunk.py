"""The abstract base of maps shrunk towards the fitted temperature; held-out rows decide how far."""

from abc import abstractmethod
from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from linclf._types import FloatArray
from linclf.calibration._base import BaseCalibrator
from linclf.calibration._held_out import held_out_parts
from linclf.calibration._newton import Point, descend, minimise
from linclf.calibration._rows import Rows, centred
from linclf.calibration.temperature import fitted_temperature
from linclf.functional import log_softmax, logsumexp

STRENGTHS = 256.0, 64.0, 16.0, 4.0, 1.0, 0.25
# number of rows at which a held-out log loss counts half. Counting it fully with 100 rows of ten classes
# raised the log loss of one network by .5 %; counting a quarter with 300 rows raised that of another by 1 %
HALF_BELIEVED = 300.0
LEAST = 2.0  # strength with one row per class
NEGLIGIBLE = 1e-2  # weights below this become 0
HOPELESS = 7.0  # if the exponent of a weight is this far below the best, weaker penalties are not tried
ROUGH = 1e-4  # gradient norm at which fits to part of the rows stop


class Search(NamedTuple):
    """Factors of the penalties, the sums of their held-out log losses, and how much these count."""

    strengths: FloatArray
    losses: FloatArray
    belief: float

    @property
    def weights(self) -> FloatArray:
        exponents = -self.belief * (self.losses - self.losses.min())
        weights = np.exp(exponents)
        weights[weights < NEGLIGIBLE * weights.sum()] = 0
        return weights / weights.sum()

    @property
    def evidence(self) -> float:
        """Log of the mean unnormalised weight: how well the map does on held-out rows."""
        return float(logsumexp(-self.belief * self.losses) - np.log(len(self.losses)))


def belief_of(rows: Rows) -> float:
    """The share of a held-out log loss that counts."""
    return rows.total / (rows.total + HALF_BELIEVED)


class ShrunkCalibrator(BaseCalibrator):
    """A map with parameters x that equals temperature scaling at x = 0, with a penalty on ``x^2``."""

    shrinkage: str | float
    shrinkages_: FloatArray
    shrinkage_weights_: FloatArray
    _parameter_constraints: dict = {
        **BaseCalibrator._parameter_constraints,
        "shrinkage": [StrOptions({"auto"}), Interval(Real, 0, None, closed="both")],
    }

    @abstractmethod
    def _penalty(self, n_classes: int) -> FloatArray:
        """The penalty on each parameter, for a shrinkage of 1."""

    @staticmethod
    @abstractmethod
    def _moved(g: FloatArray, x: FloatArray) -> FloatArray:
        """Map tempered scores (n, K) to calibrated scores (n, K)."""

    @staticmethod
    @abstractmethod
    def _objective(g: FloatArray, rows: Rows, penalty: FloatArray) -> Callable[[FloatArray], Point]:
        """The weighted mean log loss of `_moved`, plus ``penalty @ x^2 / 2``."""

    @staticmethod
    @abstractmethod
    def _attributes(x: FloatArray, temperature: float, n_classes: int) -> dict[str, FloatArray | float]:
        """The fitted attributes."""

    def _parameters(self, rows: Rows) -> dict[str, FloatArray | float]:
        return self._averaged(rows, self._searched(rows))

    def _searched(self, rows: Rows) -> Search:
        """Held-out log losses, from the strongest penalty on, until weaker ones are hopeless."""
        belief, n_classes = belief_of(rows), rows.scores.shape[1]
        if self.shrinkage != "auto":
            return Search(np.array([self.shrinkage], float), np.zeros(1), belief)
        penalty, parts = self._penalty(n_classes), held_out_parts(rows)
        fitted = [_tempered_parts(self._coordinates, part) for part in parts]
        strengths, losses = [np.inf], [np.array([total_loss(test, test.scores) for _, test in fitted])]
        xs = [np.zeros_like(penalty) for _ in parts]
        for strength in STRENGTHS if parts else ():
            best, found = min(losses, key=np.sum), np.zeros(len(parts))
            if strength < LEAST * n_classes / rows.total or belief * (losses[-1] - best).sum() > HOPELESS:
                break
            for i, (fit, test) in enumerate(fitted):
                function = self._objective(fit.scores, fit, strength * penalty / fit.total)
                xs[i], _ = descend(function, xs[i], ROUGH)
                found[i] = total_loss(test, self._moved(test.scores, xs[i]))
                if belief * (found - best)[: i + 1].sum() > HOPELESS:
                    found[i + 1 :] = best[i + 1 :]  # an optimistic bound for the rest, which is enough
                    break
            strengths.append(strength)
            losses.append(found)
        return Search(np.array(strengths), np.sum(losses, axis=1), belief)

    def _averaged(self, rows: Rows, search: Search) -> dict[str, FloatArray | float]:
        """The attributes for the weighted mean of the parameters over all strengths."""
        temperature, n_classes = fitted_temperature(rows), rows.scores.shape[1]
        g = self._coordinates(rows.scores) / temperature
        penalty = self._penalty(n_classes)
        x, mean = np.zeros_like(penalty), np.zeros_like(penalty)
        for strength, weight in zip(search.strengths, search.weights, strict=True):
            if weight and np.isfinite(strength):
                x = minimise(self._objective(g, rows, strength * penalty / rows.total), x)
                mean += weight * x
        found = self._attributes(mean, temperature, n_classes)
        return {**found, "shrinkages_": search.strengths, "shrinkage_weights_": search.weights}

    def _coordinates(self, scores: FloatArray) -> FloatArray:
        return centred(scores) if self.input == "scores" else scores


def _tempered_parts(coordinates: Callable[[FloatArray], FloatArray], part: tuple[Rows, Rows]) -> list[Rows]:
    """Both sets of rows, with scores divided by the temperature fitted to the first."""
    temperature = fitted_temperature(part[0])
    return [rows._replace(scores=coordinates(rows.scores) / temperature) for rows in part]


def total_loss(rows: Rows, scores: FloatArray) -> float:
    """The sum of the log losses of all rows."""
    logarithms = log_softmax(scores)[np.arange(len(scores)), rows.target]
    return float(-rows.total * (rows.weights @ logarithms))
