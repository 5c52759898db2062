"""Freeze the bits of training: a tool for developers, not a test.

A refactoring must not change the results of training. This script fits several hundred small models
on generated data and keeps short digests of their fitted attributes, histories and some predictions:

    python tests/digests.py write before.json      # before the change
    python tests/digests.py compare before.json    # after it; exits with 1 if anything differs

Both accept ``--only SUBSTRING`` to select cases. Bits differ between machines and between versions of the
libraries, so a file is valid only for one machine and one environment. Kernels compile in the first run
after a change.
"""

import argparse
import functools
import hashlib
import json
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import sparse

import linclf
from linclf import LinearClassifier, SoftmaxClassifier
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)
from linclf.losses import LOSSES, ArcFace, CosFace, Entmax, Focal, NormFace, SphereFace, WestonWatkins
from linclf.optimizers import OPTIMIZERS, Adam, Averaged

KINDS = [(storage, dtype) for storage in ("dense", "csr") for dtype in ("float32", "float64")]
TWO_KINDS = [("dense", "float32"), ("csr", "float64")]
PREDICTED = 20  # number of rows with stored predictions
ENTRIES = 64  # number of weights stored as numbers, to measure the size of a difference
ATTRIBUTES = ("coef_", "intercept_", "constant_", "projection_", "order_", "cutoffs_")
KINKED, COSINE = "weston-watkins", "cosface"  # a loss of each kind besides softmax


class Table(NamedTuple):
    """The data to generate."""

    storage: str = "dense"
    dtype: str = "float64"
    n: int = 1500
    n_features: int = 40
    n_classes: int = 5


class Case(NamedTuple):
    """A model, its data, and the function that trains it."""

    key: str
    model: object
    table: Table
    train: callable


# ---------------------------------------------------------------- data


@functools.cache
def generated(table):
    """X and y with unequal classes and scales of features; 4 of 5 values of sparse rows are zero."""
    n, d, K = table[2:]
    rng = np.random.default_rng([n, d, K])
    share = 1 / np.arange(2, K + 2)
    y = rng.choice(K, n, p=share / share.sum())
    y[:K] = np.arange(K)
    X = rng.normal(size=(n, d)) + 0.3 * rng.normal(size=(K, d))[y]
    X = X * rng.uniform(0.5, 2, d) + rng.normal(size=d)
    if table.storage == "csr":
        X[rng.random((n, d)) > 0.2] = 0
    X = X.astype(table.dtype)
    return (sparse.csr_array(X) if table.storage == "csr" else X), y


def probabilities(y):
    """Soft labels: every other row is uncertain, and some of its classes are impossible."""
    rng = np.random.default_rng(1)
    Y = np.eye(y.max() + 1)[y]
    other = rng.random(Y.shape) * (rng.random(Y.shape) < 0.5)
    Y[::2] += other[::2]
    return Y / Y.sum(axis=1, keepdims=True)


# ---------------------------------------------------------------- ways to train


def fit(model, X, y):
    model.fit(X, y)


def stream(model, X, y):
    for part in np.array_split(np.arange(len(y)), 3):
        model.partial_fit(X[part], y[part], classes=np.unique(y))


def fit_soft(model, X, y):
    model.fit(X, probabilities(y))


def stream_soft(model, X, y):
    Y = probabilities(y)
    for part in np.array_split(np.arange(len(y)), 3):
        model.partial_fit(X[part], Y[part], classes=np.unique(y))


def fit_weighted(model, X, y):
    weights = np.random.default_rng(2).choice([0.0, 0.5, 1.0, 3.0], len(y))
    model.fit(X, y, sample_weight=np.where(np.arange(len(y)) < y.max() + 1, 1.0, weights))


def fit_validated(model, X, y):
    n = 3 * len(y) // 4
    known = y[n:]
    model.fit(X[:n], y[:n], X_val=X[n:], y_val=known, sample_weight_val=1.0 + (known > 0))


def fit_twice(model, X, y):
    model.set_params(warm_start=True).fit(X, y).fit(X, y)


def fit_after_stream(model, X, y):
    stream(model, X, y)
    model.set_params(warm_start=True).fit(X, y)


