"""The comparison table: every loss of linclf and its scikit-learn rivals on the same splits."""

import itertools
import json
import sys
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from sklearn.utils import check_consistent_length

from linclf._compare.report import MEASURES, html_report, text_report
from linclf._compare.tables import check_labels, column_encoder, to_rows
from linclf.losses import LOSSES
from linclf.metrics import expected_calibration_error, reliability_curve


@dataclass(repr=False)
class Comparison:
    """What `compare` measured; ``print(comparison)`` shows the table.

    Attributes
    ----------
    rows : list of dict
        One dict per model, the most accurate first and failed models last. A measure has its mean
        under ``"accuracy"`` and its standard deviation under ``"accuracy_std"``; both are None
        where a model has none. ``"warnings"`` counts warnings, ``"messages"`` holds their texts,
        ``"error"`` the reason why a model failed.
    facts : dict
        The data, the splits, and ``"warm_up_seconds"``.
    last : dict
        What the pictures of the last split need: ``"classes"``, ``"y"`` and, by model,
        ``"objective"``, ``"bins"`` and ``"predicted"``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import compare
    >>> comparison = compare(*load_iris(return_X_y=True), models=["softmax", "sklearn:Log*"])
    >>> sorted(row["model"] for row in comparison.rows)
    ['sklearn:LogisticRegression', 'softmax']
    """

    rows: list
    facts: dict
    last: dict = field(default_factory=dict)

    def __str__(self):
        return text_report(self)

    __repr__ = __str__

    def to_frame(self):
        """The rows as a pandas DataFrame."""
        try:
            import pandas
        except ImportError as fault:
            raise ImportError('to_frame needs pandas: pip install "linclf[compare]"') from fault
        return pandas.DataFrame(self.rows)

    def to_json(self, path):
        """Write the rows and the facts to a JSON file."""
        text = json.dumps({"facts": self.facts, "rows": self.rows}, indent=2, ensure_ascii=False)
        Path(path).write_text(text + "\n", encoding="utf-8")

    def to_html(self, path):
        """Write one self-contained HTML file with the table and pictures of the last split."""
        Path(path).write_text(html_report(self), encoding="utf-8")


def compare(
    X, y, *, models=None, test_size=0.25, repeats=3, alpha=1e-4, random_state=0, n_jobs=None, progress=None
):
    """Fit every loss of linclf and its scikit-learn rivals on the same splits of the data.

    Parameters
    ----------
    X : array, SciPy sparse matrix or DataFrame of shape (n_samples, n_features)
        In a pandas or polars DataFrame, text, category and boolean columns are one-hot encoded.
        Missing values of DataFrames and arrays are imputed, on each training part anew.
    y : array-like of shape (n_samples,)
        Class labels.
    models : list of str, default=None
        Names, or shell patterns such as ``"sklearn:*"``; None takes all.
    test_size : float in (0, 1), default=0.25
        Share of the rows that is held out.
    repeats : int, default=3
        Number of random stratified splits.
    alpha : float >= 0, default=1e-4
        Strength of the L2 penalty for every model; ``C = 1 / (alpha * n)`` for the rivals.
    random_state : int, default=0
        Seed of the splits and of the models.
    n_jobs : int, default=None
        Threads of each model that can use them. Models are always fitted one after the other.
    progress : bool, default=None
        Show progress on stderr; None does so on a terminal only.

    Returns
    -------
    Comparison
        Its ``str()`` is the table. A model that fails is a row with the error.

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
    X, n_missing = to_rows(X)
    classes, codes, y = check_labels(y)
    check_consistent_length(X, y)
    splits = _splits(codes, classes, test_size, repeats, random_state)
    measured, failures = {name: [] for name in names}, {}
    last, warm_up = {"classes": classes, "models": {}}, 0.0
    with _progress(progress, len(names) * repeats) as report:
        for number, (train, test) in enumerate(splits):
            X_train, X_test = _encode(X, train, test)
            sparse = hasattr(X_train, "indptr")
            models = _estimators(alpha, train.size, n_jobs, random_state, sparse)
            last["y"] = codes[test]
            for name in names:
                report(f"{name} (split {number + 1} of {repeats})")
                if name in failures:
                    continue
                try:
                    if number == 0:  # rivals too: the first fit of a process loads libraries
                        seconds = _warm_up(models[name], X_train, y[train], codes[train])
                        warm_up += seconds if name in LOSSES else 0.0
                    measures, drawn = _measure(models[name], X_train, y[train], X_test, codes[test], classes)
                    measured[name].append(measures)
                    last["models"][name] = drawn
                except Exception as fault:  # one broken model must not take the others with it
                    failures[name] = " ".join(f"{type(fault).__name__}: {fault}".split())
                    last["models"].pop(name, None)
    facts = {
        "data": "data",
        "n_samples": X.shape[0],
        "n_features": X.shape[1],
        "n_missing": n_missing,
        "n_classes": classes.size,
        "n_test": last["y"].size,
        "sparse": sparse,
        "repeats": repeats,
        "alpha": alpha,
        "random_state": random_state,
        "warm_up_seconds": round(warm_up, 3),
    }
    rows = [_row(name, measured[name], failures.get(name)) for name in names]
    rows.sort(key=lambda row: (row["error"] is not None, -(row["accuracy"] or 0.0), row["model"]))
    return Comparison(rows, facts, last)


def chosen_models(patterns):
    """The names that match the patterns, in the order of the registry; all for None."""
    known = list(_estimators(1.0, 1, None, 0, False))
    if patterns is None:
        return known
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(f"models: {pattern!r} is no name; the models are {', '.join(known)}")
    for pattern in patterns:
        if not any(fnmatchcase(name.lower(), pattern.lower()) for name in known):
            raise ValueError(f"models: {pattern!r} matches no model; the models are {', '.join(known)}")
    return [n for n in known if any(fnmatchcase(n.lower(), p.lower()) for p in patterns)]


def _estimators(alpha, n_samples, n_jobs, random_state, sparse):
    """All models by name. C and RidgeClassifier's alpha stand for the same penalty as alpha."""
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    from linclf import (
        FocalClassifier,
        LinearClassifier,
        MarginSoftmaxClassifier,
        SoftmaxClassifier,
        SVMClassifier,
    )

    common = {"alpha": alpha, "n_jobs": n_jobs, "random_state": random_state}
    models = {name: LinearClassifier(loss=name, **common) for name in LOSSES}
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


