"""The two verbs of a loss: ``row_loss`` for a class index, ``target_loss`` for any target.

A loss is a NamedTuple of float parameters plus one function ``row_loss(loss, scores, y)`` that
returns the loss of one row, 0 or more, and overwrites its scores with the gradient. Class attributes
tell the rest of the package what it needs to know; all are optional:

``limits``          parameter -> the interval it may lie in
``curvature(K)``    the unit of step sizes: the largest eigenvalue of the Hessian in practice, or a bound
                    if it is not too loose; hinges, which have no Hessian, give a value in its place
``smooth``          whether the gradient is continuous; momentum and L-BFGS are for smooth losses
``gradient_jumps``  whether the gradient of a smooth loss still jumps at ties of the scores, where Newton's
                    method would stop
``convex``          whether the loss is convex in the scores
``attained``        whether the smallest loss of a row is reached at finite scores; if not, separable classes
                    need a penalty
``shift_invariant`` whether adding a constant to all scores changes nothing; if the class says so, two classes
                    are trained with one vector of weights
``symmetric``       whether the classes are interchangeable, so that swapping two swaps their gradients; False
                    if their order or names mean something, as in ordinal losses
``best_scores(q)``  the best scores that all rows can share, for class shares q; without it they are found by
                    a search
``head``            `heads.Linear` unless the loss is defined on cosines
``probabilities``   method mapping (n, K) scores to probabilities, or None
``log_probabilities``  the same in logarithms
``resolved(K)``     the loss actually trained for K classes
``watched()``       the loss watched on validation data, if it differs
``n_outputs(K)``    how many scores a row has, if not one per class
``class_scores``    method mapping these scores to scores of the classes, if they differ
``of_labels()``     for a sum over the classes, the loss of rows with several labels, whose `soft_row_loss`
                    reads a number for each label: positive if the row has it, else negative
``exclusive``       whether a row has one class; False for losses of rows with several labels

A loss on cosines also has a field ``scale``, by which `coef_` is multiplied.
"""

from typing import Any

import numpy as np
from numba.core import types
from numba.core.errors import NumbaTypeError
from numba.extending import overload

from linclf._numba import compiled, generic, kernel
from linclf._numba.dispatch import INLINED
from linclf._types import FloatArray, Loss
from linclf.heads import Linear


class LossTraits:
    """Defaults of the class attributes above, read through `trait`; no loss inherits from it."""

    limits = {}
    curvature = None
    resolved = None
    smooth = True
    gradient_jumps = False
    convex = True
    attained = True
    shift_invariant = True
    symmetric = True
    head = Linear
    probabilities = None
    log_probabilities = None
    watched = None
    n_outputs = None
    class_scores = None
    best_scores = None
    of_labels = None
    exclusive = True


@generic
def row_loss(loss, scores, y):
    """Loss of one row for class index y; scores are overwritten with their gradient.

    ``@row_loss.register(MyLoss)`` registers a function of these three arguments for a NamedTuple class.
    Numba compiles it, so it may call NumPy, `math` and functions decorated with ``@numba.njit``.

    Parameters
    ----------
    loss : NamedTuple
        The loss with its parameters, all of them floats.
    scores : float32 or float64 ndarray of shape (K,)
        Scores of the row; overwritten with the derivatives of the loss with respect to them.
    y : int
        Index of the class of the row, 0 ... K - 1.

    Returns
    -------
    value : float
        The loss of the row, 0 or more.

    Raises
    ------
    TypeError
        If nothing is registered for the class of the loss; by ``register``, if it is not given a
        NamedTuple class and a function of three arguments.
    ValueError
        By ``register``, if the class already has a function.

    Examples
    --------
    >>> from typing import NamedTuple
    >>> from linclf.losses import row_loss, value_and_gradient
    >>> class Brier(NamedTuple):
    ...     weight: float = 1.0
    ...     shift_invariant = False
    >>> @row_loss.register(Brier)
    ... def squared_distance(loss, scores, y):
    ...     scores[y] -= 1.0
    ...     value = loss.weight * (scores**2).sum()
    ...     scores *= 2.0 * loss.weight
    ...     return value
    >>> value_and_gradient(Brier(weight=0.5), [0.25, 0.5, 0.0], 1)
    (0.15625, array([ 0.25, -0.5 ,  0.  ]))
    """


