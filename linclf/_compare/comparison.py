"""Compare every loss of linclf, its scikit-learn rivals and the user's models on the same splits."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_consistent_length

from linclf._compare.candidates import BASELINE, chosen, without_twins
from linclf._compare.facts import Facts, class_balance, machine_facts
from linclf._compare.leaders import MOST_LEADERS
from linclf._compare.measures import check_sort
from linclf._compare.page import html_page, html_summary
from linclf._compare.progress import step_reporter
from linclf._compare.running import Run
from linclf._compare.splitting import split_table
from linclf._compare.summary import Row, rows_of
from linclf._compare.text import text_report
from linclf._compare.tuning import check_penalty
from linclf._compare.verdict import recommended, verdict
from linclf._tables.features import features_of
from linclf._tables.labels import check_labels
from linclf._tables.numbers import Decimal

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


@dataclass(repr=False)
class Comparison:
    """The result of `compare`; ``print(comparison)`` shows the table, and a notebook shows it as HTML.

    Attributes
    ----------
    rows : list of dict
        One dict per model, the best first and failed models last. For each measure, such as accuracy, it
        holds the mean over the splits (``"accuracy"``), the standard deviation (``"accuracy_std"``) and the
        values (``"accuracy_splits"``); times are medians. ``"status"`` is "best", "tied" (not
        distinguishable from the best), "worse", "baseline" or "failed"; ``"behind"`` and
        ``"behind_margin"`` are the paired difference to the best and half the width of its interval.
        ``"alpha"`` and ``"C"`` are the penalty that most splits chose, ``"messages"`` the texts of
        warnings, and ``"error"`` the reason why a model failed, or None.
    facts : dict
        The data, the splits, the settings, the versions, the machine and the date.
    last : dict
        The last split, for pictures: ``"classes"``, ``"y"``, and ``"models"`` with ``"outputs"`` and
        ``"objective"`` of each model.

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

    def _repr_html_(self) -> str:
        return html_summary(self)

    @property
    def verdict(self) -> str:
        """The recommended model and why, in words."""
        return verdict(self.rows, self.facts)

    def to_frame(self) -> "pd.DataFrame":
        """The rows as a pandas DataFrame."""
        try:
            import pandas as pd
        except ImportError as fault:
            raise ImportError('to_frame needs pandas: pip install "linclf[compare]"') from fault
        return pd.DataFrame(self.rows)

    def to_json(self, path: str | PathLike[str]) -> None:
        """Write the verdict, the facts and the rows to a JSON file."""
        content = {"verdict": self.verdict, "facts": self.facts, "rows": self.rows}
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        Path(path).write_text(text + "\n", encoding="utf-8")

    def to_html(self, path: str | PathLike[str], *, loss_curves: bool = False) -> None:
        """Write one self-contained HTML file with the verdict, the table and pictures.

        Parameters
        ----------
        path : str or path
        loss_curves : bool, default=False
            Whether to also draw the training objective of each loss.
        """
        Path(path).write_text(html_page(self, loss_curves=loss_curves), encoding="utf-8")


