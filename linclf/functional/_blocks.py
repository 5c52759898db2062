"""Row maps block by block, in the memory layout in which NumPy reduces fastest.

A *kernel* is ``kernel(source, work, out, axis)``: it reads source, may overwrite work, and fills
out. Work is source itself, where that is a copy of our own, or out, or None where out is shorter
than source. All loops over elements are NumPy's; a loop here is over blocks that stay in the cache.
"""

from math import isqrt, prod

import numpy as np

# NumPy takes 5 ns an entry for the maximum of a row of 10, and 0.4 for that of a column beside others;
# from rows of this length on, a copy into columns costs more than it saves
SHORT = 32
COPIED_BYTES = 1 << 18
# each of five calls a block takes 2 microseconds, so blocks that are not copied can be larger
BLOCK_BYTES = 1 << 22
# below it, arranging blocks costs more than it saves
FEW = 256


def blockwise(kernel, scores, out, axis, block=BLOCK_BYTES):
    """Run the kernel over all rows along an axis (from 0); out is as scores, or has length 1 there."""
    with np.errstate(all="ignore"):  # limits at infinity are right, and NaN is the answer to no answer
        if scores.size <= FEW:
            kernel(scores, out if out.shape == scores.shape else None, out, axis)
        elif scores.flags.c_contiguous:
            _canonical(kernel, scores, out, axis, block)
        else:
            order = np.argsort([-abs(stride) for stride in scores.strides], kind="stable")
            axis = int(np.flatnonzero(order == axis)[0])
            _canonical(kernel, scores.transpose(order), out.transpose(order), axis, block)
    return out


def _canonical(kernel, scores, out, axis, block):
    outer, inner = prod(scores.shape[:axis]), prod(scores.shape[axis + 1 :])
    # reshape copies what is not contiguous, once
    source = scores.reshape(outer, scores.shape[axis], inner)
    if out.flags.c_contiguous:
        _run(kernel, source, out.reshape(outer, out.shape[axis], inner), block)
    else:
        target = np.empty((outer, out.shape[axis], inner), out.dtype)
        _run(kernel, source, target, block)
        np.copyto(out, target.reshape(out.shape))


def _run(kernel, source, target, block):
    outer, length, inner = source.shape
    if inner < SHORT and (inner > 1 or length < SHORT):
        _rearranged(kernel, source, target)
        return
    entries = block // source.itemsize
    step = max(1, entries // (length * inner))
    # parts of lines that are apart in memory are fetched slowly, unless they are long
    width = entries // length if entries // length >= 4096 else inner
    same = source.shape == target.shape
    if inner == 1:  # NumPy sums pairwise along the last axis only
        source, target = source[:, :, 0], target[:, :, 0]
    for i in range(0, outer, step):
        for j in range(0, inner, width):
            part = (slice(i, i + step), slice(None), slice(j, j + width))[: source.ndim]
            kernel(source[part], target[part] if same else None, target[part], 1)


def _rearranged(kernel, source, target):
    """Blocks in a copy: short rows side by side as columns, long ones that are apart as rows."""
    step = max(1, COPIED_BYTES // source[:1].nbytes)
    order, axis = ((1, 0, 2), 0) if source.shape[1] < SHORT else ((0, 2, 1), 2)
    for i in range(0, len(source), step):
        block = source[i : i + step].transpose(order).copy()
        kernel(block, block, target[i : i + step].transpose(order), axis)


def total(terms, axis):
    """Sum along an axis, which stays with length 1; its rounding does not grow with the length.

    NumPy sums pairwise along the last axis only, and one after the other along all others.
    """
    length = terms.shape[axis]
    if length <= 128 or axis == terms.ndim - 1:
        return np.add.reduce(terms, axis=axis, keepdims=True)
    chunk, before = max(128, isqrt(length)), (slice(None),) * axis
    parts = (terms[(*before, slice(k, k + chunk))] for k in range(0, length, chunk))
    found = np.add.reduce(next(parts), axis=axis, keepdims=True)
    for part in parts:
        found += np.add.reduce(part, axis=axis, keepdims=True)
    return found


def top(scores, axis):
    """Largest entry along an axis, which stays with length 1."""
    return np.maximum.reduce(scores, axis=axis, keepdims=True)
