"""Evaluation of a loss on scores, for users, and measurements that training needs."""

import re
from numbers import Real
from typing import Any

import numpy as np
from numba.core import types
from numba.core.errors import NumbaError
from numpy.typing import ArrayLike, DTypeLike

from linclf._data.labels import check_probabilities
from linclf._numba import compiled, ours
from linclf._storage import read_only
from linclf._types import FloatArray, IntArray, Loss
from linclf.losses._names import loss_for
from linclf.losses._registry import expected_row_loss, row_loss, row_losses, soft_row_loss, trait


def evaluate(loss: Loss, scores: FloatArray, targets: IntArray | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values (n,) and gradients (n, K) of a resolved loss; targets are indices or probabilities."""
    values, gradient = np.empty(len(scores)), np.array(scores, order="C")
    try:
        row_losses(loss, gradient, read_only(targets), values)
    except NumbaError as fault:
        reason = _reason(loss, gradient[0], targets)
        raise TypeError(
            f"a row function of {type(loss).__name__} does not compile with Numba: {reason}"
        ) from fault
    return values, gradient


def value_and_gradient(
    loss: str | Loss, scores: ArrayLike, y: ArrayLike
) -> tuple[float | FloatArray, FloatArray]:
    """Values of a loss and its gradient with respect to the scores.

    Parameters
    ----------
    loss : str or loss
        A name in `LOSSES` or an object.
    scores : array-like of shape (K,) or (n, K)
        Scores of the classes, or cosines for losses on cosines; float32 stays float32.
    y : int, int array of shape (n,), or float array of the shape of scores
        Class indices, or rows of class probabilities.

    Returns
    -------
    values : float or float64 ndarray of shape (n,)
        Losses, one per row.
    gradient : ndarray of the shape of scores
        Their derivatives.

    Raises
    ------
    ValueError
        If the shapes do not fit, a score is NaN, a class index is not in 0 ... K - 1, a row of `y`
        is not a probability distribution, or a parameter is out of bounds.
    TypeError
        If `loss` is not a loss, or `y` holds neither integers nor floats.

    Examples
    --------
    >>> from linclf.losses import value_and_gradient
    >>> value, gradient = value_and_gradient("softmax", [2.0, 4.0, 2.0, 1.0], 1)
    >>> round(value, 4), gradient.round(4)
    (0.278, array([ 0.1025, -0.2427,  0.1025,  0.0377]))
    """
    scores = np.asarray(scores)
    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float64)
    if scores.ndim not in (1, 2) or scores.shape[-1] < 2:
        raise ValueError(f"scores have shape {scores.shape}; use (K,) or (n, K) with K >= 2 classes")
    if np.isnan(scores).any():
        raise ValueError(f"scores have NaN in row {np.isnan(np.atleast_2d(scores)).any(axis=1).argmax()}")
    rows, targets = np.atleast_2d(scores), _targets(y, scores)
    values, gradient = evaluate(loss_for(loss, scores.shape[-1]), rows, targets)
    return (float(values[0]), gradient[0]) if scores.ndim == 1 else (values, gradient)


def _targets(y: ArrayLike, scores: FloatArray) -> IntArray | FloatArray:
    """Class indices (n,) or class probabilities (n, K) in the dtype of the scores."""
    y = np.asarray(y)
    n_classes = scores.shape[-1]
    if y.dtype.kind == "f" and y.shape == scores.shape:
        return np.ascontiguousarray(check_probabilities(np.atleast_2d(y)), scores.dtype)
    if y.dtype.kind not in "iu":
        raise TypeError(
            f"y has dtype {y.dtype} and shape {y.shape}; use class indices, or one probability per score"
        )
    if y.shape != scores.shape[:-1]:
        raise ValueError(f"y has shape {y.shape}, and scores have {scores.shape}; give one class index a row")
    if y.size and not (y.min() >= 0 and y.max() < n_classes):
        raise ValueError(
            f"y has class indices {y.min()} to {y.max()}; they must lie in 0 ... {n_classes - 1}"
        )
    return np.ascontiguousarray(np.atleast_1d(y), np.int64)


def random_scores(
    loss: Loss, n_classes: int, rng: np.random.Generator, size: float = 1.0, rows: int = 100
) -> FloatArray:
    """Normal scores of the given size, or cosines if the loss is defined on them."""
    if trait(loss, "head").bounded:
        return rng.uniform(-0.95, 0.95, (rows, n_classes))
    return size * rng.standard_normal((rows, n_classes))


def curvature(loss: Loss, n_classes: int, dtype: DTypeLike = np.float64, soft: bool = False) -> float:
    """The unit of step sizes that the loss declares, or a measured one.

    Custom losses are compiled here for the dtype of the scores, and for soft labels, so that a row
    function that does not compile fails before training. So does one that returns values that are not
    finite, which an epoch would silently add up.
    """
    declared = trait(loss, "curvature")
    if ours(type(loss)):
        return declared(n_classes)
    rng = np.random.default_rng(0)
    targets, measured = rng.integers(0, n_classes, 100), []
    if soft:
        targets = np.eye(n_classes, dtype=dtype)[targets]
    for scores in (np.zeros((100, n_classes)), random_scores(loss, n_classes, rng)):
        values, gradient = evaluate(loss, scores.astype(dtype), targets)
        if not (np.isfinite(values).all() and np.isfinite(gradient).all()):
            row = int(np.argmin(np.isfinite(values) & np.isfinite(gradient).all(axis=1)))
            raise ValueError(
                f"{loss!r} is {values[row]} with gradient {gradient[row]} at scores {scores[row]}; a loss "
                "and its gradient have to be finite; linclf.losses.check_loss finds such faults"
            )
        if values.sum() > 0:
            # |gradient|^2 <= 2 * curvature * value for every smooth loss that is 0 or more
            measured.append(float(np.square(gradient).sum() / values.sum()))
    found = declared(n_classes) if declared else max(measured, default=0.0)
    if not (isinstance(found, Real) and 0 < float(found) < np.inf):
        raise ValueError(
            f"the curvature of {loss!r} is {found!r} (measured unless its class defines it; its losses at "
            f"random scores sum to {values.sum():.3g}); give its class a method curvature(self, n_classes) "
            "that returns a positive number, the size of the second derivatives"
        )
    return float(found)


def _reason(loss: Loss, scores: FloatArray, targets: IntArray | FloatArray) -> str:
    """Numba's message for the row function alone: the one for the whole kernel is pages long."""
    soft = soft_row_loss.find(type(loss)) if targets.ndim == 2 else None
    verb = row_loss if soft in (None, expected_row_loss.py_func) else soft_row_loss
    target = read_only(targets)[0] if verb is soft_row_loss else 0
    plain: Any = verb.find(type(loss))  # a resolved loss has one
    function = compiled(plain)
    name = f"{function.__name__}, its {verb.__name__},"
    try:
        value = function(loss, scores.copy(), target)
    except NumbaError as fault:
        text = str(fault)
        said = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("Failed")]
        places = re.findall(r'File "(.+)", line (\d+)', text)
        where = f" (line {places[-1][1]} of {places[-1][0]})" if places else ""
        return f"{name} fails: {' '.join(said[:2])}{where}"
    sometimes = isinstance(function.nopython_signatures[0].return_type, types.Optional)
    found = "None for some scores" if sometimes else repr(value)
    return f"{name} returns {found}, and must return the loss, a float"
