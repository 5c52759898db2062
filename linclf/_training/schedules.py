"""Step sizes along a run, as a factor of the first one."""

import numpy as np

from linclf._types import FloatArray

SCHEDULES = ("constant", "linear", "cosine", "invscaling", "adaptive")


def factors(schedule: str, done: int, batches: int, total: int | None) -> FloatArray:
    """Factors for ``batches`` steps after ``done`` steps of ``total``; total None is a stream.

    "constant" and "adaptive" (which the solver reduces between epochs) are 1; "invscaling" is
    ``t^-0.25`` at step t. "linear" and "cosine" fall to 0 at the end; as a stream has no end, they
    become "invscaling" there.
    """
    t = done + np.arange(batches, dtype=np.float64)
    if schedule in ("constant", "adaptive"):
        return np.ones(batches)
    if schedule == "invscaling" or total is None:
        return (t + 1) ** -0.25
    if schedule == "linear":
        return 1 - t / total
    return 0.5 + 0.5 * np.cos(np.pi * t / total)
