"""Class weights for long tails, for the ``class_weight`` of every classifier."""

from collections.abc import Hashable
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import _check_sample_weight

from linclf._data.labels import labels_of
from linclf._types import typed


@typed(
    validate_params(
        {
            "y": ["array-like"],
            "beta": [Interval(Real, 0, 1, closed="left")],
            "sample_weight": ["array-like", None],
        },
        prefer_skip_nested_validation=True,
    )
)
def effective_number_weights(
    y: ArrayLike, *, beta: float = 0.999, sample_weight: ArrayLike | None = None
) -> dict[Hashable, float]:
    """Weights ``(1 - beta) / (1 - beta^n_c)`` of classes with n_c rows, scaled to a mean of 1.

    ``(1 - beta^n) / (1 - beta)`` is the effective number of n rows: the more rows a class has, the more
    likely a new one repeats earlier ones. ``beta=0`` weighs all classes alike; as beta tends to 1 the
    weights become those of ``class_weight="balanced"``. In between, classes with many more than
    ``1 / (1 - beta)`` rows weigh nearly the same, and rare classes do not gain weight without limit.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Class labels.
    beta : float in [0, 1), default=0.999
        How strongly rows overlap: ``1 / (1 - beta)`` is the largest effective number of rows.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; n_c is their sum.

    Returns
    -------
    weights : dict
        Class label to weight, for ``class_weight``.

    Raises
    ------
    ValueError
        If y is empty, labels are missing or of mixed types, beta is outside [0, 1), a weight is negative,
        or all rows of a class have weight 0.

    References
    ----------
    Cui et al., "Class-balanced loss based on effective number of samples", 2019.

    Examples
    --------
    >>> from linclf import effective_number_weights
    >>> weights = effective_number_weights(["rare"] * 10 + ["often"] * 10_000, beta=0.99)
    >>> {label: round(weight, 3) for label, weight in weights.items()}
    {'often': 0.175, 'rare': 1.825}
    """
    labels = labels_of(y)
    if not labels.size:
        raise ValueError("y is empty; pass the class labels of the training rows")
    classes, codes = np.unique(labels, return_inverse=True)
    mass = _check_sample_weight(sample_weight, labels[:, None], dtype=np.float64, ensure_non_negative=True)
    counts = np.bincount(codes, weights=mass, minlength=len(classes))
    if not counts.all():
        empty = classes.tolist()[counts.argmin()]
        raise ValueError(
            f"sample_weight is 0 for every row of class {empty!r}, which has no effective number of rows; "
            "leave the class out of y, or give it a weight"
        )
    with np.errstate(divide="ignore"):
        weights = -1 / np.expm1(counts * np.log(beta))  # beta = 0 gives 1
    weights *= len(classes) / weights.sum()
    return dict(zip(classes.tolist(), weights.tolist(), strict=True))
