"""Vector instructions for kernels, written as LLVM code.

These are loads, sums and loops that the vectoriser of LLVM would not derive from a loop in Python. A vector
fills a register of the processor for which Numba compiles.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target

Value: TypeAlias = Any  # an LLVM value; llvmlite has no type for it
INT, SHORT, BYTE = ir.IntType(64), ir.IntType(32), ir.IntType(8)
CONTRACT = ("contract",)  # a product and a sum may become one instruction


def register_bytes(features: str) -> int:
    """Bytes of a vector register, from LLVM's list of processor features.

    Without AVX, LLVM splits a vector of 32 bytes into two.
    """
    return 64 if "+avx512f" in features.split(",") else 32


def _features(context: Any) -> str:
    """Features of the processor for which Numba compiles, as LLVM names them."""
    try:
        _, _, features = context.codegen().magic_tuple()
    except (
        AttributeError,
        TypeError,
        ValueError,
    ):  # a private interface may change: use vectors of AVX2
        return ""
    return features


@lru_cache(maxsize=1)
def vector_bytes() -> int:
    """The width of a vector register in code for this processor."""
    return register_bytes(_features(cpu_target.target_context))


class Pointer:
    """The memory layout of an array: its first byte, strides in bytes, and shape."""

    def __init__(self, context: Any, builder: Any, kind: types.Array, value: Value) -> None:
        array = context.make_array(kind)(context, builder, value)
        self.builder = builder
        self.base = builder.bitcast(array.data, BYTE.as_pointer())
        self.strides = cgutils.unpack_tuple(builder, array.strides, kind.ndim)
        self.shape = cgutils.unpack_tuple(builder, array.shape, kind.ndim)

    def at(self, *index: Value) -> Value:
        """The address of an element, or of the first one of a row."""
        address = self.base
        for number, stride in zip(index, self.strides, strict=False):
            address = self.builder.gep(address, [self.builder.mul(number, stride)])
        return address


class Vectors:
    """Writes code on vectors of the elements of an array of floats."""

    def __init__(self, context: Any, builder: Any, dtype: types.Type) -> None:
        self.builder = builder
        self.itemsize = 4 if dtype == types.float32 else 8
        self.element = ir.FloatType() if self.itemsize == 4 else ir.DoubleType()
        self.n_lanes = register_bytes(_features(context)) // self.itemsize
        self.type = ir.VectorType(self.element, self.n_lanes)
        self.zero = ir.Constant(self.type, [0.0] * self.n_lanes)
        self.all_lanes: Value = None  # the mask that loads everything

    # ------------------------------------------------------------ memory

    def load(self, address: Value, mask: Value) -> Value:
        """A vector; lanes outside of the mask are 0, and their memory is not touched."""
        address = self.builder.bitcast(address, self.type.as_pointer())
        if mask is self.all_lanes:
            return self.builder.load(address, align=self.itemsize)
        load = self._memory_function("load", self.type, [address.type, SHORT, mask.type, self.type])
        return self.builder.call(load, [address, SHORT(self.itemsize), mask, self.zero])

    def store(self, vector: Value, address: Value, mask: Value) -> None:
        address = self.builder.bitcast(address, vector.type.as_pointer())
        if mask is self.all_lanes:
            self.builder.store(vector, address, align=self.itemsize)
            return
        store = self._memory_function("store", ir.VoidType(), [self.type, address.type, SHORT, mask.type])
        self.builder.call(store, [vector, address, SHORT(self.itemsize), mask])

    def scatter(self, vector: Value, addresses: Sequence[Value]) -> None:
        """Store each lane at its own address."""
        for lane, address in enumerate(addresses):
            number = self.builder.extract_element(vector, SHORT(lane))
            self.builder.store(number, self.builder.bitcast(address, self.element.as_pointer()))

    def _memory_function(self, verb: str, returns: Any, arguments: list) -> Value:
        name = f"llvm.masked.{verb}.v{self.n_lanes}f{8 * self.itemsize}.p0"
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(returns, arguments), name)

    def load_one(self, address: Value) -> Value:
        """One number, in all lanes."""
        return self.spread(self.builder.load(self.builder.bitcast(address, self.element.as_pointer())))

    def first(self, n: Value) -> Value:
        """The mask of the first n lanes."""
        numbers = ir.VectorType(SHORT, self.n_lanes)
        limit = self._spread(self.builder.trunc(n, SHORT), numbers)
        return self.builder.icmp_signed("<", ir.Constant(numbers, list(range(self.n_lanes))), limit)

    # ------------------------------------------------------------ arithmetic

    def spread(self, number: Value) -> Value:
        """A number in all lanes."""
        return self._spread(number, self.type)

    def _spread(self, number: Value, kind: ir.VectorType) -> Value:
        nothing = ir.Constant(kind, ir.Undefined)
        one = self.builder.insert_element(nothing, number, SHORT(0))
        return self._pick(one, nothing, [0] * kind.count)

    def multiply_add(self, a: Value, b: Value, c: Value) -> Value:
        """``a * b + c``."""
        return self.builder.fadd(self.builder.fmul(a, b, flags=CONTRACT), c, flags=CONTRACT)

    def four_sums(self, vectors: Sequence[Value]) -> Value:
        """The sums over the lanes of four vectors, as a vector of four."""
        pairs = self._halved(vectors[0], vectors[1]), self._halved(vectors[2], vectors[3])
        if self.n_lanes == 2:
            return self._pick(*pairs, [0, 1, 2, 3])
        sums = self._halved(*pairs)
        while sums.type.count > 4:
            sums = self._halved(sums)
        return sums

    def _halved(self, a: Value, b: Value | None = None) -> Value:
        """Sums of neighbours in a, then those in b."""
        n = a.type.count * (1 if b is None else 2)
        b = a if b is None else b
        return self.builder.fadd(
            self._pick(a, b, list(range(0, n, 2))), self._pick(a, b, list(range(1, n, 2)))
        )

    def _pick(self, a: Value, b: Value, lanes: list[int]) -> Value:
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(SHORT, len(lanes)), lanes))


def prefetch(builder: Any, address: Value) -> None:
    """Tell the processor that a line of memory will be read soon."""
    byte, number = BYTE.as_pointer(), SHORT
    kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    to_read, keep_in_second_level, data = number(0), number(2), number(1)
    builder.call(function, [builder.bitcast(address, byte), to_read, keep_in_second_level, data])


def for_range(
    builder: Any,
    start: Value,
    stop: Value,
    step: int,
    body: Callable[..., Any],
    carried: Sequence[Value] = (),
) -> list[Value]:
    """``for i in range(start, stop, step): carried = body(i, *carried)``; returns the last ``carried``."""
    before = builder.block
    head, inside, end = (builder.append_basic_block(name) for name in ("head", "inside", "end"))
    builder.branch(head)
    builder.position_at_end(head)
    i = builder.phi(INT)
    i.add_incoming(start, before)
    values = []
    for value in carried:
        phi = builder.phi(value.type)
        phi.add_incoming(value, before)
        values.append(phi)
    builder.cbranch(builder.icmp_signed("<", i, stop), inside, end)
    builder.position_at_end(inside)
    after = body(i, *values) or []
    i.add_incoming(builder.add(i, INT(step)), builder.block)
    for phi, value in zip(values, after, strict=True):
        phi.add_incoming(value, builder.block)
    builder.branch(head)
    builder.position_at_end(end)
    return values
