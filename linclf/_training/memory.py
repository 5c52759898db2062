"""A MemoryError before training if the weights cannot fit, instead of a process that is killed during it.

The memory that is available now counts: a large array is only promised when it is created, and the
operating system looks for a process to kill when it is written to. If it is unknown how much is available,
nothing is refused.
"""

import os
from pathlib import Path

from linclf._data.dataset import Dataset
from linclf._training.fit import copies_of
from linclf._training.shape import Shape
from linclf._training.solver import Solver
from linclf._types import Loss
from linclf.losses._registry import trait

ROOT = Path("/")
SMALL = 2**26  # bytes that are not worth checking


def check(
    solver: Solver, loss: Loss, data: Dataset, kept: list[bool], n_published: int | None = None
) -> None:
    """Refuse to train weights that do not fit into memory, before anything large is created.

    ``kept`` says whether the best of several weights is kept, and whether there is a model already. Zeros
    that are never written take no memory, so a start from zero does not count. ``n_published`` is the
    number of features of the model, if data has only some of them.

    Raises
    ------
    MemoryError
        If less is available than training needs at least.
    """
    n_classes, n_features, dtype = data.y.n_classes, data.X.shape[1], data.X.dtype
    n_products = n_classes // copies_of(loss, n_classes)
    shape = Shape(
        len(data.weights), n_features, n_features, n_products, dtype, 1.0 if data.is_sparse else None
    )
    doubles = 1 + sum(kept) + trait(loss, "head").bounded
    width = n_features if n_published is None else n_published
    needed = solver.bytes_needed(shape) + 8 * doubles * n_classes * width
    check_bytes(needed, shape._replace(n_features=width), solver)


def check_bytes(needed: int, shape: Shape, solver: Solver) -> None:
    """Refuse to train if it needs more bytes than this process can still get."""
    if needed <= SMALL:
        return
    available = available_bytes()
    if available is None or needed <= available:
        return
    weights = shape.n_products * shape.n_features * shape.dtype.itemsize
    remedies = ["use fewer features (a hashing vectoriser with fewer columns, feature selection)"]
    remedies.append("a low-rank head (linclf.large, rank=...)")
    if solver.name != "sgd":
        remedies.append("solver='sgd'")
    comma = "," if len(remedies) > 2 else ""
    raise MemoryError(
        f"{max(shape.n_products, 2):,} classes x {shape.n_features:,} features need {_gib(weights)} for "
        f"weights and {_gib(needed)} with the state of solver={solver.name!r} and published arrays, but "
        f"{_gib(available)} are available; {', '.join(remedies[:-1])}{comma} or {remedies[-1]}"
    )


def available_bytes() -> int | None:
    """Bytes that this process can still get, or None if that is unknown."""
    machine = _of_machine()
    found = [each for each in (machine, _of_group_2(), _of_group_1()) if each is not None]
    return max(min(found), 0) if found else None


def _of_machine() -> int | None:
    for line in _text(ROOT / "proc/meminfo").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable" and (number := _number(rest.split()[:1])) is not None:
            return number * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def _of_group_2() -> int | None:
    """Bytes that the control groups leave, version 2; each limits those below it."""
    return _least(
        ROOT / "sys/fs/cgroup", _group(""), "memory.max", "memory.current", ("active_file", "inactive_file")
    )


def _of_group_1() -> int | None:
    return _least(
        ROOT / "sys/fs/cgroup/memory",
        _group("memory"),
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_active_file", "total_inactive_file"),
    )


def _group(controller: str) -> str:
    """The path of this process's group, of a controller or (version 2) of all."""
    for line in _text(ROOT / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if controller in names.split(","):
            return path.strip("/")
    return ""  # in a container it is often the root


def _least(root: Path, path: str, limit: str, usage: str, cached: tuple[str, ...]) -> int | None:
    parts, found = Path(path).parts, []
    for depth in range(len(parts) + 1):
        folder = root.joinpath(*parts[:depth])
        most, used = (_number(_text(folder / name).split()) for name in (limit, usage))
        if most is None or used is None:
            continue
        # files in the page cache count as used, but are dropped when memory is needed
        lines = (line.split() for line in _text(folder / "memory.stat").splitlines())
        freed = sum(_number(line[1:]) or 0 for line in lines if line and line[0] in cached)
        found.append(most - max(used - freed, 0))
    return min(found, default=None)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):  # no such file, or no right to read it: no limit
        return ""


def _number(words: list[str]) -> int | None:
    """The first word as a number; None if there is none, or it is "max"."""
    return int(words[0]) if words and words[0].isdecimal() else None


def _gib(n_bytes: float) -> str:
    return f"{n_bytes / 2**30:,.1f} GiB"
