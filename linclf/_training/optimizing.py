"""Properties of an optimizer that training needs, besides its steps."""

from linclf._kernels.problem import State
from linclf._types import FloatArray
from linclf.optimizers import OPTIMIZERS, SGD, Averaged, Nesterov, Optimizer


def accelerated(optimizer: Optimizer) -> Optimizer | None:
    """Plain SGD with momentum, for exact gradients: about 10 times fewer steps; None for other optimizers."""
    if isinstance(optimizer, Averaged):
        inner = accelerated(optimizer.inner)
        return None if inner is None else Averaged(inner)
    return Nesterov() if type(optimizer) is SGD else None


def averages_of(optimizer: Optimizer, slots: FloatArray) -> list[FloatArray]:
    """The view of its slots in which an optimizer keeps averages of the weights, if it does."""
    return [slots[:, -1]] if isinstance(optimizer, Averaged) else []


def published_weights(optimizer: Optimizer, state: State) -> FloatArray:
    """The weights to publish: their average, if there is one."""
    averages = averages_of(optimizer, state.slots)
    return averages[0] if averages and state.n_steps[0] > 0 else state.V


def name_of(optimizer: Optimizer) -> str:
    """The name of an optimizer, as a user would give it."""
    inner = optimizer.inner if isinstance(optimizer, Averaged) else optimizer
    names = [name for name, cls in OPTIMIZERS.items() if type(inner) is cls and inner == cls()]
    return names[0] if names else repr(inner)
