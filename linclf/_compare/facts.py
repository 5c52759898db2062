"""Facts about a comparison: versions, machine, date, command, and class balance."""

import datetime
import os
import pathlib
import platform
import sys
from importlib.metadata import version
from typing import Any

import joblib
import numpy as np

from linclf._types import IntArray
from linclf._version import __version__

Facts = dict[str, Any]
_PACKAGES = ("scikit-learn", "numpy", "scipy", "numba")


def machine_facts() -> Facts:
    """The date, the versions, the machine and the command.

    Examples
    --------
    >>> from linclf._compare.facts import machine_facts
    >>> sorted(machine_facts())
    ['command', 'date', 'machine', 'versions']
    """
    versions = {"linclf": __version__, "python": platform.python_version()}
    versions |= {name: version(name) for name in _PACKAGES}
    cores = joblib.cpu_count(only_physical_cores=False)
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
        "versions": versions,
        "machine": f"{_processor()}, {cores} core{'s' if cores > 1 else ''}, {platform.system()}",
        "command": _command(),
    }


def _processor() -> str:
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _command() -> str:
    """The script or the interpreter; the ``linclf`` command replaces it with its command line."""
    return os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else "Python"


def class_balance(codes: IntArray, classes: np.ndarray) -> dict[str, int]:
    """Rows of each class, the largest first.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf._compare.facts import class_balance
    >>> class_balance(np.array([0, 1, 1]), np.array(["no", "yes"]))
    {'yes': 2, 'no': 1}
    """
    counts = np.bincount(codes, minlength=classes.size)
    order = np.argsort(-counts, kind="stable")
    return {str(label): int(n) for label, n in zip(classes[order].tolist(), counts[order], strict=True)}
