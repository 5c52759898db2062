"""Row maps block by block, in the memory layout in which NumPy reduces fastest.

A *kernel* is ``kernel(source, work, out, axis)``: it reads source, may overwrite work, and fills
out. Work is source itself if that is a private copy, or out, or None if out is shorter than source.
All loops over elements are NumPy's; loops in this file are over blocks that stay in the cache.
"""

from collections.abc import Callable
from math import prod
from typing import TypeAlias

import numpy as np

from linclf._types import FloatArray

Kernel: TypeAlias = Callable[[FloatArray, FloatArray | None, FloatArray, int], None]

# NumPy takes 5 ns per entry for the maximum of a row of 10, and 0.4 ns if the rows are stored as columns;
# from rows of this length on, a copy into columns costs more than it saves
SHORT = 32
COPIED_BYTES = 1 << 18
# five calls per block take 2 microseconds each, so blocks that are not copied can be larger
BLOCK_BYTES = 1 << 22
# up to this many inner loops of NumPy cost less than a copy that avoids them
FEW = 256


def blockwise(
    kernel: Kernel, scores: FloatArray, out: FloatArray, axis: int, block: int = BLOCK_BYTES
) -> FloatArray:
    """Run the kernel over all rows along an axis >= 0; out has the shape of scores, or length 1 there."""
    with np.errstate(all="ignore"):  # limits at infinity are right, and undefined results are NaN
        if _lies_well(scores, axis, block):
            kernel(scores, out if out.shape == scores.shape else None, out, axis)
        elif scores.flags.c_contiguous:
            _canonical(kernel, scores, out, axis, block)
        else:
            order = sorted(range(scores.ndim), key=lambda k: -abs(scores.strides[k]))
            _canonical(kernel, scores.transpose(order), out.transpose(order), order.index(axis), block)
    return out


def _lies_well(scores: FloatArray, axis: int, block: int) -> bool:
    """Whether the scores are one block in which NumPy's inner loops are long or few."""
    size, length = scores.size, scores.shape[axis]
    if size <= FEW or length == 1:
        return scores.nbytes <= block
    own, inner = abs(scores.strides[axis]), 1
    for n, stride in zip(scores.shape, scores.strides, strict=True):
        if abs(stride) < own:
            inner *= n
    loop = inner if inner > 1 else length
    return scores.nbytes <= block if loop >= SHORT else size <= FEW * loop


def _canonical(kernel: Kernel, scores: FloatArray, out: FloatArray, axis: int, block: int) -> None:
    outer, inner = prod(scores.shape[:axis]), prod(scores.shape[axis + 1 :])
    # reshape copies non-contiguous scores, once
    source = scores.reshape(outer, scores.shape[axis], inner)
    if out.flags.c_contiguous:
        _run(kernel, source, out.reshape(outer, out.shape[axis], inner), block)
    else:
        target = np.empty((outer, out.shape[axis], inner), out.dtype)
        _run(kernel, source, target, block)
        np.copyto(out, target.reshape(out.shape))


def _run(kernel: Kernel, source: FloatArray, target: FloatArray, block: int) -> None:
    outer, length, inner = source.shape
    # a copy larger than the cache costs more than it saves, unless contiguous stretches are short
    costly = source[:1].nbytes > BLOCK_BYTES and inner * source.itemsize > 96
    if inner < SHORT and (inner > 1 or length < SHORT) and not costly:
        _rearranged(kernel, source, target)
        return
    entries = block // source.itemsize
    step = max(1, entries // (length * inner))
    # separate stretches of memory are slow to fetch, unless they are long
    width = entries // length if entries // length >= 4096 else inner
    same = source.shape == target.shape
    if inner == 1:  # NumPy sums pairwise only along the last axis
        source, target = source[:, :, 0], target[:, :, 0]
    for i in range(0, outer, step):
        for j in range(0, inner, width):
            part = (slice(i, i + step), slice(None), slice(j, j + width))[: source.ndim]
            kernel(source[part], target[part] if same else None, target[part], 1)


def _rearranged(kernel: Kernel, source: FloatArray, target: FloatArray) -> None:
    """Run on copies of blocks: short rows become columns, long strided rows become contiguous."""
    step = max(1, COPIED_BYTES // source[:1].nbytes)
    order, axis = ((1, 0, 2), 0) if source.shape[1] < SHORT else ((0, 2, 1), 2)
    for i in range(0, len(source), step):
        block = source[i : i + step].transpose(order).copy()
        kernel(block, block, target[i : i + step].transpose(order), axis)


def total(terms: FloatArray, axis: int) -> FloatArray:
    """Sum along an axis, kept with length 1; the rounding error does not grow with the length.

    NumPy sums pairwise only along a contiguous axis.
    """
    length = terms.shape[axis]
    # one pass is faster, and can be twice as long in float64
    if length <= 128 * terms.itemsize or terms.strides[axis] == terms.itemsize:
        return np.add.reduce(terms, axis=axis, keepdims=True)
    parts = 1 << (length.bit_length() - 8)  # of 128 to 255 entries
    rest, before = length % parts, (slice(None),) * axis
    shape = (*terms.shape[:axis], parts, length // parts, *terms.shape[axis + 1 :])
    sums = np.add.reduce(terms[(*before, slice(rest, None))].reshape(shape), axis=axis + 1)
    found = total(sums, axis)
    if rest:
        found += total(terms[(*before, slice(rest))], axis)
    return found


def top(scores: FloatArray, axis: int) -> FloatArray:
    """Largest entry along an axis, kept with length 1."""
    return np.maximum.reduce(scores, axis=axis, keepdims=True)
