"""One step of an optimizer on weights whose gradient was computed outside of kernels."""

from linclf._numba import kernel
from linclf.optimizers import step_row


@kernel
def take_step(state, optimizer, step, penalty):
    """Change state.V (K, d) by its gradient state.G; ``penalty`` (d,) is that of the columns."""
    state.n_steps[0] += 1
    for k in range(state.V.shape[0]):
        step_row(optimizer, state.V[k], state.G[k], state.slots[k], step, state.n_steps[0], penalty)
