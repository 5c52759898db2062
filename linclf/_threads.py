"""BLAS held to one thread, so that results do not depend on where they are computed.

OpenBLAS may add in another order with two threads, and workers of a pool get one; the kernels'
own threads are Python's.
"""

import functools

from threadpoolctl import ThreadpoolController


@functools.cache
def _controller():
    return ThreadpoolController()


def one_blas_thread():
    return _controller().limit(limits=1, user_api="blas")
