"""Sparse text with many classes: weights for all features, and for a low-rank projection of them."""

import functools
from typing import Any

import numpy as np

from benchmarks.data import named
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.machine import CORES
from benchmarks.measure.timing import timed
from benchmarks.question import Row
from benchmarks.questions.many_classes.fitting import Part, n_weights, scores_on_test_rows
from linclf import SoftmaxClassifier
from linclf.large import HierarchicalSoftmaxClassifier, NCEClassifier, SampledSoftmaxClassifier

ALPHA = 1e-6
EPOCHS = 5  # of the glosses
ROWS_TO_COMPILE = 3_000


def run(quick: bool) -> Part:
    facts, rows = [], []
    for data, models in ((named.clinc150(quick), _few(quick)), (named.oewn_texts(quick), _many(quick))):
        facts.append(data.facts())
        for method, model in models.items():
            row = {"part": "low rank", "data": data.name, "method": method}
            rows.append(attempt(row, functools.partial(_measured, model, data)))
    return facts, rows


def _few(quick: bool) -> dict[str, Any]:
    """With 150 classes there is no need to save memory: what does the low rank cost?"""
    rank, common = 16 if quick else 64, {"alpha": ALPHA, "random_state": 0}
    large = {
        f"HierarchicalSoftmaxClassifier(rank={rank})": HierarchicalSoftmaxClassifier,
        f"SampledSoftmaxClassifier(rank={rank})": SampledSoftmaxClassifier,
        f"NCEClassifier(rank={rank})": NCEClassifier,
    }
    return {
        "SoftmaxClassifier": SoftmaxClassifier(solver="sgd", **common),
        "SampledSoftmaxClassifier": SampledSoftmaxClassifier(**common),
        **{name: model(rank=rank, **common) for name, model in large.items()},
    }


def _many(quick: bool) -> dict[str, Any]:
    common = {"alpha": ALPHA, "max_iter": EPOCHS, "n_jobs": CORES, "random_state": 0}
    common["n_sampled"] = 64 if quick else 1024
    return {
        f"SampledSoftmaxClassifier(rank={rank})": SampledSoftmaxClassifier(rank=rank, **common)
        for rank in ((8, 16) if quick else (64, 128))
    }


def _measured(model: Any, data: DataSet) -> Row:
    n = min(ROWS_TO_COMPILE, data.X.shape[0])
    few = np.arange(n) % min(n // 2, data.n_classes)
    timed(lambda: model.fit(data.X[:n], few))  # so that nothing is compiled below
    _, seconds, warned = timed(lambda: model.fit(data.X, data.y))
    has_projection = model.get_params().get("rank") is not None
    return {
        "seconds": seconds,
        "epochs": model.n_iter_,
        "parameters": n_weights(model) + (model.projection_.size if has_projection else 0),
        "full_parameters": data.n_classes * (data.X.shape[1] + 1),
        "warnings": warned,
        **scores_on_test_rows(model, data),
    }