def scaled(X, factors):
    return sparse.csr_array(X * factors) if sparse.issparse(X) else X * factors


def fit_outliers(model, X, y):
    model.fit(scaled(X, np.where(np.arange(len(y)) % 300, 1.0, 1e4)[:, None]), y)


def fit_heavy_column(model, X, y):
    model.fit(scaled(X, np.where(np.arange(X.shape[1]), 1.0, 50.0)), y)


def fit_units(model, X, y):
    model.fit(scaled(X, np.geomspace(1e-4, 1e4, X.shape[1])), y)


WAYS = (fit_weighted, fit_validated, fit_twice, fit_outliers, fit_heavy_column, fit_units)


# ---------------------------------------------------------------- cases


def cases():
    for group in (losses, variants, solvers, lbfgs, settings, wide, pieces, sampled, hierarchical, adaptive):
        for case in group():
            yield case._replace(key=f"{group.__name__}/{case.key}")


def linear(key, table, train=fit, **parameters):
    return Case(key, LinearClassifier(**{"max_iter": 5, "random_state": 0, **parameters}), table, train)


def losses():
    """Every loss with every kind of rows: all rows at once, mini-batches, a fixed step, a stream."""
    for loss in sorted(LOSSES):
        for kind in KINDS:
            name, table = f"{loss}/{'/'.join(kind)}", Table(*kind)
            yield linear(f"{name}/full", table._replace(n=60), loss=loss, max_iter=20)
            yield linear(f"{name}/batches", table, loss=loss)
            yield linear(f"{name}/numeric", table, loss=loss, learning_rate=0.01)
            yield linear(f"{name}/stream", table, stream, loss=loss)
            yield linear(f"{name}/stream-numeric", table, stream, loss=loss, learning_rate=0.01)


def variants():
    """Parameters of losses, and numbers of classes and rows, that use other code."""
    for loss in (
        Focal(gamma=0.0),
        Focal(gamma=0.5),
        Entmax(alpha=1.1),
        Entmax(alpha=2.0),
        WestonWatkins(margin=0.25),
        NormFace(scale=10.0),
        CosFace(scale=10.0, margin=0.5),
        ArcFace(scale=10.0, margin=1.5),
        SphereFace(scale=10.0, margin=4.0),
    ):
        for dtype in ("float32", "float64"):
            yield linear(f"{loss!r}/{dtype}", Table("dense", dtype), loss=loss)
    for loss in sorted(LOSSES):
        yield linear(f"{loss}/dense/40-classes", Table("dense", "float32", n_classes=40), loss=loss)
        yield linear(f"{loss}/csr/40-classes", Table("csr", "float32", n_classes=40), loss=loss)
        for storage in ("dense", "csr"):
            two = Table(storage, n_classes=2)
            yield linear(f"{loss}/{storage}/two/full", two._replace(n=60), loss=loss, max_iter=20)
            yield linear(f"{loss}/{storage}/two/batches", two, loss=loss)
            yield linear(f"{loss}/{storage}/two/stream", two, stream, loss=loss)
            few = Table(storage, "float32", n_features=12)
            yield linear(f"{loss}/{storage}/12-features", few, loss=loss)
            yield linear(f"{loss}/{storage}/600-rows", Table(storage, n=600), loss=loss, max_iter=20)
            yield linear(f"{loss}/{storage}/soft/batches", Table(storage), fit_soft, loss=loss)
            yield linear(f"{loss}/{storage}/soft/full", Table(storage, n=60), fit_soft, loss=loss)


def solvers():
    """Every optimizer, with and without an average."""
    kinds = {"softmax": KINDS, KINKED: TWO_KINDS, COSINE: TWO_KINDS}
    for loss in kinds:
        for kind in kinds[loss]:
            for solver in OPTIMIZERS:
                for average in (False, True):
                    name = f"{loss}/{'/'.join(kind)}/{solver}{'-average' * average}"
                    common = {"loss": loss, "solver": solver, "average": average}
                    yield linear(f"{name}/full", Table(*kind, n=60), max_iter=20, **common)
                    yield linear(f"{name}/batches", Table(*kind), **common)
                    yield linear(f"{name}/numeric", Table(*kind), learning_rate=0.001, **common)
                    yield linear(f"{name}/stream", Table(*kind), stream, **common)
    for storage in ("dense", "csr"):
        table = Table(storage, "float32")
        yield linear(f"Adam/{storage}", table, solver=Adam(beta1=0.8, epsilon=1e-3))
        yield linear(f"Averaged/{storage}", table, solver=Averaged(Adam(beta2=0.9)))


