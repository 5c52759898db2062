"""Functions that pick their implementation by the type of their first argument when Numba compiles.

So losses, optimizers, heads and storage formats are plain NamedTuples, and nothing is looked up while
a kernel runs.
"""

import functools
import inspect
import threading
import typing
from collections.abc import Callable
from typing import Any, Protocol, cast

from numba.extending import overload

from linclf._numba.compile import BARE, EXACT, FAST, Function

# always inlined: else a process that compiles and one that loads from the cache run different machine code
INLINED: Any = {**BARE, "fastmath": EXACT, "forceinline": True}


class Generic(Protocol):
    """The interface of a stub decorated with `generic`."""

    __name__: str

    def __call__(self, operand: Any, /, *args: Any) -> Any: ...

    def register(self, cls: type, /) -> Callable[[Function], Function]:
        """A decorator that makes a function the implementation for a NamedTuple class."""
        ...

    def find(self, cls: type, /) -> Callable[..., Any] | None:
        """The plain function of a class, or None."""
        ...


@typing.overload
def generic(stub: Callable[..., Any]) -> Generic: ...
@typing.overload
def generic(*, fast: bool) -> Callable[[Callable[..., Any]], Generic]: ...


def generic(stub: Callable[..., Any] | None = None, *, fast: bool = False) -> Any:
    """Dispatch on the NamedTuple class of the first argument, at compile time.

    ``@stub.register(Class)`` adds an implementation, and ``stub.find(Class)`` returns it or None.
    An implementation is a plain function of the arguments of the stub, or one compiled by Numba.
    Numba compiles it directly in place of the call: an intermediate function would be optimised once
    more, with everything it calls.
    """
    if stub is None:
        return functools.partial(generic, fast=fast)
    name, lock = stub.__name__, threading.Lock()
    table: dict[type, Callable[..., Any]] = {}

    @functools.wraps(stub)
    def call(operand: Any, *args: Any) -> Any:
        function = find(type(operand))
        if function is None:
            raise TypeError(
                f"{name}({operand!r}): nothing is registered for {type(operand).__name__}; a function "
                f"becomes the {name} of a NamedTuple class by @{name}.register(TheClass)"
            )
        return function(operand, *args)

    options: Any = {**INLINED, "fastmath": FAST if fast else EXACT}

    @overload(call, strict=False, jit_options=options)
    def select(operand, *args):
        return find(getattr(operand, "instance_class", type(None)))

    def register(cls: type[Any]) -> Callable[[Function], Function]:
        if not is_named_tuple(cls):
            raise TypeError(f"{name}.register({cls!r}): pass a NamedTuple class")

        def add(function: Function) -> Function:
            if cls in table:
                raise ValueError(
                    f"{cls.__name__} has its {name} already, and kernels may be compiled with it; define the "
                    "class anew, together with its functions"
                )
            plain = _plain(function, stub, f"{name}.register({cls.__name__})")
            _distinguish(cls)
            table[cls] = plain
            # classes of a script or notebook are sent to worker processes by value, and have to take
            # their implementations along
            cls._implementations = {**vars(cls).get("_implementations", {}), name: plain}
            return function

        return add

    def find(cls: type) -> Callable[..., Any] | None:
        sent = vars(cls).get("_implementations", {})
        with lock:  # if two threads meet a class that was sent here, only one may register it
            if cls not in table and name in sent:
                register(cls)(sent[name])
        return table.get(cls)

    verb = cast("Generic", call)
    verb.register, verb.find = register, find
    return verb


def is_named_tuple(cls: Any) -> bool:
    """Whether something is a NamedTuple class."""
    return isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields")


def _plain(function: Callable[..., Any], stub: Callable[..., Any], where: str) -> Callable[..., Any]:
    """The plain function of an implementation, checked here as Numba would fail later and less clearly."""
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


_NAMED: dict[str, type] = {}


def _distinguish(cls: type) -> None:
    """Make the name of a class unique, as Numba tells NamedTuples apart by name only.

    Otherwise two classes ``Focal``, from this package and a notebook or from two runs of the same cell,
    would both silently run the code of the first.
    """
    name, number = cls.__name__, 2
    while _NAMED.setdefault(cls.__name__, cls) is not cls:
        cls.__name__, number = f"{name}_{number}", number + 1
