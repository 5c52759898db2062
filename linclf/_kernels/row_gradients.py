"""From the scores of a block to the loss of its rows and its gradient, row by row or class by class."""

from linclf._numba import bare, generic
from linclf._storage import CSR, Copied, InPlace
from linclf.losses._registry import block_loss, target_loss


@generic
def row_gradients(storage, problem, ids, block, step, divisor, row_limit):
    """Weighted loss sum and weight of a block of scores, which become gradients / divisor.

    Gradients of rows that would overshoot in a step are shortened to ``row_limit``.
    """


@row_gradients.register(CSR)
@row_gradients.register(Copied)
def gradients_by_rows(storage, problem, ids, block, step, divisor, row_limit):
    total, mass = 0.0, 0.0
    for r in range(ids.size):
        weight = problem.weights[ids[r]]
        total += weight * target_loss(problem.loss, block.S[r], problem.y[ids[r]])
        mass += weight
        share = block.S.dtype.type(
            _limited(weight, block.square_norms[r], step, divisor, row_limit) / divisor
        )
        for k in range(block.S.shape[1]):
            block.S[r, k] *= share
    return total, mass


@row_gradients.register(InPlace)
def gradients_by_classes(storage, problem, ids, block, step, divisor, row_limit):
    S, values, total, mass = block.S, block.values, 0.0, 0.0
    block_loss(problem.loss, problem.y, ids, block)
    for r in range(ids.size):
        weight = problem.weights[ids[r]]
        total += weight * values[r]
        mass += weight
        values[r] = _limited(weight, block.square_norms[r], step, divisor, row_limit) / divisor
    for k in range(S.shape[1]):
        for r in range(ids.size):
            S[r, k] *= S.dtype.type(values[r])
    return total, mass


@bare
def _limited(weight, square_norm, step, divisor, row_limit):
    """The weight with which a row does not overshoot."""
    reach = step * weight * square_norm / divisor
    return weight * (row_limit / reach) if reach > row_limit else weight