def lbfgs():
    """L-BFGS with every loss; those with kinks are refused."""
    changes = {
        "early-stopping": {"early_stopping": True},
        "no-intercept": {"fit_intercept": False},
        "no-penalty": {"alpha": 0.0},
        "two-iterations": {"max_iter": 2},
        "temperature": {"calibration": "temperature", "early_stopping": True},
    }
    for loss in sorted(LOSSES):
        for kind in KINDS:
            name, table = f"{loss}/{'/'.join(kind)}", Table(*kind)
            yield linear(name, table, loss=loss, solver="lbfgs", max_iter=30)
    for loss in ("softmax", "squared-weston-watkins", COSINE):
        for storage in ("dense", "csr"):
            common = {"loss": loss, "solver": "lbfgs", "max_iter": 20}
            for n in (300, 1500):
                name, table = f"{loss}/{storage}/{n}", Table(storage, n=n)
                for change, parameters in changes.items():
                    yield linear(f"{name}/{change}", table, **{**common, **parameters})
                for way in (fit_soft, *WAYS):
                    yield linear(f"{name}/{way.__name__}", table, way, **common)
            sample = Table(storage, n=6000)  # training starts with a part of the rows
            yield linear(f"{loss}/{storage}/6000", sample, **common)
            yield linear(f"{loss}/{storage}/two", Table(storage, n_classes=2), **common)


def settings():
    """The other parameters, for softmax, a hinge and cosines."""
    changes = {
        "no-intercept": {"fit_intercept": False},
        "no-penalty": {"alpha": 0.0},
        "large-penalty": {"alpha": 0.1, "max_iter": 50},
        "constant": {"schedule": "constant"},
        "cosine": {"schedule": "cosine"},
        "invscaling": {"schedule": "invscaling"},
        "adaptive": {"schedule": "adaptive", "tol": 0.01, "n_iter_no_change": 1, "max_iter": 20},
        "to-tol": {"tol": 1e-3, "max_iter": "auto"},
        "in-order": {"shuffle": False},
        "batch-of-7": {"batch_size": 7},
        "batch-of-200": {"batch_size": 200},
        "balanced": {"class_weight": "balanced"},
        "class-weight": {"class_weight": {0: 0.5, 1: 0.0, 2: 3.0}},
        "early-stopping": {"early_stopping": True, "max_iter": 20},
        "temperature": {"calibration": "temperature", "early_stopping": True},
        "platt": {"calibration": "platt", "early_stopping": True},
        "vector": {"calibration": "vector", "early_stopping": True},
        "dirichlet": {"calibration": "dirichlet", "early_stopping": True},
    }
    for loss in ("softmax", KINKED, COSINE):
        for storage in ("dense", "csr"):
            for n in (300, 1500):
                name, table = f"{loss}/{storage}/{n}", Table(storage, n=n)
                for change, parameters in changes.items():
                    yield linear(f"{name}/{change}", table, loss=loss, **parameters)
                for way in (*WAYS, fit_after_stream, stream_soft):
                    yield linear(f"{name}/{way.__name__}", table, way, loss=loss)
    for storage in ("dense", "csr"):
        for change, parameters in {
            "logit-adjustment": {"logit_adjustment": 1.0},
            "label-smoothing": {"label_smoothing": 0.1, "temperature": 0.7},
            "lbfgs-logit-adjustment": {"logit_adjustment": 0.5, "solver": "lbfgs"},
        }.items():
            for way in (fit, fit_weighted, fit_soft):
                model = SoftmaxClassifier(max_iter=5, random_state=0, **parameters)
                yield Case(f"softmax/{storage}/{change}/{way.__name__}", model, Table(storage), way)


