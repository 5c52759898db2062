"""Compare every loss of linclf and its scikit-learn rivals on the same splits of a table."""

import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import _safe_indexing, check_consistent_length

from linclf._compare.progress import step_reporter
from linclf._compare.report import MEASURES, Facts, Row, html_report, text_report
from linclf._compare.tables import check_labels, check_table, column_encoder
from linclf.classifiers import (
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SVMClassifier,
)
from linclf.losses import LOSSES
from linclf.metrics import expected_calibration_error, reliability_curve

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


@dataclass(repr=False)
class Comparison:
    """What `compare` measured; ``print(comparison)`` shows the table.

    Attributes
    ----------
    rows : list of dict
        One dict per model, the most accurate first and failed models last. A measure has its mean
        under ``"accuracy"`` and its standard deviation under ``"accuracy_std"``; both are None if the
        model does not have the measure. ``"warnings"`` counts warnings, ``"messages"`` holds their
        texts, ``"error"`` is the reason why a model failed, or None.
    facts : dict
        The data, the splits, and ``"warm_up_seconds"``.
    last : dict
        The last split, for pictures: ``"classes"``, ``"y"``, and ``"models"`` with ``"objective"``,
        ``"bins"`` and ``"predicted"`` of each model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import compare
    >>> comparison = compare(*load_iris(return_X_y=True), models=["softmax", "sklearn:Log*"])
    >>> sorted(row["model"] for row in comparison.rows)
    ['sklearn:LogisticRegression', 'softmax']
    """

    rows: list[Row]
    facts: Facts
    last: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return text_report(self)

    __repr__ = __str__

    def to_frame(self) -> "pd.DataFrame":
        """The rows as a pandas DataFrame."""
        try:
            import pandas as pd
        except ImportError as fault:
            raise ImportError('to_frame needs pandas: pip install "linclf[compare]"') from fault
        return pd.DataFrame(self.rows)

    def to_json(self, path: str | PathLike[str]) -> None:
        """Write the rows and the facts to a JSON file."""
        text = json.dumps({"facts": self.facts, "rows": self.rows}, indent=2, ensure_ascii=False)
        Path(path).write_text(text + "\n", encoding="utf-8")

    def to_html(self, path: str | PathLike[str]) -> None:
        """Write one self-contained HTML file with the table and pictures of the last split."""
        Path(path).write_text(html_report(self), encoding="utf-8")


