"""Sampling of classes with Gumbel noise: hard samples, and soft ones that gradients can pass through."""

from math import prod
from operator import index

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linclf._types import FloatArray, Seed
from linclf.functional._inputs import as_axis, as_floats, positive
from linclf.functional.maps import softmax


def gumbel_softmax(
    scores: ArrayLike,
    tau: float = 1.0,
    *,
    hard: bool = False,
    axis: int = -1,
    random_state: Seed = None,
) -> FloatArray:
    r"""A sample of the Gumbel-softmax distribution: ``softmax((f + g) / tau)``, g standard Gumbel noise.

    For any tau, the largest entry is class k with probability ``softmax(f)_k``; as tau approaches 0, the
    sample becomes one-hot.

    The straight-through estimator uses the hard sample in the forward pass and the derivative of the soft
    sample in the backward pass. With the same integer ``random_state``, ``hard=False`` returns that soft
    sample p; its Jacobian is ``(diag(p) - p p') / tau``.

    Parameters
    ----------
    scores : array-like of shape (..., K, ...)
        float32 stays float32; integers become float64. A score of -inf is never drawn.
    tau : float > 0, default=1.0
        Temperature of the sample.
    hard : bool, default=False
        Return the one-hot vector of the largest entry of the same sample.
    axis : int, default=-1
        The axis of the K classes.
    random_state : int, Generator, RandomState or None, default=None
        Source of the noise.

    Returns
    -------
    ndarray of the shape of scores
        A row of only -inf, or with +inf or NaN, gives NaN.

    Raises
    ------
    ValueError
        If tau is not finite and positive, or the axis is out of range or empty.
    TypeError
        If the scores are not real numbers.

    References
    ----------
    Jang, Gu & Poole, "Categorical reparameterization with Gumbel-softmax", 2017.
    Maddison, Mnih & Teh, "The concrete distribution", 2017.

    Examples
    --------
    >>> from linclf.functional import gumbel_softmax
    >>> gumbel_softmax([2, 4, 2, 1], tau=0.5, random_state=1).round(4)
    array([1.500e-03, 9.967e-01, 1.000e-04, 1.800e-03])
    >>> gumbel_softmax([2, 4, 2, 1], tau=0.5, hard=True, random_state=1)
    array([0., 1., 0., 0.])
    """
    scores = as_floats(scores, "scores")
    axis = as_axis(scores, axis, "scores")
    tau = positive(tau, "tau", scores.dtype.type)
    noisy = _gumbel(_random(random_state), scores.shape)
    with np.errstate(all="ignore"):
        # shifted, because rounding would lose the noise beside large scores with small differences
        noisy += scores - scores.max(axis=axis, keepdims=True)
        # and again: dividing by tau may overflow even if differences do not
        noisy -= noisy.max(axis=axis, keepdims=True)
        place = np.expand_dims(noisy.argmax(axis=axis), axis)  # found before a large tau rounds to ties
        noisy /= tau
        noisy = noisy.astype(scores.dtype, copy=False)
    soft = softmax(noisy, axis, out=noisy)
    if not hard:
        return soft
    chosen = np.where(np.isnan(soft), soft, 0)
    np.put_along_axis(chosen, place, np.take_along_axis(chosen, place, axis) + 1, axis)
    return chosen


def gumbel_max(
    scores: ArrayLike,
    *,
    size: int | tuple[int, ...] | None = None,
    axis: int = -1,
    random_state: Seed = None,
) -> NDArray[np.intp] | np.intp:
    r"""Classes drawn from softmax(scores): ``argmax_k (f_k + g_k)``, g standard Gumbel noise.

    Parameters
    ----------
    scores : array-like of shape (..., K, ...)
        A score of -inf is never drawn. Each row needs a finite score, and must not contain +inf or NaN.
    size : int or tuple of int, optional
        Number of draws from each row; one by default.
    axis : int, default=-1
        The axis of the K classes.
    random_state : int, Generator, RandomState or None, default=None
        Source of the noise.

    Returns
    -------
    ndarray of intp of shape ``(*size, ...)``, or an integer
        The axis of the classes is removed.

    Raises
    ------
    ValueError
        If a row has no distribution, the size is negative, or the axis is out of range or empty.
    TypeError
        If the scores are not real numbers or the size not integers.

    References
    ----------
    Gumbel, "Statistical theory of extreme values and some practical applications", 1954.
    Maddison, Tarlow & Minka, "A* sampling", 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.functional import gumbel_max
    >>> np.bincount(gumbel_max([2, 4, 2, 1], size=10_000, random_state=0)) / 10_000
    array([0.1028, 0.7549, 0.1034, 0.0389])
    """
    scores = as_floats(scores, "scores")
    axis = as_axis(scores, axis, "scores")
    largest = scores.max(axis=axis)
    if not np.isfinite(largest).all():
        raise ValueError(
            f"scores has a row whose largest score is {largest[~np.isfinite(largest)].flat[0]}: "
            "each needs a finite one, without +inf and NaN"
        )
    size = _lengths(size)
    random = _random(random_state)
    scores = np.moveaxis(scores, axis, -1)
    # shifted, because rounding would lose the noise beside large scores with small differences
    shifted = scores - scores.max(axis=-1, keepdims=True)
    drawn = np.empty((*size, *scores.shape[:-1]), np.intp)
    flat = drawn.reshape(prod(size), *scores.shape[:-1])
    step = max(1, (1 << 16) // shifted.size) if shifted.size else 1
    for i in range(0, len(flat), step):
        noise = _gumbel(random, (len(flat[i : i + step]), *shifted.shape))
        flat[i : i + step] = np.argmax(np.add(noise, shifted, out=noise), axis=-1)
    return drawn[()]


def _lengths(size: int | tuple[int, ...] | None) -> tuple[int, ...]:
    if size is None:
        return ()
    try:
        lengths = tuple(map(index, size)) if np.iterable(size) else (index(size),)
    except TypeError:
        raise TypeError(f"size={size!r}: pass an integer, a tuple of integers, or None") from None
    if any(length < 0 for length in lengths):
        raise ValueError(f"size={size!r}: pass lengths of 0 or more")
    return lengths


def _random(random_state: Seed) -> np.random.Generator | np.random.RandomState:
    if isinstance(random_state, np.random.RandomState):
        return random_state
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as fault:
        raise type(fault)(f"random_state={random_state!r}: pass an integer, a Generator or None") from None


def _gumbel(
    random: np.random.Generator | np.random.RandomState, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    drawn = random.standard_exponential(shape)
    # a draw of 0, which happens once in 2^53 times, would give noise of +inf
    return -np.log(np.maximum(drawn, np.finfo(float).tiny, out=drawn), out=drawn)
