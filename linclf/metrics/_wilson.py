"""Wilson's interval of a share."""

import numpy as np
from scipy.special import ndtri

from linclf._types import FloatArray


def wilson_interval(share: FloatArray, n: FloatArray, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Both ends of the interval around shares of n rows; NaN if n is 0.

    They are the p with ``|share - p| = z sqrt(p (1 - p) / n)``, where z is the normal quantile of the level.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.metrics._wilson import wilson_interval
    >>> low, high = wilson_interval(np.array([1.0]), np.array([3.0]))
    >>> low.round(2), high.round(2)
    (array([0.44]), array([1.]))
    """
    square = ndtri((1 + level) / 2) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (share + square / (2 * n)) / (1 + square / n)
        half = np.sqrt(square * (share * (1 - share) / n + square / (4 * n**2))) / (1 + square / n)
    return np.maximum(centre - half, 0), np.minimum(centre + half, 1)