def _splits(codes, classes, test_size, repeats, random_state):
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
    splitter = StratifiedShuffleSplit(repeats, test_size=test_size, random_state=random_state)
    return list(splitter.split(codes, codes))


def _encode(X, train, test):
    """The training and the test rows as numbers, by an encoder fitted on the training rows."""
    encoder = column_encoder(X)
    if encoder is None:
        return X[train], X[test]
    rows = X.iloc if hasattr(X, "iloc") else X
    return encoder.fit_transform(rows[train]), encoder.transform(rows[test])


def _warm_up(model, X, y, codes, at_most=1000):
    """Seconds for a short fit on some rows, two of each class at least, which makes Numba compile.

    Up to a few hundred rows linclf trains by the full gradient, so fewer would compile other code.
    """
    from sklearn.base import clone

    order = np.argsort(codes, kind="stable")
    early = np.empty(codes.size, bool)
    early[order] = np.arange(codes.size) - np.searchsorted(codes[order], codes[order]) < 2
    early[:at_most] = True
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = clone(model)
        if "max_iter" in model.get_params():
            model.set_params(max_iter=1)
        model.fit(X[early], y[early])
    return time.perf_counter() - start


def _measure(model, X_train, y_train, X_test, codes, classes):
    """The measures of one fit, and what the pictures need."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        model.fit(X_train, y_train)
        fitted = time.perf_counter()
        predicted = np.searchsorted(classes, model.predict(X_test))
        measures = {"fit_seconds": fitted - start, "predict_seconds": time.perf_counter() - fitted}
        probabilities = None
        if hasattr(model, "predict_proba"):
            probabilities = np.zeros((codes.size, classes.size))  # a class may be missing in training
            probabilities[:, np.searchsorted(classes, model.classes_)] = model.predict_proba(X_test)
    measures["messages"] = [str(entry.message) for entry in caught]
    correct = predicted == codes
    recalls = np.bincount(codes, correct)[np.unique(codes)] / np.bincount(codes)[np.unique(codes)]
    measures |= {"accuracy": correct.mean(), "balanced_accuracy": recalls.mean()}
    extras = {"predicted": predicted, "objective": list(getattr(model, "history_", {}).get("objective", []))}
    if probabilities is not None:
        if not np.isfinite(probabilities).all():
            raise ValueError("predict_proba returned NaN or infinity")
        true_class = probabilities[np.arange(codes.size), codes]
        measures["log_loss"] = -np.log(np.maximum(true_class, np.finfo(float).eps)).mean()
        labels = np.arange(classes.size)
        measures["ece"] = expected_calibration_error(codes, probabilities, labels=labels)
        extras["bins"] = reliability_curve(codes, probabilities, labels=labels)
    return measures, extras


def _row(name, measured, error):
    row = {"model": name}
    for key in MEASURES:
        values = [] if error else [m[key] for m in measured if key in m]
        row[key] = float(np.mean(values)) if values else None
        row[f"{key}_std"] = float(np.std(values, ddof=1)) if len(values) > 1 else None
    messages = [message for m in measured for message in m["messages"]]
    return row | {"warnings": len(messages), "messages": sorted(set(messages)), "error": error}


@contextmanager
def _progress(wanted, total):
    """Give a function that is called with the name of each step as it begins."""
    terminal = sys.stderr.isatty()
    numbers = itertools.count()
    if wanted is False or (wanted is None and not terminal):
        yield lambda text: None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    except ImportError:  # a nicety: without it there are plain lines
        terminal = False
    if not terminal:
        yield lambda text: print(f"[{next(numbers) + 1}/{total}] {text}", file=sys.stderr, flush=True)
        return
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda text: bar.update(task, completed=next(numbers), description=text)