def wide():
    """Weights of more than 1 MiB."""
    table = Table("dense", "float32", 1500, 800, 400)
    for loss in sorted(LOSSES):
        yield linear(loss, table, loss=loss, max_iter=2, n_jobs=2)
    for loss in ("softmax", KINKED, COSINE):
        for change, parameters in {
            "one-thread": {"n_jobs": 1},
            "adam": {"solver": "adam"},
            "momentum-average": {"solver": "momentum", "average": True},
            "no-intercept": {"fit_intercept": False},
            "numeric": {"learning_rate": 0.01},
        }.items():
            yield linear(f"{loss}/{change}", table, loss=loss, **{"max_iter": 2, "n_jobs": 2, **parameters})
        common = {"loss": loss, "max_iter": 2, "n_jobs": 2}
        yield linear(f"{loss}/float64", table._replace(dtype="float64"), **common)
        yield linear(f"{loss}/full", table._replace(n=600), **common)
        yield linear(f"{loss}/stream", table, stream, **common)
        yield linear(f"{loss}/soft", table, fit_soft, **common)
        yield linear(f"{loss}/csr", table._replace(storage="csr"), **common)
        yield linear(f"{loss}/csr-adam", table._replace(storage="csr"), solver="adam", **common)
        yield linear(f"{loss}/csr-stream", table._replace(storage="csr"), stream, **common)


def pieces():
    """Batches that are cut for threads, and epochs of more than one call of a kernel."""
    tables = {
        "dense": Table("dense", "float32", 6000, 100, 100),
        "csr": Table("csr", "float32", 6000, 200, 200),
    }
    whole = {"batch_size": 6000, "max_iter": 3}
    for loss in ("softmax", "squared-weston-watkins", COSINE):
        for storage, table in tables.items():
            for n_jobs in (1, 2):
                name, common = f"{loss}/{storage}/n_jobs={n_jobs}", {"loss": loss, "n_jobs": n_jobs}
                yield linear(f"{name}/sgd", table, **common, **whole)
                yield linear(f"{name}/adam", table, solver="adam", **common, **whole)
                yield linear(f"{name}/lbfgs", table, solver="lbfgs", max_iter=3, **common)
    for storage in tables:
        yield linear(f"softmax/{storage}/long-epoch", Table(storage, "float32", 50_000, 100, 100), max_iter=1)


def large(key, cls, table, train=fit, **parameters):
    return Case(key, cls(**{"max_iter": 4, "random_state": 0, **parameters}), table, train)


def sampled():
    """Sampled classes, and all of them if n_sampled is larger."""
    for cls in (SampledSoftmaxClassifier, NCEClassifier):
        for kind in KINDS:
            name, table = f"{cls.__name__}/{'/'.join(kind)}", Table(*kind, n_classes=30)
            for n_sampled in (10, 100):
                make = functools.partial(large, cls=cls, n_sampled=n_sampled)
                yield make(f"{name}/{n_sampled}/full", table=table._replace(n=200))
                yield make(f"{name}/{n_sampled}/batches", table=table)
                yield make(f"{name}/{n_sampled}/stream", table=table, train=stream)
        changes = {
            "unigram": {"sampler": "unigram", "power": 0.5},
            "uniform": {"sampler": "uniform"},
            "adam": {"solver": "adam"},
            "momentum": {"solver": "momentum"},
            "numeric": {"learning_rate": 0.01},
            "rank": {"rank": 8},
            "no-intercept": {"fit_intercept": False},
            "large-penalty": {"alpha": 1e-3},
            "two-threads": {"n_jobs": 2},
            "balanced": {"class_weight": "balanced"},
            "early-stopping": {"early_stopping": True, "rank": 8},
            "temperature": {"early_stopping": True, "calibration": "temperature"},
        }
        for storage in ("dense", "csr"):
            name, table = f"{cls.__name__}/{storage}", Table(storage, "float32", n_classes=30)
            for n_sampled in (10, 100):
                for change, parameters in changes.items():
                    parameters = {"n_sampled": n_sampled, **parameters}
                    yield large(f"{name}/{n_sampled}/{change}", cls, table, **parameters)
                for way in (fit_soft, fit_weighted, fit_validated, fit_twice, fit_after_stream, stream_soft):
                    yield large(f"{name}/{n_sampled}/{way.__name__}", cls, table, way, n_sampled=n_sampled)
            many, two = Table(storage, "float32", 1500, 800, 400), Table(storage, n_classes=2)
            yield large(f"{name}/400-classes", cls, many, n_sampled=50, max_iter=2)
            yield large(f"{name}/400-classes/all", cls, many, n_sampled=500, max_iter=2)
            yield large(f"{name}/two", cls, two, n_sampled=1)


