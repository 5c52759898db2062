"""Ways to a minimum, one a file; `linclf._training.solver` says what each has to do."""

from linclf._training.solvers.lbfgs import LBFGS
from linclf._training.solvers.stochastic import Stochastic

__all__ = ["LBFGS", "Stochastic"]
