"""The only place that configures Numba's compiler.

* ``compiled`` is for functions that kernels and tests call.
* ``compiled_fast`` is for dot products and axpys, in which the order of a sum may change. A loop that sums
  must not also store: LLVM would keep a second version of it, with another order, for arrays that happen to
  be close together in memory, and the last digits would depend on addresses. ``bare`` is for functions
  that take whole problems; Python cannot call them. No set of flags assumes finite numbers.
* ``kernel`` is for the few functions that Python calls. Only these are cached on disk.
* ``inlined`` is for loops that several kernels share: inlined before type inference, they are compiled
  once for each kernel, and not once more on their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from numba import config, njit

from linclf._numba.cache import DiskCache, cache_directory, warn_once

if TYPE_CHECKING:
    from numba.core.dispatcher import Dispatcher  # it takes no type parameter at run time

Function = TypeVar("Function", bound=Callable[..., Any])

JIT_DISABLED: bool = config.DISABLE_JIT  # pyright: ignore[reportAttributeAccessIssue]
_OPTIONS = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
EXACT, FAST = {"contract"}, {"contract", "reassoc", "nsz", "arcp"}
compiled = njit(fastmath=EXACT, **_OPTIONS)
# with nested arguments, the wrapper that lets Python call a function takes much of the compile time
BARE = {**_OPTIONS, "no_cpython_wrapper": True}
compiled_fast = njit(fastmath=FAST, **BARE)
bare = njit(fastmath=EXACT, **BARE)
inlined = njit(fastmath=EXACT, inline="always", **BARE)


def kernel(function: Function) -> Dispatcher[Function]:
    """Compile a function that Python calls and cache the machine code on disk."""
    dispatcher = compiled(function)
    directory = cache_directory()
    if directory is not None and not JIT_DISABLED:
        try:
            dispatcher._cache = DiskCache(function)  # pyright: ignore[reportAttributeAccessIssue]
        except Exception as fault:  # a private interface: if it fails, there is just no cache
            warn_once("linclf compiles without a disk cache", fault)
    return dispatcher
