"""Products of the Hessian of many rows, on threads, with the same result for any number of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from linclf._kernels.hessian import hessian_buffers, hessian_products
from linclf._kernels.problem import Problem
from linclf._types import FloatArray, IntArray


def mean_hessian_products(
    problem: Problem,
    V: FloatArray,
    directions: FloatArray,
    ids: IntArray,
    n_pieces: int,
    pool: ThreadPoolExecutor | None,
) -> FloatArray:
    """``mean_i w_i H_i`` at V times ``directions``, which are m times as many weights in its layout.

    The rows are cut into pieces that do not depend on the number of threads, and the pieces are
    added in order.
    """
    n_classes, width = problem.storage.by_classes(V).shape
    n_directions = len(problem.storage.by_classes(directions)) // n_classes
    edges = [len(ids) * piece // n_pieces for piece in range(n_pieces + 1)]

    def of_piece(start: int, stop: int) -> FloatArray:
        G = np.empty_like(directions)
        buffers = hessian_buffers(problem, n_classes, n_directions, width)
        hessian_products(problem, V, directions, G, buffers, ids[start:stop])
        G *= V.dtype.type((stop - start) / len(ids))
        return G

    each: Callable = map if pool is None else pool.map
    pieces = each(of_piece, edges[:-1], edges[1:])
    total = next(pieces)
    for part in pieces:
        total += part
    return total
