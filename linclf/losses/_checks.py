"""Checks that every loss has to pass, built-in or custom.

Each takes a resolved loss, a number of classes and a random generator, and raises AssertionError.
"""

from collections.abc import Callable
from numbers import Integral
from typing import NoReturn

import numpy as np

from linclf._types import BoolArray, FloatArray, IntArray, Loss
from linclf.losses._evaluation import curvature, evaluate, random_scores
from linclf.losses._names import loss_for
from linclf.losses._registry import soft_row_loss, trait

ROWS = 60
MOST_KINKS = 0.1  # share of the rows that may have a kink within the reach of the differences
STEP = 1e-4  # of the differences for a curvature of about 1; their error is of order STEP^4


def check_loss(loss: str | Loss, n_classes: int = 6, random_state: int = 0) -> None:
    """Check a custom loss in the same way as the built-in ones.

    The checks compare the gradient with differences of the value, for scores of size 1 to 1e4, and
    float32 with float64. They also cover values (0 or more), scores of +-1e4 in float32 and +-1e30 in
    float64, soft labels, and the attributes ``convex``, ``shift_invariant``, ``symmetric``, ``curvature``
    and ``probabilities`` of the class. ``smooth`` is not checked, as random scores hardly ever hit a kink.

    Parameters
    ----------
    loss : str or loss
        A NamedTuple with a registered row function.
    n_classes : int >= 2, default=6
        Number of classes; two classes are checked as well.
    random_state : int, default=0
        Seed of the scores.

    Raises
    ------
    AssertionError
        If a check fails; the message says which and by how much.
    TypeError, ValueError
        If `loss` is not a loss, its row function does not compile, or `n_classes` is not 2 or more.

    Examples
    --------
    >>> from linclf.losses import Focal, check_loss
    >>> check_loss(Focal(gamma=1.0))
    """
    if not (isinstance(n_classes, Integral) and n_classes >= 2):
        raise ValueError(f"n_classes={n_classes!r}: use an integer of 2 or more, as a loss compares classes")
    for number in sorted({2, n_classes}):
        resolved = loss_for(loss, number)
        for check in CHECKS:
            check(resolved, number, np.random.default_rng(random_state))


def _fail(loss: Loss, what: str) -> NoReturn:
    raise AssertionError(f"{loss!r}: {what}")


def differences(
    function: Callable[[FloatArray], FloatArray], scores: FloatArray, step: float = STEP
) -> FloatArray:
    """Gradient of ``function(scores) -> values`` by central differences, all rows at once."""
    gradient = np.empty_like(scores)
    for k in range(scores.shape[1]):
        e = np.zeros(scores.shape[1])
        e[k] = step
        near = function(scores + e) - function(scores - e)
        gradient[:, k] = (8 * near - (function(scores + 2 * e) - function(scores - 2 * e))) / (12 * step)
    return gradient


def _near_kink(
    loss: Loss, scores: FloatArray, targets: IntArray | FloatArray, gradient: FloatArray, step: float
) -> BoolArray:
    """Rows whose gradient jumps within the reach of the differences: only a few if the loss has no kinks."""
    jumps, size = np.zeros(len(scores), bool), np.abs(gradient).max()
    for k in range(scores.shape[1]):
        for reach in (-2.5 * step, 2.5 * step):
            moved = scores.copy()
            moved[:, k] += reach
            jumps |= (np.abs(evaluate(loss, moved, targets)[1] - gradient) > 1e-2 * size).any(axis=1)
    return jumps


def check_gradient(
    loss: Loss, n_classes: int, rng: np.random.Generator, sizes: tuple[float, ...] = (1.0, 30.0)
) -> None:
    for size in sizes:
        scores, y = random_scores(loss, n_classes, rng, size, ROWS), rng.integers(0, n_classes, ROWS)
        _compare_gradient(loss, scores, y, f"class index, scores of size {size:g}")


def check_soft_labels(loss: Loss, n_classes: int, rng: np.random.Generator) -> None:
    """Probabilities as targets give the expected value and gradient."""
    if soft_row_loss.find(type(loss)) is None:
        return  # the expectation by construction
    scores, q = random_scores(loss, n_classes, rng, rows=ROWS), rng.dirichlet(np.ones(n_classes), ROWS)
    q[0] = np.eye(n_classes)[-1]
    q[1::3, 0] = 0
    q /= q.sum(axis=1, keepdims=True)
    parts = [evaluate(loss, scores, np.full(ROWS, k)) for k in range(n_classes)]
    values, gradient = evaluate(loss, scores, q)
    expected = sum(q[:, k] * part[0] for k, part in enumerate(parts))
    mean = sum(q[:, [k]] * part[1] for k, part in enumerate(parts))
    if not np.allclose(values, expected, rtol=1e-10, atol=1e-12):
        _fail(loss, "soft_row_loss does not return the expectation of row_loss under q")
    if not np.allclose(gradient, mean, rtol=1e-10, atol=1e-12 * np.abs(mean).max()):
        _fail(loss, "the gradient of soft_row_loss is not the expectation of that of row_loss under q")
    _compare_gradient(loss, scores, q, "class probabilities")


