"""Files that the commands write: checked before the work starts, and replaced atomically."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def check_writable(option: str, path: str | None, endings: tuple[str, ...] = ()) -> None:
    """Refuse a path that cannot be written, before minutes of work."""
    if path is None:
        return
    place = Path(path)
    if place.is_dir() or not place.absolute().parent.is_dir():
        raise ValueError(f"{option} {path!r} cannot be written: no such folder, or a folder itself")
    if endings and place.suffix.lower() not in endings:
        raise ValueError(f"{option} {path!r} has the ending {place.suffix!r}; use {' or '.join(endings)}")


@contextmanager
def replaced(path: str | Path) -> Iterator[Path]:
    """A temporary path beside this one, which replaces it when all is written."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
