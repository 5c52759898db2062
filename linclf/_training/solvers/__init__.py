"""Ways to a minimum, one per file; `linclf._training.solver` is their interface."""

from linclf._training.solver import Solver
from linclf._training.solvers.automatic import Automatic, AutomaticSparse
from linclf._training.solvers.dual import Dual
from linclf._training.solvers.lbfgs import LBFGS
from linclf._training.solvers.newton import Newton
from linclf._training.solvers.newton_cd import NewtonCD
from linclf._training.solvers.stochastic import Stochastic

EXACT: dict[str, type[LBFGS | Newton | Dual | NewtonCD]] = {
    "lbfgs": LBFGS,
    "newton": Newton,
    "dual": Dual,
    "newton-cd": NewtonCD,
}  # those that see all rows in each step


def exact_solver(solver: object) -> Solver | None:
    """The exact solver that a parameter names; None for an optimizer, which `Stochastic` uses."""
    return EXACT[solver]() if isinstance(solver, str) and solver in EXACT else None


__all__ = [
    "EXACT",
    "LBFGS",
    "Automatic",
    "AutomaticSparse",
    "Dual",
    "Newton",
    "NewtonCD",
    "Stochastic",
    "exact_solver",
]
