"""Single instructions of the processor that neither Python nor NumPy offers."""

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from linclf._numba import vectors
from linclf._numba.compile import JIT_DISABLED
from linclf._types import FloatArray


@intrinsic
def _prefetch(typing_context, X, i, j):
    """Tell the processor that X[i, j] will be read soon, or X[i] of an array of one dimension."""

    def generate(context, builder, signature, arguments):
        at = [context.cast(builder, arguments[k], signature.args[k], types.intp) for k in (1, 2)]
        array = vectors.Pointer(context, builder, signature.args[0], arguments[0])
        vectors.prefetch(builder, array.at(*at))

    return types.void(X, i, j), generate


def _no_prefetch(X: FloatArray, i: int, j: int) -> None:
    """Nothing to do in plain Python."""


@intrinsic
def _power_of_two(typing_context, rounded):
    """2^n, with n in the last bits of a float made by adding n to 1.5 * 2^52 (2^23 for float32)."""
    width, bias, digits = (32, 127, 23) if rounded == types.float32 else (64, 1023, 52)

    def generate(context, builder, signature, arguments):
        number = ir.IntType(width)
        bits = builder.add(builder.bitcast(arguments[0], number), number(bias))
        return builder.bitcast(builder.shl(bits, number(digits)), context.get_value_type(rounded))

    return rounded(rounded), generate


def _power_of_two_in_python(rounded: np.floating) -> np.floating:
    kind = type(rounded)
    return kind(2.0) ** (rounded - kind(1.5 * 2.0 ** (23 if kind is np.float32 else 52)))


@intrinsic
def _fraction(typing_context, x):
    """f in [1, 2) of the positive ``x = f * 2^n``."""

    def generate(context, builder, signature, arguments):
        number = ir.IntType(64)
        bits = builder.and_(builder.bitcast(arguments[0], number), number(2**52 - 1))
        return builder.bitcast(builder.or_(bits, number(1023 << 52)), ir.DoubleType())

    return types.float64(types.float64), generate


@intrinsic
def _exponent(typing_context, x):
    """n of the positive ``x = f * 2^n`` with f in [1, 2), as a float."""

    def generate(context, builder, signature, arguments):
        number, double = ir.IntType(64), ir.DoubleType()
        bits = builder.lshr(builder.bitcast(arguments[0], number), number(52))
        # read the integer off the last bits of 2^52 + n, as AVX2 has no instruction to convert it
        large = builder.bitcast(builder.or_(bits, number(1075 << 52)), double)
        return builder.fsub(large, double(2.0**52 + 1023))

    return types.float64(types.float64), generate


def _fraction_in_python(x: float) -> float:
    return 2 * math.frexp(x)[0]


def _exponent_in_python(x: float) -> float:
    return float(math.frexp(x)[1] - 1)


fraction: Any = _fraction_in_python if JIT_DISABLED else _fraction
exponent: Any = _exponent_in_python if JIT_DISABLED else _exponent
prefetch: Any = _no_prefetch if JIT_DISABLED else _prefetch
power_of_two: Any = _power_of_two_in_python if JIT_DISABLED else _power_of_two