def _compare_gradient(loss: Loss, scores: FloatArray, targets: IntArray | FloatArray, where: str) -> None:
    values, gradient = evaluate(loss, scores, targets)
    if not (np.isfinite(values).all() and np.isfinite(gradient).all()):
        _fail(loss, f"the loss or its gradient is not finite ({where})")
    if (values < 0).any():
        _fail(loss, f"a loss is {values.min():.3g} ({where}); losses must be 0 or more")
    bend = curvature(loss, scores.shape[1])
    step = STEP / max(1.0, bend**0.5)
    expected = differences(lambda moved: evaluate(loss, moved, targets)[0], scores, step)
    error = np.abs(gradient - expected).max(axis=1)
    # 1e-6 of the gradient, plus the rounding error of the differences
    allowed = 1e-6 * np.abs(gradient).max(axis=1) + 1e-14 / step * np.maximum(np.abs(values), 1)
    wrong = error > allowed
    if wrong.mean() < MOST_KINKS:
        # a kink, or a jump of the second derivative, which shifts the differences by at most bend * step
        wrong &= (error > bend * step) & ~_near_kink(loss, scores, targets, gradient, step)
    if wrong.any():
        row = int(np.argmax(np.where(wrong, error / allowed, 0)))
        hint = "" if not trait(loss, "smooth") else "; if its gradient jumps, set smooth = False in the class"
        _fail(
            loss,
            f"the gradient left in scores is {gradient[row]}, and differences of the loss give "
            f"{expected[row]} at scores {scores[row]} ({where}; {wrong.sum()} of {len(scores)} rows){hint}",
        )


def check_dtypes(loss: Loss, n_classes: int, rng: np.random.Generator) -> None:
    scores = random_scores(loss, n_classes, rng, rows=ROWS).astype(np.float32)
    y = rng.integers(0, n_classes, ROWS)
    values, gradient = evaluate(loss, scores, y)
    precise, precise_gradient = evaluate(loss, scores.astype(np.float64), y)
    slope = np.abs(precise_gradient).max(axis=1)
    if not trait(loss, "smooth"):  # rounding may move a score across a kink
        same = ~(np.abs(gradient - precise_gradient) > 1e-2).any(axis=1)
        if same.mean() < 0.9:
            _fail(loss, "in float32 the gradient differs from that in float64")
        values, gradient, precise, precise_gradient, slope = (
            part[same] for part in (values, gradient, precise, precise_gradient, slope)
        )
    off = np.abs(values - precise) / (1 + np.abs(precise) + slope)
    if off.max() > 2e-6:
        _fail(loss, f"in float32 the loss differs from that in float64 by {off.max():.1e} of its size")
    scale = np.abs(precise_gradient).max()
    if not np.allclose(gradient, precise_gradient, rtol=1e-4, atol=1e-5 * scale):
        off = np.abs(gradient - precise_gradient).max()
        _fail(loss, f"in float32 the gradient differs from that in float64 by {off:.1e}")


def check_extreme_scores(loss: Loss, n_classes: int, rng: np.random.Generator) -> None:
    for dtype, size in ((np.float32, 1e4), (np.float64, 1e30)):
        size = 1.0 if trait(loss, "head").bounded else size
        scores = (size * rng.integers(-1, 2, (ROWS, n_classes))).astype(dtype)
        for y in range(n_classes):
            values, gradient = evaluate(loss, scores, np.full(ROWS, y))
            if not (np.isfinite(values).all() and np.isfinite(gradient).all()):
                _fail(
                    loss, f"the loss or its gradient is not finite at {dtype.__name__} scores of +-{size:g}"
                )
            if (values < 0).any():
                _fail(loss, f"a loss is {values.min():.3g} at {dtype.__name__} scores of +-{size:g}")


def check_gradient_far_away(loss: Loss, n_classes: int, rng: np.random.Generator) -> None:
    """Some losses clip the gradient, or take another branch, only if scores are far apart."""
    check_gradient(loss, n_classes, rng, sizes=(1e3, 1e4))


def check_symmetry(loss: Loss, n_classes: int, rng: np.random.Generator) -> None:
    """Reordering the classes keeps the loss and reorders the gradient."""
    if not trait(loss, "symmetric"):
        return
    for size in (1.0, 30.0):
        scores, y = random_scores(loss, n_classes, rng, size, ROWS), rng.integers(0, n_classes, ROWS)
        values, gradient = evaluate(loss, scores, y)
        # reversed, and rolled by one: a class with special treatment moves in at least one of them
        for order in (np.arange(n_classes)[::-1], np.roll(np.arange(n_classes), 1)):
            moved, moved_gradient = evaluate(loss, scores[:, order], np.argsort(order)[y])
            same = np.allclose(moved, values, rtol=1e-9, atol=1e-12)
            if not (same and np.allclose(moved_gradient, gradient[:, order], rtol=1e-9, atol=1e-9)):
                _fail(
                    loss,
                    "the order of the classes changes the loss or its gradient; if their order or names mean "
                    "something, set symmetric = False in the class",
                )


