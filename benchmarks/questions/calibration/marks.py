"""Targets for calibration."""

import functools

from benchmarks.question import Mark, NotMeasured, Result, Row
from benchmarks.questions.calibration.methods import NOTHING

OVERCONFIDENT, CALIBRATED = 0.05, 0.025  # ECE
TOLERANCE = 1e-3  # of a mean log loss, in nats


def _of_networks(result: Result, method: str, n_classes: int | None = None) -> dict[str, Row]:
    """Rows of the networks with this method, by name."""
    rows = [row for row in result["rows"] if row["kind"] == "network" and row["method"] == method]
    rows = [row for row in rows if n_classes in (None, row["classes"])]
    for row in rows:
        if "absent" in row:
            raise NotMeasured(f"{row['data']}, {method} absent: {row['absent']}")
    if not rows:
        raise NotMeasured(f"no network with {n_classes} classes")
    return {row["data"]: row for row in rows}


def _temperature(result: Result) -> tuple[str, bool]:
    before, after = _of_networks(result, NOTHING), _of_networks(result, "temperature")
    sure = [name for name, row in before.items() if row["ece"]["value"] > 100 * OVERCONFIDENT]
    if not sure:
        raise NotMeasured(f"no network with an ECE above {OVERCONFIDENT:.0%}")
    worst = max(after[name]["ece"]["value"] for name in sure)
    said = [
        f"{name} {before[name]['ece']['value']:.1f} to {after[name]['ece']['value']:.2f}" for name in sure
    ]
    return f"in %: {'; '.join(said)}", worst < 100 * CALIBRATED


def _dirichlet(n_classes: int, other: str, tolerance: float, result: Result) -> tuple[str, bool]:
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
        _temperature,
    ),
    Mark(
        "Dirichlet calibration, networks with 10 classes",
        f"mean log loss at most {TOLERANCE:g} above that of temperature scaling",
        functools.partial(_dirichlet, 10, "temperature", TOLERANCE),
    ),
    Mark(
        "Dirichlet calibration, networks with 100 classes",
        "mean log loss not above that of doing nothing",
        functools.partial(_dirichlet, 100, NOTHING, 0.0),
    ),
]