def compare(
    X: Any,
    y: "ArrayLike",
    *,
    models: Any = None,
    columns: Mapping[str, str] | None = None,
    tune: bool = True,
    alpha: float | None = None,
    alphas: Sequence[float] | None = None,
    sort: str | None = None,
    test_size: float | None = None,
    repeats: int | None = None,
    cv: Any = None,
    groups: "ArrayLike | None" = None,
    times: "ArrayLike | None" = None,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Tune and fit every loss of linclf and its scikit-learn rivals on the same splits, and compare them.

    All models get the same numbers: missing values are imputed, numbers standardised, categories one-hot
    encoded and text converted to TF-IDF, with an encoder fitted to the training rows of each split;
    ``facts["reading"]`` lists the kind of each column. The penalty of each model is chosen inside each
    training part by the same rule (three folds, one grid, the log loss, or ``sort`` if a model has no
    probabilities). Exceptions are losses on cosines, whose predictions do not depend on the length of the
    weights, and your own models, which are fitted as they are.

    Parameters
    ----------
    X : array, SciPy sparse matrix or DataFrame of shape (n_samples, n_features)
        Columns of a pandas or polars DataFrame are numbers (also numbers written as text), categories or
        text. Dates, row numbers, and columns with a single value or a different word in each row are left
        out.
    y : array-like of shape (n_samples,)
        Class labels.
    models : str, classifier, list of these, or dict of names to classifiers, default=None
        Names or shell patterns such as ``"sklearn:*"``, and your own estimators, also as
        ``(name, estimator)``. A pipeline gets the rows of X unchanged. None means all names.
    columns : dict of str to str, default=None
        Kinds of DataFrame columns that are detected wrongly: "number", "category", "text" or "left out".
    tune : bool, default=True
        Whether to choose the penalty of each model. False uses one alpha for all.
    alpha : float >= 0, default=None
        The penalty if ``tune=False``; None is 1e-4. The rivals get ``C = 1 / (alpha * n)``.
    alphas : list of float >= 0, default=None
        Penalties to choose from; None means the powers of ten from 1 to 1e-6.
    sort : str, default=None
        The measure to rank by: "accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "average_precision",
        "log_loss" or "ece". None means accuracy; if at least four fifths of the rows are of one class, it
        means "average_precision" of the rarer of two classes, or "macro_f1" for more.
    test_size : float in (0, 1), default=None
        Share of the rows held out for testing; None is a quarter.
    repeats : int, default=None
        Number of random splits, or of test parts in the order of ``times``; None is 5.
    cv : int or splitter, default=None
        Folds instead of random splits.
    groups : array-like of shape (n_samples,), default=None
        Rows of the same group, such as a patient, are never in both parts.
    times : array-like of shape (n_samples,), default=None
        Test rows are later than training rows: the last ``test_size`` of the rows, in ``repeats`` pieces.
    random_state : int, default=0
        Seed of the splits and of the models.
    n_jobs : int, default=None
        Threads for each model that can use them. Models are always fitted one after the other, rivals with
        the fastest number of BLAS threads.
    progress : bool, default=None
        Whether to show progress on stderr; None shows it only on a terminal.

    Returns
    -------
    Comparison
        Its ``str()`` is the table. A model that fails gets a row with the error.

    Raises
    ------
    ValueError
        If a name matches no model, arguments exclude each other or are out of range, or the data cannot be
        split by class.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import compare
    >>> comparison = compare(*load_iris(return_X_y=True), models=["softmax", "sklearn:Dummy*"])
    >>> [row["status"] for row in comparison.rows]
    ['best', 'baseline']
    """
    *_, last = comparisons(
        X,
        y,
        models=models,
        columns=columns,
        tune=tune,
        alpha=alpha,
        alphas=alphas,
        sort=sort,
        test_size=test_size,
        repeats=repeats,
        cv=cv,
        groups=groups,
        times=times,
        random_state=random_state,
        n_jobs=n_jobs,
        progress=progress,
    )
    return last


def comparisons(
    X: Any,
    y: "ArrayLike",
    *,
    models: Any,
    columns: Mapping[str, str] | None,
    decimal: Decimal | None = None,
    tune: bool,
    alpha: float | None,
    alphas: Sequence[float] | None,
    sort: str | None,
    random_state: int,
    n_jobs: int | None,
    progress: bool | None,
    **split: Any,
) -> Iterator[Comparison]:
    """Yield the result for the models that are measured first, then the final result of `compare`."""
    grid = check_penalty(tune, alpha, alphas)
    candidates = chosen(models, n_jobs, random_state)
    features = features_of(X, columns, decimal)
    classes, codes, labels = check_labels(y)
    check_consistent_length(features.rows, labels)
    splitting = split_table(codes, classes, random_state=random_state, **split)
    counts = np.bincount(codes, minlength=classes.size)
    sort = check_sort(sort, counts)
    stands_for: dict[str, list[str]] = {}
    if classes.size == 2:
        candidates, stands_for = without_twins(candidates)
    given = X if hasattr(X, "shape") else np.asarray(X)
    facts: Facts = {
        "data": "data",
        "n_samples": features.rows.shape[0],
        "n_features": features.n_features,
        "n_missing": features.n_missing,
        "n_classes": int(classes.size),
        "n_models": len(candidates),
        "class_balance": class_balance(codes, classes),
        "class_of_interest": str(classes[counts.argmin()]),
        "columns": features.facts(),
        "reading": features.lines(),
        "splits": splitting.words,
        "n_splits": len(splitting.parts),
        "n_train": round(float(np.mean([train.size for train, _ in splitting.parts]))),
        "n_test": round(float(np.mean([test.size for _, test in splitting.parts]))),
        "tuned": tune,
        "alphas": list(grid),
        "sort": sort,
        "random_state": random_state,
        **machine_facts(),
    }
    n_leaders = min(MOST_LEADERS, sum(candidate.name != BASELINE for candidate in candidates))
    steps = len(splitting.parts) * (len(candidates) + n_leaders)
    with step_reporter(progress, steps) as report_step:
        run = Run(
            given=given,
            features=features,
            y=labels,
            codes=codes,
            classes=classes,
            class_of_interest=int(counts.argmin()),
            splitting=splitting,
            alphas=grid,
            sort=sort,
            report_step=report_step,
        )

        def result() -> Comparison:
            shown = {name: each._asdict() for name, each in run.shown.items()}
            return Comparison(
                rows_of(run, candidates, stands_for),
                facts | {"compile_seconds": round(run.compile_seconds, 3)},
                {"classes": classes, "y": codes[splitting.parts[-1][1]], "models": shown},
            )

        for _ in run.stages(candidates):
            yield result()
        names = run.leaders(MOST_LEADERS)
        taken = recommended(result().rows)
        if taken is not None and taken["model"] not in names:
            names[-1] = taken["model"]
        run.look_at([candidate for candidate in candidates if candidate.name in names])
        yield result()
