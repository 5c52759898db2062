"""Which calibration for which scores?"""

import functools

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from benchmarks import _data
from benchmarks._calibration_tables import tables
from benchmarks._loss_scores import SCORES, Outcome, Score
from benchmarks._marks import Mark, NotMeasured
from benchmarks._measure import CORES, attempt, timed
from linclf import LinearClassifier
from linclf.calibration import CALIBRATORS
from linclf.functional import log_softmax
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)
from linclf.losses import LOSSES
from linclf.metrics import classwise_calibration_error, expected_calibration_error

TITLE = "Calibration"
N_SPLITS = 10
N_RESAMPLES = 20  # random weightings of the test rows (Bayesian bootstrap)
NOTHING = "nothing"
METHODS = (NOTHING, *CALIBRATORS)
# all losses, and the estimators of linclf.large, which here draw fewer classes than there are
CLASSIFIERS = {
    **{name: LinearClassifier(loss=name) for name in LOSSES},
    "hierarchical softmax": HierarchicalSoftmaxClassifier(),
    "adaptive softmax": AdaptiveSoftmaxClassifier(),
    "sampled softmax": SampledSoftmaxClassifier(n_sampled=10),
    "noise-contrastive": NCEClassifier(n_sampled=10),
}
OVERCONFIDENT, CALIBRATED = 0.05, 0.025  # ECE
TOLERANCE = 1e-3  # of a mean log loss, in nats


def _error(metric, outcome, weights=None):
    """In per cent, with the 15 bins of the default."""
    p = outcome.probabilities
    return 100 * metric(outcome.y, p, labels=np.arange(p.shape[1]), sample_weight=weights)


def _has_probabilities(outcome):
    return outcome.probabilities is not None


MEASURES = {
    **{name: SCORES[name] for name in ("accuracy", "log_loss")},
    "ece": Score("ECE, %", functools.partial(_error, expected_calibration_error), -1, _has_probabilities),
    "classwise_ece": Score(
        "classwise ECE, %", functools.partial(_error, classwise_calibration_error), -1, _has_probabilities
    ),
}


def run(quick):
    settings = {
        "splits": 2 if quick else N_SPLITS,
        "resamples": N_RESAMPLES,
        "max_iter": 5 if quick else "auto",
        "random_state": 0,
    }
    in_processes = Parallel(CORES, max_nbytes=None)  # no seconds are compared here
    facts, rows = [], []
    for network in _data.networks(quick):
        row = {"kind": "network", "data": network.name, "scores": network.name, "classes": network.n_classes}
        measured = in_processes(
            delayed(attempt)(
                row | {"method": method},
                functools.partial(_of_network, method, network, settings["splits"]),
            )
            for method in METHODS
        )
        facts.append(network.facts())
        rows += _with_gains(measured)
    for data in (_data.goemotions(quick), _data.newsgroups(quick)):
        parts = train_test_split(data.X, data.y, test_size=0.2, random_state=0, stratify=data.y)
        facts.append(data.facts() | {"rows": len(parts[2]), "validation_rows": len(parts[3])})
        for name in CLASSIFIERS:
            row = {"kind": "classifier", "data": data.name, "scores": name, "classes": data.n_classes}
            measured = in_processes(
                delayed(attempt)(
                    row | {"method": method},
                    functools.partial(_of_classifier, method, name, parts, data, settings["max_iter"]),
                )
                for method in METHODS
            )
            rows += _with_gains(measured)
    return {"data": facts, "settings": settings, "rows": rows}


