"""Embeddings with 12,369 classes: how fast and how good is each method?"""

import functools

import numpy as np
from sklearn.base import clone

from benchmarks import _data
from benchmarks._measure import CORES, attempt, median_seconds, timed
from benchmarks.kernel_rate import sgemm_rate
from linclf import SoftmaxClassifier
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)

FULL, SAMPLED = "SoftmaxClassifier", "SampledSoftmaxClassifier"
CODES = "HierarchicalSoftmaxClassifier(tree=codes)"
TORCH, TORCH_ADAPTIVE = "torch full softmax", "torch AdaptiveLogSoftmaxWithLoss"
EPOCHS = 2
TORCH_EPOCHS, TORCH_STEP = 5, 1e-2  # with 1e-3 five epochs are too few
CUTOFFS, QUICK_CUTOFFS = (1000, 4000), (20, 80)
DRAWS, QUICK_DRAWS = (1024, 256), (64, 16)
ALPHA = 1e-8
POWER_STEPS = 8
PREDICTIONS = {"greedy": 1, "beam of 5": 5, "exact": None}  # beam_width


def run(quick):
    data, cutoffs = _data.oewn(quick), QUICK_CUTOFFS if quick else CUTOFFS
    size = 512 if quick else 2048
    rows = []
    for method, model in _models(cutoffs, *(QUICK_DRAWS if quick else DRAWS)).items():
        row = {"part": "methods", "data": data.name, "method": method}
        before = sgemm_rate(size, CORES) if method == FULL else None
        rows.append(attempt(row, functools.partial(_measured, model, data, method == CODES)))
        if "absent" in rows[-1]:
            continue
        if method == FULL:
            product = (before + sgemm_rate(size, CORES)) / 2  # before and after: the clock varies
            rows.append(attempt(row | {"part": "rate"}, functools.partial(_rate, model, data, product)))
            rows.append(attempt(row | {"part": "top 10"}, functools.partial(_top10, model, data)))
        if isinstance(model, HierarchicalSoftmaxClassifier):
            for name, width in PREDICTIONS.items():
                case = row | {"part": "prediction", "prediction": name}
                rows.append(attempt(case, functools.partial(_predicted, model, data, width)))
    for method, given in {TORCH: None, TORCH_ADAPTIVE: cutoffs}.items():
        row = {"part": "methods", "data": data.name, "method": method}
        rows.append(attempt(row, functools.partial(_in_torch, data, given)))
    return [data.facts()], rows


def _models(cutoffs, n_sampled, fewer):
    common = {"max_iter": EPOCHS, "random_state": 0}
    threads = common | {"n_jobs": CORES}
    listed = list(cutoffs)
    return {
        FULL: SoftmaxClassifier(alpha=ALPHA, **threads),
        f"{FULL}(alpha=0.0001)": SoftmaxClassifier(**threads),  # its default
        SAMPLED: SampledSoftmaxClassifier(n_sampled=n_sampled, **threads),
        f"{SAMPLED}(n_sampled={fewer})": SampledSoftmaxClassifier(n_sampled=fewer, **threads),
        "NCEClassifier(sampler='unigram')": NCEClassifier(n_sampled=n_sampled, sampler="unigram", **threads),
        "AdaptiveSoftmaxClassifier": AdaptiveSoftmaxClassifier(**threads),
        f"AdaptiveSoftmaxClassifier(cutoffs={listed})": AdaptiveSoftmaxClassifier(cutoffs=listed, **threads),
        "HierarchicalSoftmaxClassifier": HierarchicalSoftmaxClassifier(**common),
        CODES: HierarchicalSoftmaxClassifier(**common),
    }


def halved_means(X, y, n_classes):
    """Codes of a tree: classes are halved along the main direction of their means, again and again."""
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


def compile_for(model, data):
    """Fit a clone to few rows, with as many classes as they can have: nothing is compiled afterwards."""
    small, n = clone(model).set_params(max_iter=1), min(9000, len(data.y))
    few = {"n_sampled": 64, "cutoffs": [100, 500] if data.n_classes > 1000 else "auto", "tree": "balanced"}
    small.set_params(**{name: value for name, value in few.items() if name in small.get_params()})
    timed(lambda: small.fit(data.X[:n], np.arange(n) % min(n // 2, data.n_classes)))


def _measured(model, data, with_codes):
    compile_for(model, data)

    def fit():  # a tree of one's own belongs to the time
        if with_codes:
            model.set_params(tree=halved_means(data.X, data.y, data.n_classes))
        model.fit(data.X, data.y)

    _, seconds, warned = timed(fit)
    found = {"seconds": seconds, "epochs": model.n_iter_, "warnings": warned, **judged(model, data)}
    found["parameters"] = sum(part.coef_.size + part.intercept_.size for part in parts_of(model))
    if isinstance(model, NCEClassifier):
        sums = model.log_partition(data.X_test)
        found |= {"log_sum_mean": float(sums.mean()), "log_sum_std": float(sums.std())}
    if hasattr(model, "tree_"):
        found["mean_depth"] = float(model.tree_.depths[data.y].mean())
    if hasattr(model, "cutoffs_"):
        found["cutoffs"] = model.cutoffs_.tolist()
    return found


def parts_of(model):
    return [model] if hasattr(model, "coef_") else [model.head_, *model.tails_]


def judged(model, data):
    """Scores on the test rows; the log loss is None where a label has probability 0."""
    found, seconds, _ = timed(lambda: model.predict_topk(data.X_test, 10))
    p = model.predict_proba_of(data.X_test, data.y_test).astype(np.float64)
    return {
        "top1": float(np.mean(found[:, 0] == data.y_test)),
        "top10": float(np.mean((found == data.y_test[:, None]).any(axis=1))),
        "log_loss": float(-np.log(p).mean()) if p.min() > 0 else None,
        "seconds_topk": seconds,
    }


def _rate(model, data, product):
    first, *_, last = model.history_["seconds"]
    seconds = (last - first) / (model.n_iter_ - 1)
    n, n_features = data.X.shape
    rate = 4 * n * (n_features + 1) * data.n_classes / seconds / 1e9
    return {"seconds": seconds, "gflops": rate, "sgemm_gflops": product, "share": rate / product}


def _top10(model, data):
    X, W, b = data.X_test, model.coef_, model.intercept_
    calls = {"topk": lambda: model.predict_topk(X, 10), "product": lambda: X @ W.T + b}
    seconds = median_seconds(calls, 5)
    ratio = seconds["topk"] / seconds["product"]
    return {"seconds_topk": seconds["topk"], "seconds_product": seconds["product"], "ratio": ratio}


def _predicted(model, data, width):
    model.set_params(beam_width=width)
    found, seconds, _ = timed(lambda: model.predict(data.X_test))
    model.set_params(beam_width=None)
    return {"top1": float(np.mean(found == data.y_test)), "seconds": seconds}


def _in_torch(data, cutoffs):
    from benchmarks import _torch_many  # torch may be absent

    return _torch_many.measure(data, TORCH_EPOCHS, TORCH_STEP, cutoffs)
