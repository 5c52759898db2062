"""The only place that configures Numba: how kernels compile, dispatch on types, and are cached.

* ``compiled`` is for functions that kernels call, ``compiled_fast`` for dot products and axpys,
  where the order of a sum may change. Neither flag set assumes finite numbers. ``bare`` is
  ``compiled`` for functions that take whole problems; Python cannot call them.
* ``kernel`` is for the few functions that Python calls. Only these are cached on disk.
* ``generic`` makes a function that picks its implementation by the type of its first argument
  when Numba compiles, so that losses, optimizers, heads and row formats are plain NamedTuples.

The disk cache is keyed by the content of every source file of the package, because Numba itself
looks only at the file of the entry kernel and would keep serving machine code built from an older
callee. ``LINCLF_CACHE=0`` turns it off, ``LINCLF_CACHE=/some/dir`` moves it.
"""

import functools
import hashlib
import inspect
import os
import pathlib
import stat
import sys
import threading
import warnings

from numba import config, njit
from numba.core import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.extending import overload

_OPTIONS = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
_EXACT, _FAST = {"contract"}, {"contract", "reassoc", "nsz", "arcp"}
compiled = njit(fastmath=_EXACT, **_OPTIONS)
compiled_fast = njit(fastmath=_FAST, **_OPTIONS)
# the code with which Python calls a function is much of its compile time where arguments are nested
_BARE = {**_OPTIONS, "no_cpython_wrapper": True}
bare = njit(fastmath=_EXACT, **_BARE)


def kernel(function):
    """Compile a function that Python calls and cache the machine code on disk."""
    dispatcher = compiled(function)
    directory = cache_directory()
    if directory is not None and not config.DISABLE_JIT:
        try:
            dispatcher._cache = _Cache(function)
        except Exception as fault:  # a private interface: without it there is no cache, nothing worse
            _warn_once(f"linclf compiles without a disk cache: {fault!r}")
    return dispatcher


