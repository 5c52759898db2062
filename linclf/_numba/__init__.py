"""How kernels are compiled (`compile`), dispatch on types (`dispatch`), and are kept on disk (`cache`)."""

from linclf._numba.cache import cache_directory, ours
from linclf._numba.compile import bare, compiled, compiled_fast, inlined, kernel
from linclf._numba.dispatch import generic

__all__ = ["bare", "cache_directory", "compiled", "compiled_fast", "generic", "inlined", "kernel", "ours"]
