"""An average of calibrators, weighted by how well they do on held-out rows."""

from typing import NamedTuple, cast

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import StrOptions

from linclf._types import FloatArray
from linclf.calibration._base import BaseCalibrator
from linclf.calibration._held_out import HeldOut, held_out_parts
from linclf.calibration._rows import Rows
from linclf.calibration._shrunk import NEGLIGIBLE, ShrunkCalibrator, belief_of, total_loss
from linclf.calibration.dirichlet import DirichletCalibration
from linclf.calibration.platt import PlattScaling
from linclf.calibration.temperature import TemperatureScaling
from linclf.calibration.vector import VectorScaling
from linclf.functional import log_softmax, logsumexp

# Dirichlet calibration is tried up to this n_rows * n_classes^2, where it may take a minute
WORK = 1e8


class Tried(NamedTuple):
    """A fitted calibrator, and its log weight up to a constant."""

    calibrator: BaseCalibrator
    evidence: float


class AutomaticCalibration(BaseCalibrator):
    """An average of Platt, vector and Dirichlet scaling, weighted by their log loss on held-out rows.

    Five parts of the rows are held out in turn. With L_m the sum of the held-out log losses of method m
    and ``c = n_rows / (n_rows + 300)``, probabilities are ::

        softmax(sum_m a_m log p_m),    a_m proportional to exp(-c L_m)

    (for vector and Dirichlet scaling, the mean of this over their strengths of shrinkage). With many rows,
    only the best method remains. If there are too few rows to tell methods apart, the average is safer than
    a choice: its log loss is at most the average of theirs. Temperature scaling is included as the strongest
    shrinkage of the last two. Weights below .01 are set to 0.

    Dirichlet calibration is left out if ``n_rows * n_classes^2`` is above 1e8. With fewer than about ten
    rows, which cannot be cut into five parts, this is temperature scaling alone.

    Parameters
    ----------
    input : {"scores", "logits", "probabilities"}, default="scores"
        The input of `fit` and `predict_proba`. "scores" and "logits" differ only for Platt scaling of more
        than two classes: each score has a meaning alone, logits only relative to each other. Probabilities
        are replaced by their logarithms, see `TemperatureScaling`.

    Attributes
    ----------
    calibrators_ : list of calibrators
        Calibrators with a positive weight, fitted to all rows, in order of decreasing weight.
    weights_ : ndarray of shape (n_calibrators,)
        Their weights a_m, which sum to 1.
    classes_ : ndarray of shape (n_classes,)
        The label of each column.

    References
    ----------
    Yao, Vehtari, Simpson & Gelman, "Using stacking to average Bayesian predictive distributions", 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.calibration import AutomaticCalibration
    >>> rng = np.random.default_rng(0)
    >>> f = rng.standard_normal((2_000, 3))
    >>> y = (f + rng.gumbel(size=f.shape)).argmax(axis=1)  # labels drawn from softmax(f)
    >>> for scores in (3 * f, f + [0.0, 0.0, 2.0]):  # too sure; and in favour of class 2
    ...     calibrator = AutomaticCalibration(input="logits").fit(scores, y)
    ...     for member, weight in zip(calibrator.calibrators_, calibrator.weights_):
    ...         print(f"{type(member).__name__} {weight:.2f}")
    DirichletCalibration 0.54
    VectorScaling 0.45
    PlattScaling 0.02
    DirichletCalibration 1.00
    """

    calibrators_: list[BaseCalibrator]
    weights_: FloatArray
    _parameter_constraints: dict = {"input": [StrOptions({"scores", "logits", "probabilities"})]}

    def __init__(self, *, input: str = "scores") -> None:
        self.input = input

    def _parameters(self, rows: Rows) -> dict:
        parts = held_out_parts(rows)
        tried = [_tried(calibrator, rows, parts) for calibrator in self._candidates(rows, bool(parts))]
        evidence = np.array([each.evidence for each in tried])
        weights = np.exp(evidence - logsumexp(evidence))
        order = [m for m in np.argsort(-weights, kind="stable") if weights[m] >= NEGLIGIBLE]
        kept = weights[order]
        return {"calibrators_": [tried[m].calibrator for m in order], "weights_": kept / kept.sum()}

    def _mapped(self, scores: FloatArray) -> FloatArray:
        parts = zip(self.weights_, self.calibrators_, strict=True)
        return sum((a * log_softmax(each._mapped(scores)) for a, each in parts), np.zeros_like(scores))

    def _candidates(self, rows: Rows, are_held_out: bool) -> list[BaseCalibrator]:
        """Unfitted calibrators; only the temperature if no rows can be held out."""
        together = "scores" if self.input == "logits" else self.input
        if not are_held_out:
            return [TemperatureScaling(input=together)]
        n, n_classes = rows.scores.shape
        found = [PlattScaling(input=self.input), VectorScaling(input=together)]
        return found + [DirichletCalibration(input=together)] * (n * n_classes**2 <= WORK)


def _tried(calibrator: BaseCalibrator, rows: Rows, parts: list[HeldOut]) -> Tried:
    """The calibrator fitted to all rows, and its evidence from held-out parts."""
    if isinstance(calibrator, ShrunkCalibrator):
        search = calibrator._searched(rows)
        return Tried(calibrator._publish(calibrator._averaged(rows, search), rows), search.evidence)
    copy = cast("BaseCalibrator", clone(calibrator))
    loss = sum(total_loss(test, _fitted(copy, fit)._mapped(test.scores)) for fit, test in parts)
    return Tried(_fitted(calibrator, rows), -belief_of(rows) * loss)


def _fitted(calibrator: BaseCalibrator, rows: Rows) -> BaseCalibrator:
    return calibrator._publish(calibrator._parameters(rows), rows)
