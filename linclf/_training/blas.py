"""BLAS limited to one thread, so that results do not depend on where they are computed.

With two threads OpenBLAS may add in another order, and workers of a pool get only one; kernels use
Python threads instead. The limit applies to the whole process, so fits on several Python threads
share it: the first sets it, and the last restores it.
"""

import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import threadpoolctl

Result = TypeVar("Result")


@functools.cache
def _controller() -> threadpoolctl.ThreadpoolController:
    return threadpoolctl.ThreadpoolController()


def _from_any_thread(action: Callable[[], Result]) -> Result:
    """threadpoolctl >= 3.8 obeys the first thread that calls it, and silently ignores others."""
    release = getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", lambda force: None)
    release(force=True)
    result = action()
    release(force=True)
    return result


class _Limit:
    """The number of fits that need the limit, and the object that restores it."""

    def __init__(self) -> None:
        self.lock, self.users = threading.Lock(), 0
        self.limiter: Any = None


_limit = _Limit()
if hasattr(os, "register_at_fork"):  # another thread may have held the lock
    os.register_at_fork(after_in_child=_limit.__init__)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    with _limit.lock:
        if _limit.users == 0:
            _limit.limiter = _from_any_thread(lambda: _controller().limit(limits=1, user_api="blas"))
        _limit.users += 1
    try:
        yield
    finally:
        with _limit.lock:
            _limit.users -= 1
            if _limit.users == 0:
                _from_any_thread(_limit.limiter.restore_original_limits)