def _of_network(method, network, n_splits):
    """Scores on half of the rows, calibrated on the other half, of each split."""
    repeats, warned = [], set()
    for seed in range(n_splits):
        rows = np.random.default_rng(seed).permutation(len(network.y))
        fit, test = rows[: len(rows) // 2], rows[len(rows) // 2 :]
        log_p = log_softmax(network.scores[test].astype(np.float64))
        if method != NOTHING:
            calibrator, classes = CALIBRATORS[method](), np.arange(network.n_classes)
            if method == "platt":
                calibrator.set_params(input="logits")
            fitting = functools.partial(calibrator.fit, network.scores[fit], network.y[fit], classes=classes)
            warned |= set(timed(fitting)[2])
            log_p = calibrator.predict_log_proba(network.scores[test])
        y, p = network.y[test], np.exp(log_p)
        outcome = Outcome(y, log_p.argmax(axis=1), p, p, log_p[np.arange(len(y)), y], {})
        repeats.append(_measured(outcome))
    return {"repeats": repeats, "warnings": sorted(warned)}


def _of_classifier(method, name, parts, data, max_iter):
    """Scores on all test rows, then on weightings of them, the same ones for every method."""
    X, X_val, y, y_val = parts
    calibration = None if method == NOTHING else method
    model = clone(CLASSIFIERS[name])
    model.set_params(calibration=calibration, max_iter=max_iter, random_state=0)
    warned = timed(lambda: model.fit(X, y, X_val=X_val, y_val=y_val))[2]
    outcome, rng = Outcome.of(model, data), np.random.default_rng(0)
    repeats = [_measured(outcome, rng.exponential(size=outcome.n_rows)) for _ in range(N_RESAMPLES)]
    impossible = float(np.mean(np.isneginf(outcome.log_true))) if _has_probabilities(outcome) else None
    return {"whole": _measured(outcome), "repeats": repeats, "impossible": impossible, "warnings": warned}


def _measured(outcome, weights=None):
    return {
        name: float(measure.compute(outcome, weights))
        for name, measure in MEASURES.items()
        if measure.is_defined(outcome)
    }


def _with_gains(rows):
    """The rows with value and spread of each score, and what it gains over doing nothing.

    A gain is positive where the row is better; its spread is that of the differences, repeat by repeat.
    A value that is not finite becomes None.
    """
    base = rows[0]
    return [row if "absent" in row else _summarised(row, base) for row in rows]


def _summarised(row, base):
    kept = {key: value for key, value in row.items() if key not in ("repeats", "whole")}
    for name in row["repeats"][0]:
        value, repeats = _value_and_repeats(row, name)
        if not np.isfinite(value):
            kept[name] = {"value": None}
            continue
        kept[name] = {"value": float(value), "std": float(repeats.std(ddof=1))}
        if row is base or name not in base.get("repeats", [{}])[0]:
            continue
        theirs, their_repeats = _value_and_repeats(base, name)
        if np.isfinite(theirs):
            better = MEASURES[name].better
            gains = better * (repeats - their_repeats)
            kept[name] |= {"gain": float(better * (value - theirs)), "gain_std": float(gains.std(ddof=1))}
    return kept


def _value_and_repeats(row, name):
    repeats = np.array([repeat[name] for repeat in row["repeats"]])
    return row.get("whole", {name: repeats.mean()})[name], repeats


def table(result):
    return tables(result, MEASURES, NOTHING)


def _of_networks(result, method, n_classes=None):
    """Rows of the networks with this method, by name."""
    rows = [row for row in result["rows"] if row["kind"] == "network" and row["method"] == method]
    rows = [row for row in rows if n_classes in (None, row["classes"])]
    for row in rows:
        if "absent" in row:
            raise NotMeasured(f"{row['data']}, {method} absent: {row['absent']}")
    if not rows:
        raise NotMeasured(f"no network with {n_classes} classes")
    return {row["data"]: row for row in rows}


def _temperature_mark(result):
    before, after = _of_networks(result, NOTHING), _of_networks(result, "temperature")
    sure = [name for name, row in before.items() if row["ece"]["value"] > 100 * OVERCONFIDENT]
    if not sure:
        raise NotMeasured(f"no network with an ECE above {OVERCONFIDENT:.0%}")
    worst = max(after[name]["ece"]["value"] for name in sure)
    said = [
        f"{name} {before[name]['ece']['value']:.1f} to {after[name]['ece']['value']:.2f}" for name in sure
    ]
    return f"in %: {'; '.join(said)}", worst < 100 * CALIBRATED


def _dirichlet_mark(n_classes, other, tolerance, result):
    ours, theirs = (_of_networks(result, method, n_classes) for method in ("dirichlet", other))
    pairs = {name: (ours[name]["log_loss"]["value"], theirs[name]["log_loss"]["value"]) for name in ours}
    if any(value is None for pair in pairs.values() for value in pair):
        raise NotMeasured("a log loss is infinite")
    said = "; ".join(f"{name} {our:.4f} against {their:.4f}" for name, (our, their) in pairs.items())
    return said, all(our <= their + tolerance for our, their in pairs.values())


MARKS = [
    Mark(
        f"temperature scaling of networks with an ECE above {OVERCONFIDENT:.0%}",
        f"ECE below {CALIBRATED:.1%}",
        _temperature_mark,
    ),
    Mark(
        "Dirichlet calibration, networks with 10 classes",
        f"mean log loss at most {TOLERANCE:g} above that of temperature scaling",
        functools.partial(_dirichlet_mark, 10, "temperature", TOLERANCE),
    ),
    Mark(
        "Dirichlet calibration, networks with 100 classes",
        "mean log loss not above that of doing nothing",
        functools.partial(_dirichlet_mark, 100, NOTHING, 0.0),
    ),
]
