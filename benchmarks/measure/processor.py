"""Which instructions the numerical libraries of this process use: those of the machine, or fewer.

On a machine with AVX-512 a process can be restricted to AVX2, which takes a switch for each library. Switches
are read when a library is loaded, so a new process is needed.
"""

import os
import platform
from collections.abc import Mapping
from typing import Any, NamedTuple

import numba
import threadpoolctl
from numba.core.codegen import get_host_cpu_features
from numpy._core import _multiarray_umath as features_of_numpy

NAMES = {"avx512": "AVX-512", "avx2": "AVX2"}  # of folders in results/, in the order of the page
WITHOUT_AVX512 = {"Haswell", "Zen"}  # kernels of OpenBLAS
SWITCHES = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NUMBA_CPU_NAME": "znver3",
    "NUMBA_CPU_FEATURES": "",  # else Numba keeps the features of the processor that is here
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",  # of torch, as the next two
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
}


class Mixed(RuntimeError):
    """The libraries of this process do not use the same instructions."""


class Libraries(NamedTuple):
    """The widest instructions that each library uses in this process."""

    numpy: str
    numba: str
    openblas: str

    @classmethod
    def here(cls) -> "Libraries":
        kernels = {
            library["architecture"]
            for library in threadpoolctl.threadpool_info()
            if library["internal_api"] == "openblas"
        }
        has = host()
        reduced = bool(numba.config.CPU_NAME)  # pyright: ignore[reportAttributeAccessIssue]
        narrow = "avx2" if has == "avx512" else has
        return cls(
            numpy="avx512" if any(map(_enabled, _wide_of_numpy())) else narrow,
            numba=narrow if reduced else has,
            openblas=narrow if kernels and kernels <= WITHOUT_AVX512 else has,
        )


def host() -> str:
    """The widest instructions of the machine: "avx512", "avx2", or else the name of its architecture."""
    found = get_host_cpu_features().split(",")  # "+avx2" if there is one
    return _widest({name[1:].upper(): name.startswith("+") for name in found})


def here() -> str:
    """The instructions that this process uses.

    Raises
    ------
    Mixed
        If its libraries do not agree, so that a result would belong to neither kind.
    """
    libraries = Libraries.here()
    if len(set(libraries)) > 1:
        said = ", ".join(f"{name} {wide}" for name, wide in libraries._asdict().items())
        raise Mixed(
            f"the libraries use different instructions: {said}; unset {', '.join(switches())}, and use "
            "--processor avx2 where AVX2 is to be emulated"
        )
    return libraries.numpy


def facts() -> dict[str, Any]:
    """Facts for a result: the instructions used, and those of the machine if it has more."""
    used, has = here(), host()
    emulated = {name: os.environ[name] for name in switches() if os.environ.get(name)}
    return {"instructions": used, "has": has, **({"emulated": emulated} if used != has else {})}


def switches() -> dict[str, str]:
    """Environment of a process that uses AVX2 on a machine with AVX-512."""
    return SWITCHES | {"NPY_DISABLE_CPU_FEATURES": " ".join(filter(_enabled, _wide_of_numpy()))}


def environment_for(wanted: str) -> dict[str, str] | None:
    """Environment for a new process with these instructions; None if this process uses them already.

    Raises
    ------
    ValueError
        If the machine does not support that.
    """
    used, has = here(), host()
    if wanted in ("native", used):
        if wanted == "native" and used != has:
            raise ValueError(f"this process is held to {used} by its environment; unset it to use {has}")
        return None
    if wanted == "avx512" and has != "avx512":
        raise ValueError(f"this machine has no AVX-512, only {has}: nothing here could be measured with it")
    if wanted == "avx2" and has != "avx512":
        raise ValueError(f"AVX2 is emulated on machines with AVX-512, and this one has {has}")
    if wanted == "avx512":
        raise ValueError(f"this process is held to {used} by its environment; unset {', '.join(switches())}")
    if any(name in os.environ for name in switches()):
        raise ValueError(f"the environment has one of {', '.join(switches())} already; unset it")
    return switches()


def _widest(features: Mapping[str, bool]) -> str:
    if features.get("AVX512F") or features.get("X86_V4"):
        return "avx512"
    return "avx2" if features.get("AVX2") or features.get("X86_V3") else platform.machine().lower()


def _wide_of_numpy() -> list[str]:
    """The features beyond AVX2 that NumPy has loops for; others it only lists, and cannot disable."""
    return [name for name in features_of_numpy.__cpu_dispatch__ if name.startswith(("AVX512", "X86_V4"))]


def _enabled(feature: str) -> bool:
    return features_of_numpy.__cpu_features__[feature]
