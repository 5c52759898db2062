"""BLAS held to one thread, so that results do not depend on where they are computed.

OpenBLAS may add in another order with two threads, and workers of a pool get one; the kernels'
own threads are Python's. The limit is one setting of the whole process, so that fits on several
Python threads share it: the first sets it, the last takes it back.
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
    """threadpoolctl >= 3.8 listens to the first thread that asked, and silently ignores others."""
    release = getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", lambda force: None)
    release(force=True)
    result = action()
    release(force=True)
    return result


class _Limit:
    """How many fits need the limit now, and what takes it back."""

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