@generic
def soft_row_loss(loss, scores, q):
    """Loss of one row for class probabilities q; scores are overwritten with their gradient.

    It has to be the expectation of `row_loss` under q. A loss without it calls its `row_loss` K times
    instead. ``@soft_row_loss.register(MyLoss)`` works like that of `row_loss`, and has to run before the
    loss is first used with soft labels.

    Parameters
    ----------
    loss : NamedTuple
        The loss with its parameters, all of them floats.
    scores : float32 or float64 ndarray of shape (K,)
        Scores of the row; overwritten with the derivatives of the loss with respect to them.
    q : ndarray of shape (K,)
        Probabilities of the classes, read-only.

    Returns
    -------
    value : float
        The expected loss of the row, 0 or more.

    Raises
    ------
    TypeError
        If nothing is registered for the class of the loss; by ``register``, if it is not given a
        NamedTuple class and a function of three arguments.
    ValueError
        By ``register``, if the class already has a function.

    Examples
    --------
    >>> from typing import NamedTuple
    >>> from linclf.losses import row_loss, soft_row_loss, value_and_gradient
    >>> class Linear(NamedTuple):
    ...     bound: float = 1.0
    >>> @row_loss.register(Linear)
    ... def lead_of_the_others(loss, scores, y):
    ...     value = loss.bound - scores[y] + scores.mean()
    ...     scores[:] = 1.0 / scores.size
    ...     scores[y] -= 1.0
    ...     return value
    >>> @soft_row_loss.register(Linear)
    ... def expected_lead_of_the_others(loss, scores, q):
    ...     value = loss.bound - (q * scores).sum() + scores.mean()
    ...     scores[:] = 1.0 / scores.size - q
    ...     return value
    >>> value_and_gradient(Linear(), [0.5, -0.5], [0.25, 0.75])
    (1.25, array([ 0.25, -0.25]))
    """


def target_loss(loss: Loss, scores: FloatArray, target: Any) -> float:
    """`row_loss` or its expectation under a row of class probabilities."""
    if np.ndim(target) == 0:
        return row_loss(loss, scores, target)
    return (soft_row_loss.find(type(loss)) or expected_row_loss)(loss, scores, target)


@overload(target_loss, strict=False, jit_options=INLINED)
def _target_loss(loss, scores, target):
    cls = getattr(loss, "instance_class", type(None))
    if isinstance(target, types.Integer):
        return row_loss.find(cls)
    if soft_row_loss.find(cls) is None and row_loss.find(cls) is not None:
        soft_row_loss.register(cls)(expected_row_loss.py_func)  # a later registration is refused
    return soft_row_loss.find(cls)


def number(value: Any) -> Any:
    """Return a loss unchanged; reject row functions that Numba types as Optional."""
    return value


@overload(number)
def _number(value):
    if not isinstance(value, types.Number):
        # if None were returned, Numba would retry an Optional as a number
        raise NumbaTypeError(f"a loss has to be a number, not {value}")
    return lambda value: value


@compiled
def expected_row_loss(loss, scores, q):
    """``sum_k q_k loss(scores, k)``: soft labels for a loss that is defined for class indices."""
    original = scores.copy()
    gradient = np.zeros_like(scores)
    value = 0.0
    for k in range(q.size):
        if q[k] > 0.0:
            scores[:] = original
            value += q[k] * number(row_loss(loss, scores, k))
            for j in range(q.size):
                gradient[j] += q[k] * scores[j]
    scores[:] = gradient
    return value


@generic
def label_block_loss(loss, labels, ids, block):
    """`row_loss` of a whole block of rows, with scores stored class by class; optional.

    ``block.values`` are filled with the losses of rows ``ids``, and block.S with their gradients.
    """


@kernel
def row_losses(loss, scores, targets, values):
    """Fill values with the losses of a matrix of scores, which becomes their gradients."""
    for i in range(values.size):
        values[i] = number(target_loss(loss, scores[i], targets[i]))


def trait(loss: Loss | type[Loss], name: str) -> Any:
    """A class attribute of a loss, or its default."""
    return getattr(loss, name, getattr(LossTraits, name))