def generic(stub=None, *, fast=False):
    """Dispatch on the NamedTuple class of the first argument, at compile time.

    ``@stub.register(Class)`` adds an implementation, and ``stub.find(Class)`` returns it or None.
    It is a plain function of the arguments of the stub, or one that Numba has compiled of such a one.
    Numba compiles the implementation itself in place of the call: a function between the two would
    be optimised, with all it calls, once more.
    """
    if stub is None:
        return functools.partial(generic, fast=fast)
    table, name, lock = {}, stub.__name__, threading.Lock()

    @functools.wraps(stub)
    def call(operand, *args):
        function = find(type(operand))
        if function is None:
            raise TypeError(
                f"{name}({operand!r}): nothing is registered for {type(operand).__name__}; a function "
                f"becomes the {name} of a NamedTuple class by @{name}.register(TheClass)"
            )
        return function(operand, *args)

    # inlined always: a copy of its own in each kernel would be other machine code, of which one process
    # that compiles runs one and a process that loads from the cache another, with another last bit
    options = {**_BARE, "fastmath": _FAST if fast else _EXACT, "forceinline": True}

    @overload(call, strict=False, jit_options=options)
    def select(operand, *args):
        return find(getattr(operand, "instance_class", type(None)))

    def register(cls):
        if not (isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")):
            raise TypeError(f"{name}.register({cls!r}): pass a NamedTuple class")

        def add(function):
            if cls in table:
                raise ValueError(
                    f"{cls.__name__} has its {name} already, and kernels may be compiled with it; define the "
                    "class anew, together with its functions"
                )
            plain = _plain(function, stub, f"{name}.register({cls.__name__})")
            _distinguish(cls)
            table[cls] = plain
            # classes of a script or notebook go to worker processes by value: what is registered here
            # has to go with them
            cls._implementations = {**vars(cls).get("_implementations", {}), name: plain}
            return function

        return add

    def find(cls):
        sent = vars(cls).get("_implementations", {})
        with lock:  # of two threads that meet a class which was sent here, one registers it
            if cls not in table and name in sent:
                register(cls)(sent[name])
        return table.get(cls)

    call.register, call.find = register, find
    return call


def _plain(function, stub, where):
    """The plain function of an implementation, checked: Numba would say less, and only when it compiles."""
    plain = getattr(function, "py_func", function)  # of @njit: compiled in place of the call, not by itself
    arguments = f"({', '.join(inspect.signature(stub).parameters)})"
    if not inspect.isfunction(plain):
        raise TypeError(f"{where}: {function!r} is not a function; pass a plain one of {arguments}")
    try:
        inspect.signature(plain).bind(*inspect.signature(stub).parameters)
    except TypeError as fault:
        raise TypeError(
            f"{where}: {plain.__name__}{inspect.signature(plain)} has to be a function of {arguments}"
        ) from fault
    return plain


_NAMED = {}


def _distinguish(cls):
    """Make the name of a class unique, as Numba tells NamedTuples apart by nothing else.

    Of two classes ``Focal``, one of this package and one of a notebook, or of two runs of the same cell,
    both would silently run the code of the first.
    """
    name, number = cls.__name__, 2
    while _NAMED.setdefault(cls.__name__, cls) is not cls:
        cls.__name__, number = f"{name}_{number}", number + 1


def cache_directory():
    choice = os.environ.get("LINCLF_CACHE", "")
    if choice == "0":
        return None
    if choice:
        return pathlib.Path(choice)
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        return (pathlib.Path(home) if home else pathlib.Path.home() / ".cache") / "linclf"
    except RuntimeError:  # no home directory
        return None


@functools.cache
def _fingerprint():
    """Digest of all sources of the package: any edit makes every cached kernel a miss."""
    digest = hashlib.sha256()
    root = pathlib.Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def _warn_once(message):
    warnings.warn(message, RuntimeWarning, stacklevel=5)


class _Locator(_CacheLocator):
    def __init__(self, function, path):
        self._py_file = path
        self._line = function.__code__.co_firstlineno

    def get_cache_path(self):
        return str(cache_directory() / f"py{sys.version_info[0]}{sys.version_info[1]}")

    def ensure_cache_path(self):
        path = pathlib.Path(self.get_cache_path())
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.check_private()

    def check_private(self):
        """Before writing, and before loading: what is loaded is run."""
        path = pathlib.Path(self.get_cache_path())
        if os.name != "posix" or not path.exists():
            return
        found = path.stat()
        if found.st_mode & stat.S_IWOTH or found.st_uid not in (0, os.geteuid()):
            raise OSError(f"{path} can be written by other users; choose another LINCLF_CACHE")

    def get_source_stamp(self):
        return _fingerprint()

    def get_disambiguator(self):
        return f"{self._line}-{_fingerprint()[:12]}"

    @classmethod
    def from_function(cls, function, path):
        return cls(function, path)


class _Implementation(CompileResultCacheImpl):
    _locator_classes = (_Locator,)

    def __init__(self, function):
        # Numba would ask NUMBA_CACHE_LOCATOR_CLASSES first; the fingerprint must not be bypassed
        chosen, config.CACHE_LOCATOR_CLASSES = config.CACHE_LOCATOR_CLASSES, ""
        try:
            super().__init__(function)
        finally:
            config.CACHE_LOCATOR_CLASSES = chosen


class _Cache(FunctionCache):
    """A cache in which every fault is a miss with one warning."""

    _impl_class = _Implementation

    def load_overload(self, sig, target_context):
        try:
            if _all_ours(sig):
                self._impl.locator.check_private()
                return self._load_or_forget(sig, target_context)
        except Exception as fault:
            self._warn(fault)

    def _load_or_forget(self, sig, target_context):
        try:
            return super().load_overload(sig, target_context)
        except Exception:
            self.flush()  # a broken index would otherwise stay, as saving reads it too
            raise

    def save_overload(self, sig, data):
        try:
            if _all_ours(sig):
                self._impl.locator.ensure_cache_path()
                super().save_overload(sig, data)
        except Exception as fault:
            self._warn(fault)

    def _warn(self, fault):
        _warn_once(f"linclf compiles without its kernel cache in {self.cache_path}: {fault!r}")


def ours(cls):
    """Whether a class is this package's own: the code of others can change unseen."""
    module = cls.__module__
    known = sys.modules.get(module) if module.partition(".")[0] == __package__ else None
    return getattr(known, cls.__qualname__, None) is cls


def _all_ours(sig):
    """Whether all types of a signature are this package's."""
    stack = list(sig)
    while stack:
        item = stack.pop()
        if isinstance(item, types.BaseNamedTuple):
            if not ours(item.instance_class):
                return False
            stack.extend(item.types)
    return True
