r"""Products of a few rows of X, read in place, with the weights of a few classes.

With so few classes, BLAS packs as much as it multiplies. Here the sums of a tile of 4 rows x 2 classes stay
in registers in the loop over features; for the gradient, those of some classes x some vectors of features
stay there in the loop over rows. Rows are centred on the fly: ``x - centre`` loses no digits, and costs
little compared with the products. Each function is vector code for the compiler, or NumPy without one.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from linclf._numba.compile import JIT_DISABLED
from linclf._numba.vectors import CONTRACT, INT, Pointer, Value, Vectors, for_range, prefetch
from linclf._types import FloatArray, IntArray

ROWS, CLASSES = 4, 2  # of a tile of products
# classes x vectors of features in a tile of the gradient; with the vectors of a row they fill 16 registers
GRADIENT_TILES = ((4, 3), (1, 4))

# a loop over features: its start, stop, step size, and the lanes that a step reads
Strip = tuple[Value, Value, int, Callable[[Value], Value]]


def _check(X: types.Array, ids: types.Array, *others: types.Array, scores: types.Array) -> None:
    """Check what the code below takes for granted."""
    contiguous = all(array.layout == "C" for array in (X, *others))
    if not contiguous or any(array.dtype != X.dtype for array in (scores, *others)):
        raise TypingError(f"tiles take C-ordered arrays of one type, not {(X, *others)} and scores {scores}")
    if ids.dtype != types.int64:
        raise TypingError(f"numbers of rows are int64, not {ids}")


@intrinsic
def _products(typing_context, X, ids, coming, r, centre, W, S):
    _check(X, ids, centre, W, scores=S)
    _check(X, coming, scores=S)
    signature = types.void(X, ids, coming, types.intp, centre, W, S)

    def generate(context, builder, signature, arguments):
        v = Vectors(context, builder, X.dtype)
        x, rows, after, middle, w, s = _pointers(context, builder, signature, arguments, (0, 1, 2, 4, 5, 6))
        start, last, width = arguments[3], builder.sub(rows.shape[0], INT(1)), x.shape[1]
        places = [builder.add(start, INT(m)) for m in range(ROWS)]
        within = [builder.icmp_signed("<", place, last) for place in places]
        of_rows = [
            _row(builder, x, rows, builder.select(*each, last)) for each in zip(within, places, strict=True)
        ]

        def row_ahead(number: Value) -> Value:
            """The address of one of the rows to come, or else of one that is already there."""
            place = builder.add(start, number)
            small, near = (
                builder.icmp_signed("<", *pair) for pair in ((number, INT(ROWS)), (place, after.shape[0]))
            )
            exists = builder.and_(small, near)
            at = builder.select(exists, after.at(place), rows.at(INT(0)))
            return x.at(builder.load(builder.bitcast(at, INT.as_pointer())))

        def tile(k: Value, n_classes: int) -> None:
            classes = [builder.add(k, INT(n)) for n in range(n_classes)]
            of_weights = [w.at(each) for each in classes]
            ahead = row_ahead(builder.udiv(k, INT(CLASSES)))
            sums = [v.zero] * (n_classes * ROWS)
            for start, stop, size, lanes_of in _strips(v, width, 1):

                def add(j: Value, *sums: Value, lanes_of: Callable[[Value], Value] = lanes_of) -> list[Value]:
                    lanes, offset = lanes_of(j), builder.mul(j, INT(v.itemsize))
                    prefetch(builder, builder.gep(ahead, [offset]))
                    m = v.load(builder.gep(middle.base, [offset]), lanes)
                    z = [builder.fsub(v.load(builder.gep(row, [offset]), lanes), m) for row in of_rows]
                    weights = [v.load(builder.gep(each, [offset]), lanes) for each in of_weights]
                    factors = [(q, n) for n in range(n_classes) for q in range(ROWS)]
                    return [
                        v.multiply_add(z[q], weights[n], total)
                        for (q, n), total in zip(factors, sums, strict=True)
                    ]

                sums = for_range(builder, start, stop, size, add, sums)
            for n, each in enumerate(classes):
                v.scatter(v.four_sums(sums[n * ROWS : (n + 1) * ROWS]), [s.at(row, each) for row in places])

        _by_classes(builder, w.shape[0], (CLASSES, 1), tile)
        return context.get_dummy_value()

    return signature, generate


def _gradient_code(
    context: Any,
    builder: Any,
    signature: Any,
    arguments: Any,
    finish: Callable[..., Value],
) -> Value:
    """``sum_r S[r, k] (x_r - centre)`` of each class and feature; ``finish`` makes the result of it.

    The sums of each block begin at 0, so that many blocks lose fewer digits in float32.

    The first arguments are X, ids, centre, S, and the weights or their gradient.
    """
    v = Vectors(context, builder, signature.args[0].dtype)
    x, rows, middle, s, target = _pointers(context, builder, signature, arguments, range(5))

    def tile(k: Value, n_classes: int, n_vectors: int) -> None:
        classes = [builder.add(k, INT(n)) for n in range(n_classes)]
        for start, stop, size, lanes_of in _strips(v, x.shape[1], n_vectors):
            parts = range(size // v.n_lanes)

            def descend(
                j: Value, parts: range = parts, lanes_of: Callable[[Value], Value] = lanes_of
            ) -> None:
                lanes = lanes_of(j)
                features = [builder.add(j, INT(part * v.n_lanes)) for part in parts]
                m = [v.load(middle.at(feature), lanes) for feature in features]
                places = [target.at(each, feature) for each in classes for feature in features]

                def add(r: Value, *sums: Value) -> list[Value]:
                    row = _row(builder, x, rows, r)
                    offsets = [builder.mul(feature, INT(v.itemsize)) for feature in features]
                    z = [
                        builder.fsub(v.load(builder.gep(row, [offset]), lanes), middle)
                        for offset, middle in zip(offsets, m, strict=True)
                    ]
                    slopes = [v.load_one(s.at(r, each)) for each in classes]
                    factors = [(slope, each) for slope in slopes for each in z]
                    return [v.multiply_add(*pair, total) for pair, total in zip(factors, sums, strict=True)]

                sums = for_range(builder, INT(0), rows.shape[0], 1, add, [v.zero] * len(places))
                for place, total, feature in zip(places, sums, features * n_classes, strict=True):
                    v.store(finish(v, place, total, feature, lanes), place, lanes)

            for_range(builder, start, stop, size, descend)

    sizes = dict(GRADIENT_TILES)
    _by_classes(builder, target.shape[0], tuple(sizes), lambda k, n: tile(k, n, sizes[n]))
    return context.get_dummy_value()


@intrinsic
def _add_gradient(typing_context, X, ids, centre, S, G):
    _check(X, ids, centre, G, scores=S)
    signature = types.void(X, ids, centre, S, G)

    def generate(context, builder, signature, arguments):
        def finish(v, place, total, feature, lanes):
            return builder.fadd(v.load(place, lanes), total)

        return _gradient_code(context, builder, signature, arguments, finish)

    return signature, generate


@intrinsic
def _descend(typing_context, X, ids, centre, S, W, lengths, decay):
    _check(X, ids, centre, W, lengths, decay, scores=S)
    signature = types.void(X, ids, centre, S, W, lengths, decay)

    def generate(context, builder, signature, arguments):
        length, decays = _pointers(context, builder, signature, arguments, (5, 6))

        def finish(v, place, total, feature, lanes):
            way = builder.fmul(v.load(length.at(feature), lanes), total)
            moved = builder.fsub(v.load(place, lanes), way, flags=CONTRACT)
            less = builder.fmul(v.load(decays.at(feature), lanes), moved)
            return builder.fsub(moved, less, flags=CONTRACT)

        return _gradient_code(context, builder, signature, arguments, finish)

    return signature, generate


def _pointers(context: Any, builder: Any, signature: Any, arguments: Any, positions: Any) -> list[Pointer]:
    return [Pointer(context, builder, signature.args[at], arguments[at]) for at in positions]


def _row(builder: Any, x: Pointer, rows: Pointer, r: Value) -> Value:
    """The address of row ``ids[r]``."""
    return x.at(builder.load(builder.bitcast(rows.at(r), INT.as_pointer())))


def _strips(v: Vectors, width: Value, n_vectors: int) -> Iterator[Strip]:
    """Strips of features: ``n_vectors`` vectors at a time while possible, then one, the last in part."""
    builder, size = v.builder, v.n_lanes * n_vectors
    full = builder.sub(width, builder.srem(width, INT(size)))
    yield INT(0), full, size, lambda j: v.all_lanes
    yield full, width, v.n_lanes, lambda j: v.first(builder.sub(width, j))


def _by_classes(builder: Any, n_classes: Value, sizes: tuple[int, ...], tile: Callable) -> None:
    """Call ``tile(k, size)`` for all classes, with the largest size that fits the remaining ones."""
    done = INT(0)
    for size in sizes:
        left = builder.sub(n_classes, done)
        stop = builder.add(done, builder.sub(left, builder.srem(left, INT(size))))
        for_range(builder, done, stop, size, lambda k, size=size: tile(k, size))
        done = stop


def _products_in_python(
    X: FloatArray, ids: IntArray, coming: IntArray, r: int, centre: FloatArray, W: FloatArray, S: FloatArray
) -> None:
    """``S[q, k] = (x_q - centre) . w_k`` for `ROWS` rows from r on; the last row stands for missing ones.

    Compiled code prefetches one of the rows ``coming[r : r + ROWS]`` with each tile of classes.
    """
    rows = ids[np.minimum(np.arange(r, r + ROWS), len(ids) - 1)]
    S[r : r + ROWS, : len(W)] = (X[rows] - centre) @ W.T


def _add_gradient_in_python(
    X: FloatArray, ids: IntArray, centre: FloatArray, S: FloatArray, G: FloatArray
) -> None:
    """``G[k] += sum_r S[r, k] (x_r - centre)``, except for the last column of G."""
    G[:, : X.shape[1]] += S[: len(ids), : len(G)].T @ (X[ids] - centre)


def _descend_in_python(
    X: FloatArray,
    ids: IntArray,
    centre: FloatArray,
    S: FloatArray,
    W: FloatArray,
    lengths: FloatArray,
    decay: FloatArray,
) -> None:
    """``w_k <- (w_k - lengths * sum_r S[r, k] (x_r - centre)) * (1 - decay)``, feature by feature."""
    W -= lengths * (S[: len(ids), : len(W)].T @ (X[ids] - centre))
    W -= decay * W


products: Any = _products_in_python if JIT_DISABLED else _products
add_gradient: Any = _add_gradient_in_python if JIT_DISABLED else _add_gradient
descend: Any = _descend_in_python if JIT_DISABLED else _descend
