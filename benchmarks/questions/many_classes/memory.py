"""Memory of predicting many rows with many classes."""

import functools
from collections.abc import Callable

import numpy as np

from benchmarks.measure.attempt import attempt
from benchmarks.measure.process import in_process, peak_memory, settled_memory
from benchmarks.questions.many_classes.fitting import Part
from linclf import SoftmaxClassifier

SHAPE, QUICK_SHAPE = (1_000_000, 128, 800), (50_000, 32, 800)  # rows, features, classes
K = 5
CALLS: dict[str, Callable[[SoftmaxClassifier, np.ndarray], np.ndarray]] = {
    "predict": lambda model, X: model.predict(X),
    f"predict_topk, k = {K}": lambda model, X: model.predict_topk(X, K),
    "predict_proba_of, one class": lambda model, X: model.predict_proba_of(X, 0),
}


def run(quick: bool) -> Part:
    n, n_features, n_classes = shape = QUICK_SHAPE if quick else SHAPE
    name = f"{n:,} x {n_features} normal random numbers, {n_classes} classes"
    row = {"part": "memory", "data": name, "rows": n, "features": n_features, "classes": n_classes}
    rows = [
        attempt(row | {"method": call}, functools.partial(in_process, measure, call, *shape))
        for call in CALLS
    ]
    return [{"name": name, "source": "generated"}], rows


def measure(call: str, n: int, n_features: int, n_classes: int) -> dict[str, int]:
    """Growth of the resident memory while predicting, the returned array included; see `in_process`."""
    X = np.random.default_rng(0).standard_normal((n, n_features), dtype=np.float32)
    few = 4 * n_classes
    model = SoftmaxClassifier(solver="sgd", max_iter=1, random_state=0).fit(
        X[:few], np.arange(few) % n_classes
    )
    predict = CALLS[call]
    predict(model, X[:10])
    before = settled_memory()
    returned = predict(model, X)
    growth = peak_memory() - before
    return {
        "data_bytes": X.nbytes,
        "growth_bytes": growth,
        "returned_bytes": returned.nbytes,
        "scores_bytes": X.itemsize * n * n_classes,
    }
