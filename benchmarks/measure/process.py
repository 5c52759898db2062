"""Measurements that need a fresh process, and the memory of this one (Linux)."""

import ctypes
import gc
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import ROOT


def python(*arguments: str, environment: Mapping[str, str] | None = None) -> Any:
    """Run Python in a fresh process; returns the JSON that it prints.

    Raises
    ------
    RuntimeError
        If the process fails, with the last line that it printed.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | dict(environment or {}),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise RuntimeError(said[-1])
    return json.loads(done.stdout)


def in_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a module in a fresh process; arguments and result must fit into JSON."""
    return python("-m", __name__, function.__module__, function.__name__, json.dumps(arguments))


def settled_memory() -> int:
    """Resident bytes now, once freed memory is given back; `peak_memory` starts from here."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def peak_memory() -> int:
    """The most resident bytes since `settled_memory`."""
    return _status("VmHWM")


def _status(name: str) -> int:
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


if __name__ == "__main__":
    module, name, arguments = sys.argv[1:]
    print(json.dumps(getattr(importlib.import_module(module), name)(*json.loads(arguments))))
