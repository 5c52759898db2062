"""Machine code of kernels on disk, keyed by the content of every source file of the package.

Numba itself looks only at the file of the entry kernel, and would keep serving machine code built from an
older callee. Any fault of the cache is a miss with one warning. ``LINCLF_CACHE=0`` turns it off,
``LINCLF_CACHE=/some/dir`` moves it. A folder set in this way can be read by all users (0755), the default one
in the home directory only by its owner (0700). As loaded code is executed, nothing is loaded unless the
folder belongs to root or the user and is not writable by others.
"""

# pyright: reportIncompatibleMethodOverride=false, reportAttributeAccessIssue=false
# Numba's cache and its types are not annotated: pyright infers None for methods that only raise

import contextlib
import functools
import glob
import hashlib
import os
import pathlib
import stat
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Self

from numba import config
from numba.core import types
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

PACKAGE = __name__.partition(".")[0]


def cache_directory() -> pathlib.Path | None:
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


def is_named() -> bool:
    """Whether the user has set the folder: it is then for all users, otherwise private."""
    return bool(os.environ.get("LINCLF_CACHE"))


@functools.cache
def _fingerprint() -> str:
    """Digest of all sources of the package: any edit makes every cached kernel a miss."""
    digest = hashlib.sha256()
    root = pathlib.Path(__file__).parent.parent
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()


warned: set[str] = set()


def warn_once(trouble: str, fault: Exception) -> None:
    """Warn once about each trouble, whatever the fault: broken files in a folder fail in many ways."""
    if trouble not in warned:
        warned.add(trouble)
        text = f"{trouble}: {fault!r}"
        warnings.warn(text, RuntimeWarning, stacklevel=5)


class _Locator(_CacheLocator):
    def __init__(self, function: Callable[..., Any], path: str, directory: pathlib.Path) -> None:
        self._py_file = path
        self._directory = directory / f"py{sys.version_info[0]}{sys.version_info[1]}"
        self._line = function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return str(self._directory)

    def ensure_cache_path(self) -> None:
        mode = 0o755 if is_named() else 0o700
        missing = [self._directory, *self._directory.parents]
        for path in reversed([path for path in missing if not path.exists()]):
            path.mkdir(exist_ok=True)
            path.chmod(mode)  # whatever the umask is
        self.check_private()

    def share(self, name: str) -> None:
        """Let all users read the files of a kernel in a folder set by the user."""
        if is_named() and os.name == "posix":
            for path in self._directory.glob(f"{glob.escape(name)}.*"):
                with contextlib.suppress(OSError):  # another process has replaced it, or owns it
                    path.chmod(0o644)

    def check_private(self) -> None:
        """Check the folder before writing and before loading, as loaded code is executed."""
        path = self._directory
        if os.name != "posix" or not path.exists():
            return
        found = path.stat()
        if found.st_mode & stat.S_IWOTH or found.st_uid not in (0, os.geteuid()):
            raise OSError(f"{path} can be written by other users; choose another LINCLF_CACHE")

    def get_source_stamp(self) -> str:
        return _fingerprint()

    def get_disambiguator(self) -> str:
        return f"{self._line}-{_fingerprint()[:12]}"

    @classmethod
    def from_function(cls, function: Callable[..., Any], path: str) -> Self | None:
        directory = cache_directory()
        return None if directory is None else cls(function, path, directory)


class _Implementation(CompileResultCacheImpl):
    _locator_classes = (_Locator,)

    def __init__(self, function: Callable[..., Any]) -> None:
        # Numba would ask NUMBA_CACHE_LOCATOR_CLASSES first; the fingerprint must not be bypassed
        chosen, config.CACHE_LOCATOR_CLASSES = config.CACHE_LOCATOR_CLASSES, ""
        try:
            super().__init__(function)
        finally:
            config.CACHE_LOCATOR_CLASSES = chosen


class DiskCache(FunctionCache):
    """A cache in which any fault is a miss with one warning."""

    _impl_class = _Implementation

    def load_overload(self, sig: Iterable[types.Type], target_context: Any) -> Any:
        try:
            if _all_ours(sig):
                self._impl.locator.check_private()
                return self._load_or_forget(sig, target_context)
        except Exception as fault:
            self._warn(fault)

    def _load_or_forget(self, sig: Iterable[types.Type], target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:
            self.flush()  # a broken index would otherwise stay, as saving reads it too
            raise

    def save_overload(self, sig: Iterable[types.Type], data: Any) -> None:
        try:
            if _all_ours(sig):
                self._impl.locator.ensure_cache_path()
                super().save_overload(sig, data)
                self._impl.locator.share(self._impl.filename_base)
        except Exception as fault:
            self._warn(fault)

    def _warn(self, fault: Exception) -> None:
        warn_once(f"linclf compiles without its kernel cache in {self.cache_path}", fault)


def ours(cls: type) -> bool:
    """Whether a class belongs to this package; other code can change unnoticed."""
    module = cls.__module__
    known = sys.modules.get(module) if module.partition(".")[0] == PACKAGE else None
    return getattr(known, cls.__qualname__, None) is cls


def _all_ours(sig: Iterable[types.Type]) -> bool:
    """Whether all types of a signature belong to this package."""
    stack = list(sig)
    while stack:
        item = stack.pop()
        if isinstance(item, types.BaseNamedTuple):
            if not ours(item.instance_class):
                return False
            stack.extend(item.types)
    return True
