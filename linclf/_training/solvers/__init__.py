"""Ways to a minimum, one a file; `linclf._training.solver` says what each has to do."""

from linclf._training.solver import Solver
from linclf._training.solvers.lbfgs import LBFGS
from linclf._training.solvers.stochastic import Stochastic

EXACT: dict[str, type[LBFGS]] = {"lbfgs": LBFGS}  # those that see all rows in each step


def exact_solver(solver: object) -> Solver | None:
    """The exact solver that a parameter names; None for an optimizer, whose steps `Stochastic` makes."""
    return EXACT[solver]() if isinstance(solver, str) and solver in EXACT else None


__all__ = ["EXACT", "LBFGS", "Stochastic", "exact_solver"]