def hierarchical():
    """Trees, all rows at once and row by row."""
    cls, codes = HierarchicalSoftmaxClassifier, ["0", "100", "101", "110", "111"]
    for kind in KINDS:
        name, table = "/".join(kind), Table(*kind, n_classes=30)
        yield large(f"{name}/full", cls, table._replace(n=200), max_iter=20)
        yield large(f"{name}/rows", cls, table)
        yield large(f"{name}/stream", cls, table, stream)
        yield large(f"{name}/balanced-tree", cls, table, tree="balanced")
        yield large(f"{name}/codes", cls, Table(*kind), tree=codes)
    for kind in TWO_KINDS:
        for solver in OPTIMIZERS:
            name, table = f"{'/'.join(kind)}/{solver}", Table(*kind, n_classes=30)
            yield large(name, cls, table, solver=solver)
            yield large(f"{name}/full", cls, table._replace(n=200), solver=solver, max_iter=20)
    for storage in ("dense", "csr"):
        table = Table(storage, "float32", n_classes=30)
        for change, parameters in {
            "beam": {"beam_width": 3},
            "rank": {"rank": 8},
            "numeric": {"learning_rate": 0.01},
            "no-intercept": {"fit_intercept": False},
            "large-penalty": {"alpha": 1e-3},
            "balanced": {"class_weight": "balanced"},
            "early-stopping": {"early_stopping": True},
            "temperature": {"early_stopping": True, "calibration": "temperature"},
        }.items():
            yield large(f"{storage}/{change}", cls, table, **parameters)
            yield large(f"{storage}/{change}/full", cls, table._replace(n=600), **parameters)
        for way in (fit_soft, fit_weighted, fit_validated, fit_twice, fit_after_stream, stream_soft):
            yield large(f"{storage}/{way.__name__}", cls, table, way)
        yield large(f"{storage}/400-classes", cls, Table(storage, "float32", 1500, 800, 400), max_iter=2)
        yield large(f"{storage}/two", cls, Table(storage, n_classes=2))


def adaptive():
    """A head and tails."""
    cls, two_tails = AdaptiveSoftmaxClassifier, {"cutoffs": [5, 15]}
    for kind in KINDS:
        name, table = "/".join(kind), Table(*kind, n_classes=30)
        for n in (600, 3000):
            yield large(f"{name}/{n}/tails", cls, table._replace(n=n), **two_tails)
            yield large(f"{name}/{n}/reduced", cls, table._replace(n=n), reduction=2.0, **two_tails)
            yield large(f"{name}/{n}/rank", cls, table._replace(n=n), rank=8, **two_tails)
            yield large(f"{name}/{n}/no-tails", cls, table._replace(n=n))
    for storage in ("dense", "csr"):
        table = Table(storage, "float32", n_classes=30)
        for change, parameters in {
            "one-tail": {"cutoffs": [10]},
            "rank-reduced": {"rank": 8, "reduction": 2.0},
            "adam-average": {"solver": "adam", "average": True},
            "lbfgs": {"solver": "lbfgs", "max_iter": 10},
            "numeric": {"learning_rate": 0.01},
            "no-intercept": {"fit_intercept": False},
            "balanced": {"class_weight": "balanced"},
            "early-stopping": {"early_stopping": True},
            "temperature": {"early_stopping": True, "calibration": "temperature"},
        }.items():
            yield large(f"{storage}/{change}", cls, table, **{**two_tails, **parameters})
        for way in (fit_soft, fit_weighted, fit_validated, fit_twice):
            yield large(f"{storage}/{way.__name__}", cls, table, way, **two_tails)
            yield large(f"{storage}/{way.__name__}/reduced", cls, table, way, reduction=2.0, **two_tails)
        yield large(f"{storage}/automatic", cls, Table(storage, "float32", 6000, 40, 1500), max_iter=2)


