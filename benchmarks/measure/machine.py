"""Facts about the machine and the packages, for results."""

import importlib.metadata
import os
import platform
import sys
from typing import Any

import threadpoolctl

from benchmarks.measure import processor

PACKAGES = (
    *("linclf", "numpy", "scipy", "scikit-learn", "numba", "threadpoolctl"),
    *("scikit-learn-intelex", "glum", "skglm", "cyanure", "snapml", "torch", "entmax"),
    *("vowpalwabbit", "matplotlib"),
)
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """The processor, its instructions, the number of cores that this process may use, and the system."""
    model = platform.processor()
    if sys.platform == "linux":
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    system = f"{platform.system()} {platform.machine()}"
    return {"processor": model, "cores": CORES, "system": system, **processor.facts()}


def versions() -> dict[str, str | None]:
    """The version of each package, or None if it is not installed."""
    installed: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            installed[package] = None
    if installed["linclf"] is None:  # run from a checkout
        import linclf

        installed["linclf"] = linclf.__version__
    for library in threadpoolctl.threadpool_info():
        if library["user_api"] == "blas":
            installed[library["internal_api"]] = library["version"]
    return installed
