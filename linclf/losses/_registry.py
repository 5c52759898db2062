"""The two verbs of a loss: ``row_loss`` for a class index, ``target_loss`` for any target.

A loss is a NamedTuple of float parameters plus one function ``row_loss(loss, scores, y)`` that
returns the loss of one row and overwrites its scores with the gradient. Class attributes tell the
rest of the package what it needs to know:

``limits``          parameter -> the interval it may lie in
``curvature(K)``    the unit of step sizes: the largest eigenvalue that the Hessian has in practice,
                    a bound where that is not too cautious; for hinges, which have no Hessian,
                    the value that takes its place
``smooth``          whether the gradient is continuous; momentum is for smooth losses
``head``            `heads.Linear` unless the loss is defined on cosines
``probabilities``   method mapping (n, K) scores to probabilities, or None
``log_probabilities``  the same in logarithms
``resolved(K)``     the loss actually trained for K classes
``watched()``       the loss watched on validation data, where it is another

A loss on cosines also has a field ``scale``, which `coef_` is multiplied with.
"""

import numpy as np
from numba.core import types
from numba.extending import overload

from linclf._numba import compiled, generic
from linclf.heads import Linear


class LossTraits:
    """Defaults of the class attributes above; mixed into no NamedTuple, read through `trait`."""

    limits = {}
    smooth = True
    head = Linear
    probabilities = None
    log_probabilities = None


@generic
def row_loss(loss, scores, y):
    """Loss of one row for class index y; scores are overwritten with their gradient."""


@generic
def soft_row_loss(loss, scores, q):
    """The same for a row q of class probabilities."""


def target_loss(loss, scores, target):
    """`row_loss` or its expectation under a row of class probabilities."""
    if np.ndim(target) == 0:
        return row_loss(loss, scores, target)
    if type(loss) in soft_row_loss.table:
        return soft_row_loss(loss, scores, target)
    return expected_row_loss(loss, scores, target)


@overload(target_loss, strict=False)
def _target_loss(loss, scores, target):
    cls = getattr(loss, "instance_class", None)
    if isinstance(target, types.Integer):
        return row_loss.table.get(cls)
    return soft_row_loss.table.get(cls, expected_row_loss.py_func)


@compiled
def expected_row_loss(loss, scores, q):
    """sum_k q_k loss(scores, k), what a loss defined for class indices means for soft labels."""
    original = scores.copy()
    gradient = np.zeros_like(scores)
    value = 0.0
    for k in range(q.size):
        if q[k] > 0.0:
            scores[:] = original
            value += q[k] * row_loss(loss, scores, k)
            for j in range(q.size):
                gradient[j] += q[k] * scores[j]
    scores[:] = gradient
    return value


def trait(loss, name):
    """A class attribute of a loss, or its default."""
    return getattr(loss, name, getattr(LossTraits, name))
