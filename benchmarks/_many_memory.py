"""Memory of predicting many rows with many classes: ``python -m benchmarks._many_memory`` is one process."""

import functools
import json
import subprocess
import sys

import numpy as np

from benchmarks._measure import attempt
from benchmarks.memory import ROOT, _settled, _status
from linclf import SoftmaxClassifier

SHAPE, QUICK_SHAPE = (1_000_000, 128, 800), (50_000, 32, 800)  # rows, features, classes
K = 5
CALLS = {
    "predict": lambda model, X: model.predict(X),
    f"predict_topk, k = {K}": lambda model, X: model.predict_topk(X, K),
    "predict_proba_of, one class": lambda model, X: model.predict_proba_of(X, 0),
}


def run(quick):
    n, n_features, n_classes = shape = QUICK_SHAPE if quick else SHAPE
    name = f"{n:,} x {n_features} normal random numbers, {n_classes} classes"
    row = {"part": "memory", "data": name, "rows": n, "features": n_features, "classes": n_classes}
    rows = [
        attempt(row | {"method": call}, functools.partial(_in_process, {"call": call, "shape": shape}))
        for call in CALLS
    ]
    return [{"name": name, "source": "generated"}], rows


def _in_process(case):
    command = [sys.executable, "-m", "benchmarks._many_memory", json.dumps(case)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout)


def _measure(case):
    """Growth of the resident memory while predicting; what is returned is in it."""
    n, n_features, n_classes = case["shape"]
    X = np.random.default_rng(0).standard_normal((n, n_features), dtype=np.float32)
    few = 4 * n_classes
    model = SoftmaxClassifier(max_iter=1, random_state=0).fit(X[:few], np.arange(few) % n_classes)
    predict = CALLS[case["call"]]
    predict(model, X[:10])
    before = _settled()
    returned = predict(model, X)
    growth = _status("VmHWM") - before
    return {
        "data_bytes": X.nbytes,
        "growth_bytes": growth,
        "returned_bytes": returned.nbytes,
        "scores_bytes": X.itemsize * n * n_classes,
    }


if __name__ == "__main__":
    print(json.dumps(_measure(json.loads(sys.argv[1]))))
