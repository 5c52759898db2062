"""Checks of the arguments that all functions of the package share."""

import operator
from decimal import Decimal
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from linclf._data.forms import container
from linclf._data.refusals import refuse_masked
from linclf._types import FloatArray


def as_floats(values: ArrayLike, name: str) -> FloatArray:
    """The values as float32 or float64: both are kept, float16 becomes float32, all else float64.

    Raises
    ------
    TypeError
        If they are complex, or not numbers.
    ValueError
        If some of them are masked.
    """
    if np.ma.isMaskedArray(values):
        refuse_masked(values, name)
    array = np.asarray(container(values, name))
    if array.dtype.char in "fd":
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind == "c":
        raise TypeError(f"{name} has dtype {array.dtype}: pass real numbers, such as {name}.real")
    if array.dtype.kind not in "biufO":  # NumPy would parse text, and convert dates to day numbers
        raise TypeError(f"{name} has dtype {array.dtype}: pass real numbers")
    if array.dtype.kind == "O":
        other = next((each for each in array.flat if not isinstance(each, Real | Decimal)), 0.0)
        if not isinstance(other, Real):
            raise TypeError(f"{name} contains {other!r}: pass real numbers")
    return array.astype(np.float32 if array.dtype == np.float16 else np.float64)


def as_axis(array: FloatArray, axis: int, name: str) -> int:
    """The axis counted from the front; it must have at least one entry."""
    try:
        number = operator.index(axis)
    except TypeError:
        raise TypeError(f"axis={axis!r}: pass one integer; flatten {name} to use several axes") from None
    if not -array.ndim <= number < array.ndim:
        raise ValueError(
            f"axis={axis} of {name} with shape {array.shape}: pass one from {-array.ndim} to {array.ndim - 1}"
            if array.ndim
            else f"{name}={array!r} is a single number: pass an array with at least one axis"
        )
    number %= array.ndim
    if not array.shape[number]:
        raise ValueError(f"{name} has shape {array.shape}: axis={axis} needs at least one entry")
    return number


def same_shape(first: FloatArray, second: FloatArray, names: tuple[str, str]) -> None:
    """Raise a ValueError unless two arrays have the same shape."""
    if first.shape != second.shape:
        raise ValueError(
            f"{names[0]} has shape {first.shape} and {names[1]} {second.shape}: pass equal shapes"
        )


def positive(value: float, name: str, dtype: type[np.float32 | np.float64] = np.float64) -> float:
    """The value as a float, which must be finite and above zero, also after rounding to a dtype."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}={value!r}: pass a number above 0") from None
    with np.errstate(over="ignore"):
        rounded = float(dtype(number)) if np.isfinite(number) else number
    if not 0 < rounded < np.inf:
        raise ValueError(f"{name}={value!r}: pass a finite number above 0 in {np.dtype(dtype).name}")
    return number
