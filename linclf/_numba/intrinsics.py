"""Single instructions of the processor that neither Python nor NumPy has a name for."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from linclf._numba.compile import JIT_DISABLED
from linclf._types import FloatArray


@intrinsic
def _prefetch(typing_context, X, i, j):
    """Tell the processor that X[i, j] will be read soon."""

    def generate(context, builder, signature, arguments):
        X = context.make_array(signature.args[0])(context, builder, arguments[0])
        shape, strides = (cgutils.unpack_tuple(builder, each, 2) for each in (X.shape, X.strides))
        at = [context.cast(builder, arguments[k], signature.args[k], types.intp) for k in (1, 2)]
        address = cgutils.get_item_pointer2(context, builder, X.data, shape, strides, "C", at)
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        to_read, keep_in_second_level, data = number(0), number(2), number(1)
        builder.call(function, [builder.bitcast(address, byte), to_read, keep_in_second_level, data])

    return types.void(X, i, j), generate


def _no_prefetch(X: FloatArray, i: int, j: int) -> None:
    """In Python, where nothing is to be hurried."""


@intrinsic
def _as_float(typing_context, bits):
    """The float64 with the bits of an int64."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


def _as_float_in_python(bits: int) -> np.float64:
    return np.int64(bits).view(np.float64)


prefetch: Any = _no_prefetch if JIT_DISABLED else _prefetch
as_float: Any = _as_float_in_python if JIT_DISABLED else _as_float
