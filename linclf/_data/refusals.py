"""Refusals that apply to arguments of every kind."""

import numpy as np


def refuse_masked(array: object, name: str) -> None:
    """Refuse masked entries, which would be used as if they were not masked."""
    if np.ma.isMaskedArray(array) and np.ma.is_masked(array):
        raise ValueError(
            f"{name} is a masked array with {np.ma.count_masked(array)} masked entries, which would be used "
            "like others; fill them, or drop these rows"
        )


def divide(row: np.ndarray, name: str) -> str:
    """A remedy for a row that is nearly a distribution, such as one of rounded numbers; else nothing."""
    if (row >= 0).all() and 0.5 < row.sum() < 2:
        return f"; divide each row by its sum, as {name} / {name}.sum(axis=1, keepdims=True)"
    return ""
