"""The two verbs of a loss: ``row_loss`` for a class index, ``target_loss`` for any target.

A loss is a NamedTuple of float parameters plus one function ``row_loss(loss, scores, y)`` that
returns the loss of one row, 0 or more, and overwrites its scores with the gradient. Class attributes
tell the rest of the package what it needs to know; all may be left out:

``limits``          parameter -> the interval it may lie in
``curvature(K)``    the unit of step sizes: the largest eigenvalue that the Hessian has in practice,
                    a bound where that is not too cautious; for hinges, which have no Hessian,
                    the value that takes its place
``smooth``          whether the gradient is continuous; momentum and L-BFGS are for smooth losses
``convex``          whether the loss is convex in the scores
``attained``        whether the least loss of a row is reached at finite scores; if not, separable classes
                    need a penalty
``shift_invariant`` whether adding a constant to all scores changes nothing
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

from linclf._numba import compiled, generic, kernel
from linclf.heads import Linear


class LossTraits:
    """Defaults of the class attributes above; mixed into no NamedTuple, read through `trait`."""

    limits = {}
    smooth = True
    convex = True
    attained = True
    shift_invariant = True
    head = Linear
    probabilities = None
    log_probabilities = None


@generic
def row_loss(loss, scores, y):
    """Loss of one row for class index y; scores are overwritten with their gradient.

    ``@row_loss.register(MyLoss)`` makes a function of these three the one of a NamedTuple class.
    """


@generic
def soft_row_loss(loss, scores, q):
    """The same for a row q of class probabilities.

    Without one of its own, a loss takes K calls of its `row_loss` for it.
    """


def target_loss(loss, scores, target):
    """`row_loss` or its expectation under a row of class probabilities."""
    if np.ndim(target) == 0:
        return row_loss(loss, scores, target)
    return (soft_row_loss.find(type(loss)) or expected_row_loss)(loss, scores, target)


@overload(target_loss, strict=False)
def _target_loss(loss, scores, target):
    cls = getattr(loss, "instance_class", type(None))
    if isinstance(target, types.Integer):
        return row_loss.find(cls)
    if soft_row_loss.find(cls) is None and row_loss.find(cls) is not None:
        soft_row_loss.register(cls)(expected_row_loss.py_func)  # so that a later one is refused
    return soft_row_loss.find(cls)


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


@kernel
def row_losses(loss, scores, targets, values):
    """Fill values with the losses of a matrix of scores, which becomes their gradients."""
    for i in range(values.size):
        values[i] = target_loss(loss, scores[i], targets[i])


def trait(loss, name):
    """A class attribute of a loss, or its default."""
    return getattr(loss, name, getattr(LossTraits, name))
