"""`solver="auto"`: the way to the minimum that suits loss, format and size."""

from typing import NamedTuple

import numpy as np

from linclf._data.dataset import Dataset
from linclf._training.fit import Fit
from linclf._training.held import MOST
from linclf._training.monitor import Monitor, Outcome
from linclf._training.sampling import Sampling
from linclf._training.settings import Settings
from linclf._training.shape import Shape
from linclf._training.solver import Solver
from linclf._training.solvers.dual import Dual, knows
from linclf._training.solvers.lbfgs import LBFGS
from linclf._training.solvers.newton import Newton
from linclf._training.solvers.newton_cd import NewtonCD
from linclf._training.solvers.stochastic import Stochastic
from linclf._types import Loss
from linclf.heads import Head
from linclf.losses._registry import trait

FEW_CLASSES = 128  # up to this number, one inverse of the Hessian serves all classes
FEW_FEATURES = 256  # up to this number, Newton's method pays however many rows there are
MOST_VARIABLES = 2**16  # of dual ascent: beyond that, stochastic steps get close in less time
FLAT = 100.0  # known score beyond which a row may have no curvature, and Newton's method finds no way
LONGEST_PASS = 2e11  # multiply-adds of a pass over the rows; an exact solver needs dozens of passes


class Automatic(NamedTuple):
    """Newton's method, L-BFGS, dual ascent, or stochastic steps, the choice for a part of the rows."""

    stochastic: Stochastic = Stochastic()

    needs_passes = False
    streams = True
    automatic_tol = Stochastic.automatic_tol
    levels = False
    name = "auto"
    automatic = True

    def for_problem(
        self, loss: Loss, data: Dataset, alpha: float, watched: bool, sampling: Sampling | None
    ) -> Solver:
        head = trait(loss, "head")
        if watched or sampling is not None or not head.equivariant:
            return self.stochastic
        if not trait(loss, "smooth"):
            few = len(data.ids) * data.y.n_classes <= MOST_VARIABLES
            plain = not data.y.soft and data.offset is None
            return Dual() if few and alpha > 0 and knows(loss) and plain else self.stochastic
        jumps = trait(loss, "gradient_jumps") and data.y.n_classes > 2
        if jumps or trait(loss, "n_outputs") is not None:
            return self.stochastic
        n_rows, n_features = len(data.ids), data.X.shape[1]
        stored = data.X.nnz if data.is_sparse else n_rows * n_features
        if stored * data.y.n_classes > LONGEST_PASS:
            return self.stochastic
        small = not data.is_sparse and n_rows * min(n_rows, n_features) <= MOST
        cheap = data.y.n_classes <= FEW_CLASSES and (small or n_features <= FEW_FEATURES)
        far = data.offset is not None and np.abs(data.offset).max(initial=0) > FLAT
        return Newton() if cheap and not far else LBFGS()

    def for_shards(self, loss: Loss, watched: bool, shuffles: bool) -> Solver:
        if not shuffles and trait(loss, "smooth"):
            return LBFGS()
        smooth = trait(loss, "smooth") and not trait(loss, "gradient_jumps")
        passes = smooth and trait(loss, "head").equivariant and not watched
        return LBFGS() if passes else self.stochastic.for_shards(loss, watched, shuffles)

    def check(self, loss: Loss, data: Dataset) -> None:
        """Nothing to check: the solver that it chooses is suitable."""

    def bytes_needed(self, shape: Shape) -> int:
        return self.stochastic.bytes_needed(shape)

    def extent(self, settings: Settings, loss: Loss, head: Head, shape: Shape) -> tuple[int, int | None]:
        return self.stochastic.extent(settings, loss, head, shape)

    def solve(self, fit: Fit, monitor: Monitor, rng: np.random.RandomState) -> Outcome:
        raise NotImplementedError("what `for_problem` returns trains")


class AutomaticSparse(Automatic):
    """The same for penalties that make weights exactly 0."""

    def for_problem(
        self, loss: Loss, data: Dataset, alpha: float, watched: bool, sampling: Sampling | None
    ) -> Solver:
        jumps = trait(loss, "gradient_jumps") and data.y.n_classes > 2
        return NewtonCD() if trait(loss, "smooth") and not jumps else self.stochastic
