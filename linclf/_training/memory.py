"""A MemoryError before training where the weights cannot fit, instead of a process that is killed in it.

What counts is what the machine can give now: a large array is only promised when it is made, and the
kernel looks for a process to kill when it is written to. Where nobody says how much there is, nothing
is refused.
"""

import os
from pathlib import Path

from scipy import sparse

from linclf.heads import Cosine
from linclf.losses._registry import trait
from linclf.optimizers import SGD, Still

ROOT = Path("/")
SMALL = 2**26  # bytes that are not worth a look
# vectors of the size of the weights in float64: of SciPy's L-BFGS-B with 10 corrections, and around it
LBFGS = 2 * 10 + 5 + 6


def check_memory(n_classes, n_features, itemsize, n_copies, n_doubles=1, solver="sgd"):
    """Refuse weights that do not fit into memory.

    Parameters
    ----------
    n_classes, n_features : int
        Shape of the weights.
    itemsize : int
        Bytes of a weight in training.
    n_copies : int
        Arrays of this shape that training holds at once, the weights among them.
    n_doubles : int, default=1
        And of those in float64, such as the weights published.
    solver : str or optimizer, default="sgd"
        Named in the message.

    Raises
    ------
    MemoryError
        If less than that is available.
    """
    size = n_classes * n_features
    needed = size * (itemsize * n_copies + 8 * n_doubles)
    if needed <= SMALL:
        return
    available = available_bytes()
    if available is None or needed <= available:
        return
    remedies = "use fewer features (a hashing vectoriser with fewer columns, feature selection)"
    plain = isinstance(solver, str) and solver == "sgd"
    raise MemoryError(
        f"{n_classes:,} classes x {n_features:,} features need {_gib(size * itemsize)} for weights and "
        f"{_gib(needed)} with the state of solver={solver!r} and what is published, and {_gib(available)} "
        f"are available; {remedies}" + (" or" if plain else ",") + " a low-rank head (linclf.large, rank=...)"
        f"{'' if plain else ', or solver=' + repr('sgd')}"
    )


def check_training(settings, loss, X, n_classes, solver, extras):
    """The same for training on X: the least that it holds at once.

    ``extras`` says whether the best of several weights is kept, and whether there is a model already. Zeros
    that are never written to take no memory, and so a start from zero does not count.
    """
    optimizer = settings.optimizer
    n_doubles = 1 + sum(map(bool, extras)) + (trait(loss, "head") is Cosine)
    n_copies = 2 + optimizer.n_slots  # the weights, and those to go back to, later those to be published
    if sparse.issparse(X) and type(optimizer) is not SGD:
        n_copies += 1  # a gradient
    if isinstance(optimizer, Still):
        n_doubles += LBFGS
    check_memory(n_classes, X.shape[1], X.dtype.itemsize, n_copies, n_doubles, solver)


def available_bytes():
    """Bytes that this process can still have, or None where nobody tells."""
    machine = _of_machine()
    found = [each for each in (machine, _of_group_2(), _of_group_1()) if each is not None]
    return max(min(found), 0) if found else None


def _of_machine():
    for line in _text(ROOT / "proc/meminfo").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable" and (number := _number(rest.split()[:1])) is not None:
            return number * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def _of_group_2():
    """What the control groups leave, version 2: each limits those below it."""
    return _least(
        ROOT / "sys/fs/cgroup", _group(""), "memory.max", "memory.current", ("active_file", "inactive_file")
    )


def _of_group_1():
    return _least(
        ROOT / "sys/fs/cgroup/memory",
        _group("memory"),
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_active_file", "total_inactive_file"),
    )


def _group(controller):
    """The path of this process's group, of a controller or (version 2) of all."""
    for line in _text(ROOT / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if controller in names.split(","):
            return path.strip("/")
    return ""  # in a container it is often the root


def _least(root, path, limit, usage, cached):
    parts, found = Path(path).parts, []
    for depth in range(len(parts) + 1):
        folder = root.joinpath(*parts[:depth])
        most, used = (_number(_text(folder / name).split()) for name in (limit, usage))
        if most is None or used is None:
            continue
        # files in the page cache count as used, and go when memory is asked for
        lines = (line.split() for line in _text(folder / "memory.stat").splitlines())
        freed = sum(_number(line[1:]) or 0 for line in lines if line and line[0] in cached)
        found.append(most - max(used - freed, 0))
    return min(found, default=None)


def _text(path):
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):  # no such file, or no right to read it: no limit
        return ""


def _number(words):
    """The first word as a number; None where there is none, or it is "max"."""
    return int(words[0]) if words and words[0].isdecimal() else None


def _gib(n_bytes):
    return f"{n_bytes / 2**30:,.1f} GiB"