def compare(
    X: Any,
    y: "ArrayLike",
    *,
    models: str | Sequence[str] | None = None,
    test_size: float = 0.25,
    repeats: int = 3,
    alpha: float = 1e-4,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Fit every loss of linclf and its scikit-learn rivals on the same splits of the data.

    Parameters
    ----------
    X : array, SciPy sparse matrix or DataFrame of shape (n_samples, n_features)
        In a pandas or polars DataFrame, text, category and boolean columns are one-hot encoded.
        Missing values of DataFrames and dense arrays are imputed from the training rows of each split.
    y : array-like of shape (n_samples,)
        Class labels.
    models : str or list of str, default=None
        Names, or shell patterns such as ``"sklearn:*"``; None takes all.
    test_size : float in (0, 1), default=0.25
        Share of the rows that is held out for testing.
    repeats : int, default=3
        Number of random stratified splits.
    alpha : float >= 0, default=1e-4
        Strength of the L2 penalty for every model; ``C = 1 / (alpha * n)`` for the rivals.
    random_state : int, default=0
        Seed of the splits and of the models.
    n_jobs : int, default=None
        Threads of each model that can use them. Models are always fitted one after the other.
    progress : bool, default=None
        Whether to show progress on stderr; None shows it only on a terminal.

    Returns
    -------
    Comparison
        Its ``str()`` is the table. A model that fails has a row with the error.

    Raises
    ------
    ValueError
        If a name matches no model, or if the data cannot be split by class.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import compare
    >>> comparison = compare(*load_iris(return_X_y=True), models=["softmax", "sklearn:Dummy*"])
    >>> comparison.rows[0]["model"]
    'softmax'
    """
    names = chosen_models(models)
    if not alpha >= 0:
        raise ValueError(f"alpha={alpha!r} must be 0 or more; the default is 1e-4")
    X, n_missing = check_table(X)
    classes, codes, labels = check_labels(y)
    check_consistent_length(X, labels)
    splits = _splits(codes, classes, test_size, repeats, random_state)
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    failures: dict[str, str] = {}
    last: dict[str, Any] = {"classes": classes, "models": {}}
    warm_up_seconds, encoded_sparse = 0.0, False
    with step_reporter(progress, len(names) * repeats) as report_step:
        for number, (train, test) in enumerate(splits):
            X_train, X_test = _encode(X, train, test)
            encoded_sparse = hasattr(X_train, "indptr")
            estimators = _estimators(alpha, train.size, n_jobs, random_state, encoded_sparse)
            last["y"] = codes[test]
            for name in names:
                report_step(f"{name} (split {number + 1} of {repeats})")
                if name in failures:
                    continue
                model = estimators[name]
                try:
                    if number == 0:  # rivals too: the first fit of a process loads libraries
                        seconds = _time_first_fit(model, X_train, labels[train], codes[train])
                        warm_up_seconds += seconds if name in LOSSES else 0.0
                    measures, outputs = _measure(model, X_train, labels[train], X_test, codes[test], classes)
                    measured[name].append(measures)
                    last["models"][name] = outputs
                except Exception as fault:  # the comparison continues without a model that fails
                    failures[name] = " ".join(f"{type(fault).__name__}: {fault}".split())
                    last["models"].pop(name, None)
    facts = {
        "data": "data",
        "n_samples": X.shape[0],
        "n_features": X.shape[1],
        "n_missing": n_missing,
        "n_classes": classes.size,
        "n_test": last["y"].size,
        "sparse": encoded_sparse,
        "repeats": repeats,
        "alpha": alpha,
        "random_state": random_state,
        "warm_up_seconds": round(warm_up_seconds, 3),
    }
    rows = [_row(name, measured[name], failures.get(name)) for name in names]
    rows.sort(key=lambda row: (row["error"] is not None, -(row["accuracy"] or 0.0), row["model"]))
    return Comparison(rows, facts, last)


def chosen_models(patterns: str | Sequence[str] | None) -> list[str]:
    """The names that match any of the patterns, in the order of the registry; all names for None."""
    known = list(_estimators(1.0, 1, None, 0, False))
    if patterns is None:
        return known
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(f"models: {pattern!r} is not a name; the models are {', '.join(known)}")
    for pattern in patterns:
        if not any(fnmatchcase(name.lower(), pattern.lower()) for name in known):
            raise ValueError(f"models: {pattern!r} matches no model; the models are {', '.join(known)}")
    return [name for name in known if any(fnmatchcase(name.lower(), p.lower()) for p in patterns)]


def _estimators(
    alpha: float, n_samples: int, n_jobs: int | None, random_state: int, sparse: bool
) -> dict[str, Any]:
    """All models by name. C and RidgeClassifier's alpha are set to the same penalty as alpha."""
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    common: dict[str, Any] = {"alpha": alpha, "n_jobs": n_jobs, "random_state": random_state}
    models: dict[str, Any] = {name: LinearClassifier(loss=name, **common) for name in LOSSES}
    models["softmax"] = SoftmaxClassifier(**common)
    models["focal"] = FocalClassifier(**common)
    for form in ("weston-watkins", "crammer-singer", "one-vs-rest"):
        models[form] = SVMClassifier(multi_class=form, **common)
        models[f"squared-{form}"] = SVMClassifier(multi_class=form, squared=True, **common)
    for margin in ("normface", "cosface", "arcface", "sphereface"):
        models[margin] = MarginSoftmaxClassifier(margin_type=margin, **common)

    C = 1.0 / (alpha * n_samples) if alpha > 0 else np.inf
    rivals = {
        "LogisticRegression": LogisticRegression(C=C, random_state=random_state),
        "SGD-log_loss": SGDClassifier(loss="log_loss", **common),
        "SGD-hinge": SGDClassifier(loss="hinge", **common),
        "LinearSVC": LinearSVC(C=C, random_state=random_state),
        "RidgeClassifier": RidgeClassifier(alpha=0.5 * alpha * n_samples, random_state=random_state),
        "DummyClassifier": DummyClassifier(strategy="prior"),
    }
    for name, rival in rivals.items():
        models[f"sklearn:{name}"] = rival if sparse else make_pipeline(StandardScaler(), rival)
    return models


def _splits(
    codes: np.ndarray, classes: np.ndarray, test_size: float, repeats: int, random_state: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    from sklearn.model_selection import StratifiedShuffleSplit

    if not 0.0 < test_size < 1.0:
        raise ValueError(
            f"test_size={test_size!r} must lie between 0 and 1; use 0.25 for a quarter of the rows"
        )
    if repeats < 1:
        raise ValueError(f"repeats={repeats!r} must be at least 1")
    counts = np.bincount(codes, minlength=classes.size)
    if classes.size < 2:
        raise ValueError(f"y has one class only, {classes.tolist()[0]!r}; a classifier needs two or more")
    rare = classes[counts < 2].tolist()
    if rare:
        shown = ", ".join(map(repr, rare[:5])) + (f" and {len(rare) - 5} more" if len(rare) > 5 else "")
        raise ValueError(
            f"y has {len(rare)} of {classes.size} classes with a single row ({shown}), too few for a "
            "training and a test part; drop these rows or merge the classes"
        )
    options: dict[str, Any] = {"test_size": test_size, "random_state": random_state}
    return list(StratifiedShuffleSplit(repeats, **options).split(codes, codes))


def _encode(X: Any, train: np.ndarray, test: np.ndarray) -> tuple[Any, Any]:
    """The training and the test rows as numbers, by an encoder fitted on the training rows."""
    encoder = column_encoder(X)
    X_train, X_test = _safe_indexing(X, train), _safe_indexing(X, test)
    if encoder is None:
        return X_train, X_test
    return encoder.fit_transform(X_train), encoder.transform(X_test)


def _time_first_fit(model: Any, X: Any, y: np.ndarray, codes: np.ndarray, n_rows: int = 1000) -> float:
    """Seconds of a short fit, in which Numba compiles, on the first rows and two or more of each class.

    Up to a few hundred rows linclf trains by the full gradient, so fewer rows would compile other code.
    """
    from sklearn.base import clone

    order = np.argsort(codes, kind="stable")
    selected = np.empty(codes.size, bool)
    selected[order] = np.arange(codes.size) - np.searchsorted(codes[order], codes[order]) < 2
    selected[:n_rows] = True
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copy: Any = clone(model)
        if "max_iter" in copy.get_params():
            copy.set_params(max_iter=1)
        copy.fit(X[selected], y[selected])
    return time.perf_counter() - start


def _measure(
    model: Any, X_train: Any, y_train: np.ndarray, X_test: Any, codes: np.ndarray, classes: np.ndarray
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fit a model; returns its measures on the test rows, and its outputs for the pictures."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        model.fit(X_train, y_train)
        fitted = time.perf_counter()
        predicted = np.searchsorted(classes, model.predict(X_test))
        measures: dict[str, Any] = {
            "fit_seconds": fitted - start,
            "predict_seconds": time.perf_counter() - fitted,
        }
        probabilities = None
        if hasattr(model, "predict_proba"):
            probabilities = np.zeros((codes.size, classes.size))  # a class may be missing in training
            probabilities[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(X_test)
    measures["messages"] = [str(entry.message) for entry in caught]
    correct = predicted == codes
    recalls = np.bincount(codes, correct)[np.unique(codes)] / np.bincount(codes)[np.unique(codes)]
    measures |= {"accuracy": correct.mean(), "balanced_accuracy": recalls.mean()}
    objective = list(getattr(model, "history_", {}).get("objective", []))
    outputs: dict[str, Any] = {"predicted": predicted, "objective": objective}
    if probabilities is not None:
        if not np.isfinite(probabilities).all():
            raise ValueError("predict_proba returned NaN or infinity")
        true_class = probabilities[np.arange(codes.size), codes]
        measures["log_loss"] = -np.log(np.maximum(true_class, np.finfo(float).eps)).mean()
        all_codes = np.arange(classes.size)
        measures["ece"] = expected_calibration_error(codes, probabilities, labels=all_codes)
        outputs["bins"] = reliability_curve(codes, probabilities, labels=all_codes)
    return measures, outputs


def _row(name: str, measured: list[dict[str, Any]], error: str | None) -> Row:
    row: Row = {"model": name}
    for key in MEASURES:
        values = [] if error else [measures[key] for measures in measured if key in measures]
        row[key] = float(np.mean(values)) if values else None
        row[f"{key}_std"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
    messages = [message for measures in measured for message in measures["messages"]]
    return row | {"warnings": len(messages), "messages": sorted(set(messages)), "error": error}