def check_shift(loss: Loss, n_classes: int, rng: np.random.Generator) -> None:
    if not trait(loss, "shift_invariant"):
        return
    # numbers with few digits, so that adding the shifts does not round
    high = 60 if trait(loss, "head").bounded else 200
    scores, y = rng.integers(-high, high, (ROWS, n_classes)) / 64, rng.integers(0, n_classes, ROWS)
    sums = np.abs(evaluate(loss, scores, y)[1].sum(axis=1))
    if sums.max() > 1e-9:
        _fail(loss, f"its gradient sums to {sums.max():.3g} instead of 0: {_SHIFT}")
    if trait(loss, "head").bounded:
        return
    for dtype in (np.float32, np.float64):
        values, gradient = evaluate(loss, scores.astype(dtype), y)
        for shift in (1.0, -1024.5, 2.0**14):
            moved, moved_gradient = evaluate(loss, (scores + shift).astype(dtype), y)
            rtol = 1e4 * np.finfo(dtype).eps if dtype is np.float64 else 4 * np.finfo(dtype).eps
            size = rtol * (1 + np.abs(values).max()), rtol * (1 + np.abs(gradient).max())
            off = np.abs(moved - values).max() / size[0], np.abs(moved_gradient - gradient).max() / size[1]
            if max(off) > 1:
                _fail(loss, f"adding {shift} to all scores ({dtype.__name__}) changes it: {_SHIFT}")


_SHIFT = "subtract the largest score first, or set shift_invariant = False in the class"


def check_convexity(loss: Loss, n_classes: int, rng: np.random.Generator) -> None:
    """Between two points the loss is never above the chord."""
    if not trait(loss, "convex"):
        return
    y = rng.integers(0, n_classes, 10 * ROWS)
    for size in (0.3, 3.0):
        a, b = (random_scores(loss, n_classes, rng, size, 10 * ROWS) for _ in range(2))
        at = rng.uniform(size=(10 * ROWS, 1))
        here = evaluate(loss, at * a + (1 - at) * b, y)[0]
        chord = at[:, 0] * evaluate(loss, a, y)[0] + (1 - at[:, 0]) * evaluate(loss, b, y)[0]
        over = (here - chord) / np.maximum(np.abs(chord), 1)
        if over.max() > 1e-10:
            _fail(loss, f"it is not convex, {over.max():.1e} above a chord; set convex = False in the class")


def check_curvature(loss: Loss, n_classes: int, rng: np.random.Generator) -> None:
    """The curvature is positive and finite."""
    try:
        found = curvature(loss, n_classes)
    except ValueError as fault:
        _fail(loss, str(fault))
    if not 0 < found < np.inf:
        _fail(loss, f"curvature({n_classes}) is {found!r}; it must be a positive number")


def check_probabilities(loss: Loss, n_classes: int, rng: np.random.Generator) -> None:
    probabilities, log_probabilities = trait(loss, "probabilities"), trait(loss, "log_probabilities")
    if not probabilities:
        return
    for dtype, size in ((np.float32, 1e4), (np.float64, 1.0), (np.float64, 1e4)):
        scores = random_scores(loss, n_classes, rng, size, ROWS).astype(dtype)
        p = probabilities(scores.copy())
        if p.shape != scores.shape or p.dtype != dtype:
            _fail(loss, f"probabilities of {dtype.__name__} {scores.shape} are {p.dtype} {p.shape}")
        if not (p >= 0).all() or np.abs(p.sum(axis=1) - 1).max() > 100 * np.finfo(dtype).eps:
            _fail(loss, "probabilities are negative or do not sum to 1")
        if (np.take_along_axis(p, scores.argmax(axis=1)[:, None], 1)[:, 0] < p.max(axis=1)).any():
            _fail(loss, "the class of the highest score does not have the highest probability")
        if log_probabilities:
            with np.errstate(divide="ignore"):
                logarithms = np.log(p.astype(np.float64))
            found = log_probabilities(scores.copy())
            normal = p > 1e3 * np.finfo(dtype).tiny  # denormal numbers have few digits
            if not np.allclose(found[normal], logarithms[normal], rtol=1e-4, atol=1e3 * np.finfo(dtype).eps):
                _fail(loss, "log_probabilities are not the logarithms of probabilities")


CHECKS = (
    check_curvature,
    check_gradient,
    check_soft_labels,
    check_dtypes,
    check_extreme_scores,
    check_gradient_far_away,
    check_symmetry,
    check_shift,
    check_convexity,
    check_probabilities,
)
