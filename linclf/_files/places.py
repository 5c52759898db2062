"""The place of a model file: a path (the file is replaced atomically) or a file object."""

import contextlib
import io
import os
import pathlib
import secrets
from collections.abc import Callable, Iterator
from typing import IO, Any, TypeAlias

Place: TypeAlias = "str | os.PathLike[str] | IO[bytes]"


def write_to(place: Place, write: Callable[[IO[bytes]], None]) -> None:
    """Call ``write`` with a file, and move its content to the place once it is complete."""
    if isinstance(place, (str, os.PathLike)):
        _replace(os.path.expanduser(place), write)
        return
    _check_object(place, "write")
    content = io.BytesIO()
    write(content)
    place.write(content.getbuffer())


def _replace(path: str, write: Callable[[IO[bytes]], None]) -> None:
    target = pathlib.Path(os.path.realpath(path))  # keep a link and replace its target
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def read_from(place: Place) -> Iterator[tuple[str, IO[bytes], int]]:
    """The name of a place, a file to read from, and its size; for a file object, of the remaining bytes."""
    if isinstance(place, (str, os.PathLike)):
        path = os.path.expanduser(place)
        with open(path, "rb") as file:
            yield str(path), file, os.fstat(file.fileno()).st_size
        return
    _check_object(place, "read")
    content = place.read()
    if not isinstance(content, bytes):
        raise TypeError(f"{name_of(place)} is open for text; open it with mode 'rb'")
    yield name_of(place), io.BytesIO(content), len(content)


def name_of(file: IO[bytes]) -> str:
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else type(file).__name__


def _check_object(place: Any, method: str) -> None:
    if not callable(getattr(place, method, None)):
        raise TypeError(f"a place to {method} is a path or a binary file object, not {place!r}")
    if isinstance(place, io.TextIOBase):
        raise TypeError(f"{name_of(place)} is open for text; open it with mode '{method[0]}b'")  # type: ignore[arg-type]
