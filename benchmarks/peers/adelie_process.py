"""adelie in the Python of another environment: it needs NumPy < 2, so it cannot be imported here.

The environment variable LINCLF_ADELIE_PYTHON is the interpreter of an environment with adelie, made by

    python -m venv adelie && adelie/bin/pip install "numpy<2" adelie
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse

from benchmarks.data.dataset import Rows

VARIABLE = "LINCLF_ADELIE_PYTHON"
SCRIPT = Path(__file__).with_name("adelie_script.py")


class AdeliePath(NamedTuple):
    """Models of adelie, and the seconds of its path without reading and writing files."""

    alphas: np.ndarray
    coefs: list[np.ndarray | sparse.csr_array]  # (1 or n_classes, n_features) each
    intercepts: np.ndarray
    seconds: float


def python() -> str:
    """The interpreter with adelie; raises RuntimeError if none is given."""
    if not (interpreter := os.environ.get(VARIABLE)):
        raise RuntimeError(f"{VARIABLE} does not name the Python of an environment with adelie")
    return interpreter


def version() -> str:
    """The version of adelie there; raises RuntimeError if it cannot be imported."""
    return _run("-c", "import adelie; print(adelie.__version__)").strip()


def _run(*arguments: str) -> str:
    done = subprocess.run([python(), "-I", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])
    return done.stdout


def path(
    X: Rows,
    y: np.ndarray,
    alphas: np.ndarray,
    penalty: str,
    *,
    l1_ratio: float = 1.0,
    sample_weight: np.ndarray | None = None,
    tol: float = 1e-7,
    n_threads: int = 1,
) -> AdeliePath:
    """Models for falling penalties; labels are 0, 1, ..., and ``penalty`` is "l1", "elasticnet" or "group".

    Raises
    ------
    RuntimeError
        If there is no interpreter, or if adelie fails or stops before the end of the path.
    """
    n_classes = int(y.max()) + 1
    w = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, np.float64)
    given = {
        "shape": X.shape,
        "y": y,
        "sample_weight": w / w.sum(),
        "alphas": np.asarray(alphas, np.float64),
        "grouped": penalty == "group",
        "l1_ratio": l1_ratio,
        "tol": tol,
        "n_threads": n_threads,
    }
    if sparse.issparse(X):
        X = sparse.csr_matrix(X)
        given |= {"data": X.data.astype(np.float64), "indices": X.indices, "indptr": X.indptr}
    else:
        given["X"] = X
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "given.npz"), Path(folder, "found.npz")
        np.savez(source, **given)
        _run(str(SCRIPT), str(source), str(target))
        with np.load(target) as found:
            found = dict(found)
    if len(found["alphas"]) < len(alphas):
        raise RuntimeError(f"adelie stopped after {len(found['alphas'])} of {len(alphas)}: {found['error']}")
    n_rows = 1 if n_classes == 2 else n_classes
    parts = found["data"], found["indices"], found["indptr"]
    weights = sparse.csr_matrix(parts, shape=(len(alphas), X.shape[1] * n_rows))
    coefs = [sparse.csr_array(weights[i].reshape(X.shape[1], n_rows).T) for i in range(len(alphas))]
    return AdeliePath(found["alphas"], coefs, found["intercepts"], float(found["seconds"]))
