"""Softmax with a pull of each row towards the centre of its class."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils._param_validation import Interval

from linclf._types import FloatArray, IntArray
from linclf.embedding._classified import OnScores
from linclf.embedding._objective import class_means
from linclf.losses import Softmax


class Center(NamedTuple):
    r"""Center loss, ``softmax(W z + b, y) + weight/2 |z - c_y|^2``.

    The centres c are not weights but a state: after each batch, the centre of a class with m rows in it moves
    by ``-rate * sum(c - z) / (1 + m)``, the sum over these rows. They start at the means of the classes.

    Parameters
    ----------
    weight : float >= 0, default=0.1
        Weight of the distances to the centres; 0 is the softmax.
    rate : float in [0, 1], default=0.5
        How far the centres follow the rows.

    References
    ----------
    Wen, Zhang, Li & Qiao, "A discriminative feature learning approach for deep face recognition", 2016,
    equations 5 to 7.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from linclf import LinearEmbedding
    >>> from linclf.embedding import Center
    >>> X, y = load_digits(return_X_y=True)
    >>> embedding = LinearEmbedding(n_components=3, loss=Center(weight=0.5), random_state=0).fit(X, y)
    >>> embedding.centers_.shape
    (10, 3)
    """

    weight: float = 0.1
    rate: float = 0.5
    limits = {
        "weight": Interval(Real, 0, None, closed="left"),
        "rate": Interval(Real, 0, 1, closed="both"),
    }
    needs_labels = True
    least_batch = 1

    def objective(
        self, Z: FloatArray, y: IntArray, n_classes: int, rng: np.random.RandomState
    ) -> "TowardsCenters":
        return TowardsCenters(self, Z, y, n_classes)


class TowardsCenters(OnScores):
    def __init__(self, center: Center, Z: FloatArray, y: IntArray, n_classes: int) -> None:
        super().__init__(Softmax(), Z, y, n_classes)
        self.center, self.centers = center, class_means(Z, y, n_classes)

    def gradient(self, Z: FloatArray, ids: IntArray) -> tuple[float, FloatArray, FloatArray]:
        value, G, of_head = super().gradient(Z, ids)
        y, n, weight = self.y[ids], len(Z), self.center.weight
        away = Z - self.centers[y]
        value += 0.5 * weight * float(np.vdot(away, away)) / n
        self._follow(away, y)
        return value, G + away * Z.dtype.type(weight / n), of_head

    def _follow(self, away: FloatArray, y: IntArray) -> None:
        """Move the centres of the classes in the batch, by the rows before the step."""
        present, at, counts = np.unique(y, return_inverse=True, return_counts=True)
        sums = np.zeros((len(present), away.shape[1]), away.dtype)
        np.add.at(sums, at, away)
        self.centers[present] += (self.center.rate * sums / (1 + counts)[:, None]).astype(away.dtype)

    def attributes(self) -> dict[str, Any]:
        return {"centers_": self.centers}
