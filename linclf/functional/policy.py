"""Softmax policies: the log-probability of the actions taken, and its gradient."""

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import FloatArray, Floats, IntArray
from linclf.functional._inputs import as_axis, as_floats
from linclf.functional.maps import log_softmax, softmax


def policy_log_probability(scores: ArrayLike, actions: ArrayLike) -> Floats:
    r"""``log softmax(f)_a`` of the actions taken.

    Parameters
    ----------
    scores : array-like of shape (..., K)
        Preferences for the K actions; -inf for actions that are not allowed.
    actions : array-like of int of shape (...)
        The actions taken, from 0 to K - 1.

    Returns
    -------
    ndarray of shape (...), or a NumPy float for one row

    Raises
    ------
    ValueError
        If the shapes do not fit or an action is out of range.
    TypeError
        If the scores are not real numbers or the actions not integers.

    References
    ----------
    Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement
    learning", 1992.

    Examples
    --------
    >>> from linclf.functional import policy_log_probability
    >>> policy_log_probability([[2, 4, 2, 1], [0, 0, 0, 0]], [1, 3]).round(4)
    array([-0.278 , -1.3863])
    """
    scores, actions = _checked(scores, actions)
    return np.take_along_axis(log_softmax(scores), actions[..., None], -1)[..., 0][()]


def policy_score_function(scores: ArrayLike, actions: ArrayLike) -> FloatArray:
    r"""Gradient of `policy_log_probability` with respect to the scores: ``e_a - softmax(f)``.

    Multiplied by the return minus a baseline, its mean over episodes estimates the gradient of the
    expected return (REINFORCE). Its expectation under the policy is 0.

    Parameters
    ----------
    scores : array-like of shape (..., K)
        Preferences for the K actions; -inf for actions that are not allowed.
    actions : array-like of int of shape (...)
        The actions taken, from 0 to K - 1.

    Returns
    -------
    ndarray of the shape of scores

    Raises
    ------
    ValueError
        If the shapes do not fit or an action is out of range.
    TypeError
        If the scores are not real numbers or the actions not integers.

    References
    ----------
    Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement
    learning", 1992.

    Examples
    --------
    >>> from linclf.functional import policy_score_function
    >>> policy_score_function([2, 4, 2, 1], 1).round(4)
    array([-0.1025,  0.2427, -0.1025, -0.0377])
    """
    scores, actions = _checked(scores, actions)
    gradient = -softmax(scores)
    taken = np.take_along_axis(gradient, actions[..., None], -1)
    np.put_along_axis(gradient, actions[..., None], taken + 1, -1)
    return gradient


def _checked(scores: ArrayLike, actions: ArrayLike) -> tuple[FloatArray, IntArray]:
    scores, actions = as_floats(scores, "scores"), np.asarray(actions)
    as_axis(scores, -1, "scores")
    if actions.dtype.kind not in "iu":
        raise TypeError(f"actions has dtype {actions.dtype}: pass integers from 0 to {scores.shape[-1] - 1}")
    if actions.shape != scores.shape[:-1]:
        raise ValueError(
            f"actions has shape {actions.shape} and scores {scores.shape}: pass one action a row, "
            f"shape {scores.shape[:-1]}"
        )
    wrong = (actions < 0) | (actions >= scores.shape[-1])
    if wrong.any():
        raise ValueError(f"actions has {actions[wrong][0]}: pass integers from 0 to {scores.shape[-1] - 1}")
    return scores, actions.astype(np.intp)
