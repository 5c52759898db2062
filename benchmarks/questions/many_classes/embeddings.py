"""Embeddings with 12,369 classes: how fast and how good is each method?"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.data import named
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import best_medians
from benchmarks.measure.limits import product_rate
from benchmarks.measure.machine import CORES
from benchmarks.measure.timing import timed
from benchmarks.question import Row
from benchmarks.questions.many_classes.fitting import (
    ALPHA,
    FULL,
    SAMPLED,
    Part,
    compile_for,
    n_parameters,
    scores_on_test_rows,
    structure,
)
from linclf import SoftmaxClassifier
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)

HUFFMAN, CODES = "HierarchicalSoftmaxClassifier", "HierarchicalSoftmaxClassifier(tree=codes)"
TORCH, TORCH_ADAPTIVE = "torch full softmax", "torch AdaptiveLogSoftmaxWithLoss"
EPOCHS = 2
TORCH_EPOCHS, TORCH_STEP = 5, 1e-2  # with 1e-3 five epochs are too few
CUTOFFS, QUICK_CUTOFFS = (1000, 4000), (20, 80)
DRAWS, QUICK_DRAWS = (1024, 256), (64, 16)
POWER_STEPS = 8
PREDICTIONS = {"greedy": 1, "beam of 5": 5, "exact": None}  # beam_width


def run(quick: bool) -> Part:
    data, cutoffs = named.oewn(quick), QUICK_CUTOFFS if quick else CUTOFFS
    size = 512 if quick else 2048
    rows = []
    for method, model in _models(cutoffs, *(QUICK_DRAWS if quick else DRAWS)).items():
        row = {"part": "methods", "data": data.name, "method": method}
        before = product_rate(size, CORES, np.float32) if method == FULL else 0.0
        rows.append(attempt(row, functools.partial(_measured, model, data, with_codes=method == CODES)))
        if "absent" in rows[-1]:
            continue
        if method == FULL:
            product = (
                before + product_rate(size, CORES, np.float32)
            ) / 2  # before and after: the clock varies
            rows.append(attempt(row | {"part": "rate"}, functools.partial(_rate, model, data, product)))
            rows.append(attempt(row | {"part": "top 10"}, functools.partial(_top10, model, data)))
        if method in (HUFFMAN, CODES):
            for name, width in PREDICTIONS.items():
                case = row | {"part": "prediction", "prediction": name}
                rows.append(attempt(case, functools.partial(_predicted, model, data, width)))
    for method, given in {TORCH: None, TORCH_ADAPTIVE: cutoffs}.items():
        row = {"part": "methods", "data": data.name, "method": method}
        rows.append(attempt(row, functools.partial(_in_torch, data, given)))
    return [data.facts()], rows


def _models(cutoffs: Sequence[int], n_sampled: int, fewer: int) -> dict[str, Any]:
    common = {"max_iter": EPOCHS, "random_state": 0}
    threads = common | {"n_jobs": CORES}
    listed = list(cutoffs)
    return {
        FULL: SoftmaxClassifier(solver="sgd", alpha=ALPHA, **threads),
        f"{FULL}(alpha=0.0001)": SoftmaxClassifier(solver="sgd", **threads),  # its default
        SAMPLED: SampledSoftmaxClassifier(n_sampled=n_sampled, **threads),
        f"{SAMPLED}(n_sampled={fewer})": SampledSoftmaxClassifier(n_sampled=fewer, **threads),
        "NCEClassifier(sampler='unigram')": NCEClassifier(n_sampled=n_sampled, sampler="unigram", **threads),
        "AdaptiveSoftmaxClassifier": AdaptiveSoftmaxClassifier(**threads),
        f"AdaptiveSoftmaxClassifier(cutoffs={listed})": AdaptiveSoftmaxClassifier(cutoffs=listed, **threads),
        HUFFMAN: HierarchicalSoftmaxClassifier(**common),
        CODES: HierarchicalSoftmaxClassifier(**common),
    }


def _measured(model: Any, data: DataSet, *, with_codes: bool) -> Row:
    compile_for(model, data)

    def fit() -> None:  # making the codes is timed, too
        if with_codes:
            model.set_params(tree=_halved_means(data.X, data.y, data.n_classes))
        model.fit(data.X, data.y)

    _, seconds, warned = timed(fit)
    return {
        "seconds": seconds,
        "epochs": model.n_iter_,
        "warnings": warned,
        **scores_on_test_rows(model, data),
        "parameters": n_parameters(model),
        **_log_sums(model, data),
        **structure(model, data),
    }


def _halved_means(X: np.ndarray, y: np.ndarray, n_classes: int) -> list[str]:
    """Codes of a tree: classes are repeatedly halved along the main direction of their means."""
    rng, means = np.random.default_rng(0), np.zeros((n_classes, X.shape[1]), X.dtype)
    np.add.at(means, y, X)
    means /= np.bincount(y, minlength=n_classes)[:, None]
    codes, groups = [""] * n_classes, [np.arange(n_classes)]
    while groups:
        group = groups.pop()
        M = means[group] - means[group].mean(axis=0)
        direction = rng.standard_normal(M.shape[1])
        for _ in range(POWER_STEPS):  # of the power method
            direction = M.T @ (M @ direction)
            direction /= np.linalg.norm(direction) or 1
        for bit, half in zip("01", np.array_split(group[np.argsort(M @ direction)], 2), strict=True):
            for k in half:
                codes[k] += bit
            if len(half) > 1:
                groups.append(half)
    return codes


@functools.singledispatch
def _log_sums(model: Any, data: DataSet) -> Row:
    """How far scores that need no normalisation are from being normalised."""
    return {}


@_log_sums.register
def _of_noise_contrast(model: NCEClassifier, data: DataSet) -> Row:
    sums = model.log_partition(data.X_test)
    return {"log_sum_mean": float(sums.mean()), "log_sum_std": float(sums.std())}


def _rate(model: SoftmaxClassifier, data: DataSet, product: float) -> Row:
    first, *_, last = model.history_["seconds"]
    seconds = (last - first) / (model.n_iter_ - 1)
    n, n_features = data.X.shape
    rate = 4 * n * (n_features + 1) * data.n_classes / seconds / 1e9
    return {"seconds": seconds, "gflops": rate, "sgemm_gflops": product, "share": rate / product}


def _top10(model: SoftmaxClassifier, data: DataSet) -> Row:
    X, W, b = data.X_test, model.coef_, model.intercept_
    calls = {"topk": lambda: model.predict_topk(X, 10), "product": lambda: X @ W.T + b}
    seconds = {name: best.seconds for name, best in best_medians(calls, 5).items()}
    ratio = seconds["topk"] / seconds["product"]
    return {"seconds_topk": seconds["topk"], "seconds_product": seconds["product"], "ratio": ratio}


def _predicted(model: HierarchicalSoftmaxClassifier, data: DataSet, beam_width: int | None) -> Row:
    model.set_params(beam_width=beam_width)
    predicted, seconds, _ = timed(lambda: model.predict(data.X_test))
    model.set_params(beam_width=None)
    return {"top1": float(np.mean(predicted == data.y_test)), "seconds": seconds}


def _in_torch(data: DataSet, cutoffs: Sequence[int] | None) -> Row:
    from benchmarks.questions.many_classes import in_torch  # torch may be absent

    return in_torch.measure(data, TORCH_EPOCHS, TORCH_STEP, cutoffs)
