"""The abstract base of maps that are shrunk towards the fitted temperature, as far as held-out rows say."""

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
# rows at which a held-out log loss is believed by half. Believing all of it with 100 rows of ten classes
# raised the log loss of one network by .5 %, believing a quarter with 300 rows that of another by 1 %
HALF_BELIEVED = 300.0
LEAST = 2.0  # strength, for one row a class
NEGLIGIBLE = 1e-2  # weight that is taken for 0
HOPELESS = 7.0  # by how much the exponent of a weight is below that of the best, if weaker ones are not tried
ROUGH = 1e-4  # gradient norm at which a fit to a part of the rows ends


class Search(NamedTuple):
    """Factors of the penalties, their held-out log losses in sum, and how much these are believed."""

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
        """The logarithm of the mean weight, before they sum to 1: how well the map does on held-out rows."""
        return float(logsumexp(-self.belief * self.losses) - np.log(len(self.losses)))


def belief_of(rows: Rows) -> float:
    """The share of a held-out log loss that counts."""
    return rows.total / (rows.total + HALF_BELIEVED)


class ShrunkCalibrator(BaseCalibrator):
    """A map with parameters x that is the temperature at x = 0, with a penalty on ``x^2``."""

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
        """Scores (n, K) for tempered scores (n, K)."""

    @staticmethod
    @abstractmethod
    def _objective(g: FloatArray, rows: Rows, penalty: FloatArray) -> Callable[[FloatArray], Point]:
        """The weighted mean log loss of `_moved`, with ``penalty @ x^2 / 2``."""

    @staticmethod
    @abstractmethod
    def _attributes(x: FloatArray, temperature: float, n_classes: int) -> dict[str, FloatArray | float]:
        """The fitted attributes."""

    def _parameters(self, rows: Rows) -> dict[str, FloatArray | float]:
        return self._averaged(rows, self._searched(rows))

    def _searched(self, rows: Rows) -> Search:
        """Held-out log losses of all strengths, from the strongest on, until weaker ones are hopeless."""
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
                    found[i + 1 :] = best[i + 1 :]  # the least that the rest might be, which is enough
                    break
            strengths.append(strength)
            losses.append(found)
        return Search(np.array(strengths), np.sum(losses, axis=1), belief)

    def _averaged(self, rows: Rows, search: Search) -> dict[str, FloatArray | float]:
        """The attributes for the weighted mean of the parameters of all strengths."""
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
    """The rows to fit to and those held out, divided by the temperature of the first."""
    temperature = fitted_temperature(part[0])
    return [rows._replace(scores=coordinates(rows.scores) / temperature) for rows in part]


def total_loss(rows: Rows, scores: FloatArray) -> float:
    """The log loss of all rows in sum."""
    logarithms = log_softmax(scores)[np.arange(len(scores)), rows.target]
    return float(-rows.total * (rows.weights @ logarithms))