# ---------------------------------------------------------------- digests


def digest(values):
    array = np.ascontiguousarray(values)
    return hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).hexdigest()[:16]


def learnt(model):
    """Names and arrays of the fitted attributes of a model, including its parts."""
    if isinstance(model, tuple):  # a part of an adaptive softmax
        return {"coef_": model.W, "intercept_": model.b}
    found = {name: getattr(model, name) for name in ATTRIBUTES if hasattr(model, name)}
    if hasattr(model, "tree_"):
        found["tree_"] = model.tree_.children
    parts = [("head_", model.head_)] if hasattr(model, "head_") else []
    parts += [(f"tails_[{c}]", tail) for c, tail in enumerate(getattr(model, "tails_", []))]
    for place, part in parts:
        found |= {f"{place}.{name}": array for name, array in learnt(part).items()}
    return found


def measured(case):
    """Digests of the results of a case, and a few numbers; the text of the exception if it fails."""
    X, y = generated(case.table)
    try:
        case.train(case.model, X, y)
        arrays = learnt(case.model)
        coef = np.concatenate([array.ravel() for name, array in arrays.items() if name.endswith("coef_")])
        history = case.model.history_
        arrays |= {f"history_[{name!r}]": values for name, values in history.items() if name != "seconds"}
        for method in ("decision_function", "predict_proba", "predict"):
            if hasattr(case.model, method):
                arrays[method] = getattr(case.model, method)(X[:PREDICTED])
    except Exception as fault:
        return {"digests": {"exception": f"{type(fault).__name__}: {fault}"}}
    entries = coef[np.linspace(0, len(coef) - 1, ENTRIES).astype(int)].astype(float)
    return {
        "digests": {name: digest(array) for name, array in arrays.items()},
        "norm": float(np.linalg.norm(coef)),
        "objective": float(history["objective"][-1]),
        "entries": entries.tolist(),
    }


def computed(only):
    """The results of the cases whose key contains ``only``."""
    results = {}
    for case in cases():
        if case.key in results:
            raise ValueError(f"two cases have the key {case.key!r}")
        if only in case.key:
            results[case.key] = measured(case)
    return results


def difference(before, after):
    """The differences between two results of a case, as text; empty if there are none."""
    old, new = before["digests"], after["digests"]
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if not names:
        return ""
    if "exception" in names:
        return f"{old.get('exception', 'no exception')} -> {new.get('exception', 'no exception')}"
    sizes = [
        f"{name} by {relative(before[key], after[key]):.1e}"
        for name, key in (("coef_", "entries"), ("|coef_|", "norm"), ("objective", "objective"))
    ]
    return f"{', '.join(names)} ({', '.join(sizes)})"


def relative(old, new):
    """The largest difference, as a share of the largest number."""
    old, new = np.atleast_1d(old), np.atleast_1d(new)
    return np.abs(new - old).max() / (np.abs(old).max() or 1.0)


def write(path, results):
    lines = (f"{json.dumps(key)}: {json.dumps(result)}" for key, result in results.items())
    Path(path).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def compare(path, results, only):
    """Print the differences from a file; returns the number of cases that differ."""
    stored = json.loads(Path(path).read_text(encoding="utf-8"))
    stored = {key: result for key, result in stored.items() if only in key}
    found = {key: "is gone" for key in stored if key not in results}
    found |= {key: "is new" for key in results if key not in stored}
    for key in results.keys() & stored.keys():
        found[key] = difference(stored[key], results[key])
    differing = {key: text for key, text in sorted(found.items()) if text}
    for key, text in differing.items():
        print(f"{key}: {text}")
    return len(differing)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["write", "compare"])
    parser.add_argument("file", help="JSON file of the digests")
    parser.add_argument("--only", default="", metavar="SUBSTRING", help="cases whose key contains this")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    started = time.perf_counter()
    results = computed(arguments.only)
    package = Path(linclf.__file__).parent
    summary = f"{package}: {len(results)} cases in {time.perf_counter() - started:.0f} s"
    if arguments.action == "write":
        write(arguments.file, results)
        print(summary)
        return 0
    differing = compare(arguments.file, results, arguments.only)
    print(f"{summary}, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
