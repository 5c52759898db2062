"""The interface of training that sees only a part of the outputs in each step."""

from typing import Any, NamedTuple, Protocol

import numpy as np

from linclf._data.dataset import Dataset
from linclf._kernels.problem import Problem
from linclf._training.model import LinearModel
from linclf._training.present import Present
from linclf._training.shape import Shape
from linclf._types import FloatArray, IntArray


class Pass(NamedTuple):
    """The weighted sum of the losses in a sweep, and the mean of those in the first batch."""

    total: float
    first: float


class Sampling(Protocol):
    """A sweep (see `descent.Sweep`) whose steps read and change only some of the outputs.

    It may live as long as a stream, and counts the classes that it sees.
    """

    @property
    def noisy(self) -> bool:
        """Whether even the gradient of all rows is an estimate."""
        ...

    @property
    def bounded(self) -> bool:
        """Whether separable classes have finite optimal weights, even without a penalty."""
        ...

    def replaces(self, full: bool) -> bool:
        """Whether it runs instead of the sweep that is planned for such batches."""
        ...

    def batch_for(self, planned: int, automatic: bool, shape: Shape, stream: bool) -> int:
        """Rows of a batch."""
        ...

    def curvature(self, of_loss: float) -> float:
        """The unit of step sizes."""
        ...

    def meet(self, data: Dataset) -> None:
        """Count the classes of rows that are to be trained on."""
        ...

    def widen(self, kept: IntArray, n_classes: int) -> None:
        """Go on with more classes, among which those so far have the positions ``kept``."""
        ...

    def start(self, b: FloatArray, fit_intercept: bool) -> FloatArray:
        """Intercepts at which training starts."""
        ...

    def prepared(self, problem: Problem, batch: int) -> Problem:
        """The problem in the form to train, with everything that depends on the counts."""
        ...

    def run(self, descent: Any, order: IntArray, steps: FloatArray) -> Pass:
        """Train on the rows in this order, one step per batch."""
        ...

    def settled(self, model: LinearModel, classes: Present, dtype: np.dtype) -> LinearModel:
        """The model with a probability of 0 for classes without weight."""
        ...
