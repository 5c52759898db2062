"""Scores of left-out rows along a path, without folds, and a check of a few of them."""

import warnings
from typing import Any, NamedTuple

import numpy as np

from linclf._data.targets import Indicators
from linclf._estimator.fitting import Fitting
from linclf._training.fit import Fit, starting_weights
from linclf._training.left_out_rows import MOST, LeftOutRows, inverts
from linclf._training.model import LinearModel
from linclf._training.path import path
from linclf._training.prior import besides_prior, without_prior
from linclf._training.solvers import Newton
from linclf._training.threads import threads
from linclf._training.train import fit_for, prepared, trained
from linclf._types import FloatArray, IntArray, Loss
from linclf.losses._registry import trait
from linclf.tuning._paths import Candidate, PartPath
from linclf.tuning._scoring import OfRows, mean_of
from linclf.tuning._table import Table

# rows to really leave out, for the best penalty and its neighbours: fewer of many rows, as fits take longer
CHECKED, FEWEST, VISITED = 8, 2, 8000
ALONE = 1e-7  # tol of a fit without one row
POOR = 0.1  # error of the other rows, as a share of the score, above which there is a warning


class AllRows(NamedTuple):
    """The path on all rows, and values (n_losses, n_alphas, n) of each row by the model without it."""

    path: PartPath
    values: FloatArray


def path_of_all(fitting: Fitting, candidates: list[Candidate], alphas: FloatArray, metric: OfRows) -> AllRows:
    """Like `path_of_part`, with each row scored by the model without it."""
    weights, n_jobs = _weights(fitting), fitting.settings.n_jobs
    shape = len(candidates), len(alphas)
    result = AllRows(PartPath(np.empty(shape), np.empty(shape), [], []), np.empty((*shape, len(weights))))
    for i, candidate in enumerate(candidates):
        loss = candidate.loss
        fit = _fit(fitting, loss, alphas)
        rows = LeftOutRows(fit)
        outcomes = list(path(fitting.task(), loss, Newton(), fitting.settings, alphas.tolist(), fitting.rng))
        result.path.models.append([outcome.model for outcome in outcomes])

        def of_penalty(j: int, i: int = i, rows: LeftOutRows = rows, fit: Fit = fit) -> FloatArray:
            model = result.path.models[i][j]
            return _values(rows, fit.with_alpha(float(alphas[j])), model, fitting, metric)

        with threads(n_jobs, len(alphas)) as pool:
            for j, values in enumerate((map if pool is None else pool.map)(of_penalty, range(len(alphas)))):
                result.values[i, j] = values
                result.path.scores[i, j], result.path.errors[i, j] = mean_of(values, weights)
                if fitting.settings.verbose:
                    where = f"penalty {j + 1}/{len(alphas)}: alpha {alphas[j]:.3g}"
                    print(f"{where}, {metric.name} {result.path.scores[i, j]:.6g}")
        for alpha, outcome in zip(alphas, outcomes, strict=True):
            result.path.warnings.extend(f"alpha={alpha:.3g}: {text}" for text in outcome.warnings)
    return result


class Corrected(NamedTuple):
    """A mean score for which the rows that change most were really left out, and these rows."""

    mean: float
    error: float
    rows: IntArray
    approximate: FloatArray
    exact: FloatArray
    doubt: float  # possible error of the other rows, as a share of the score

    def check(self) -> dict[str, Any]:
        """The published check; warns if the other rows are in doubt."""
        if self.doubt > POOR:
            warnings.warn(
                f"cv='loo' is poor here: of the {len(self.rows)} rows that matter most, approximate scores "
                f"{self.approximate.round(3).tolist()} are {self.exact.round(3).tolist()} if the rows are "
                "really left out, and the other rows are approximate; use folds, such as cv=5",
                UserWarning,
                stacklevel=5,
            )
        return {"rows": self.rows, "approximate": self.approximate, "exact": self.exact}


def corrected(
    values: FloatArray, fitting: Fitting, loss: Loss, alpha: float, model: LinearModel, metric: OfRows
) -> Corrected:
    """Really leave out the rows whose scores change most."""
    y, every = fitting.data.counted[0], np.arange(len(values))
    n_checked = int(np.clip(VISITED // len(values), FEWEST, CHECKED))
    changes = np.abs(values - metric.of_rows(loss, _decisions(loss, model, fitting, every), y))
    ids = np.sort(np.argsort(-changes, kind="stable")[:n_checked])
    approximate, values = values[ids], values.copy()
    with threads(fitting.settings.n_jobs, n_checked) as pool:
        each = map if pool is None else pool.map
        exact = np.array(list(each(lambda row: _without(row, fitting, loss, alpha, model, metric), ids)))
    wrong = np.abs(exact - approximate).sum() / (changes[ids].sum() or 1.0)
    values[ids], changes[ids] = exact, 0
    doubt = wrong * changes.sum() / (np.abs(values).sum() or 1.0)
    return Corrected(*mean_of(values, _weights(fitting)), ids, approximate, exact, float(doubt))


def correct(
    table: Table, fitting: Fitting, losses: list[Loss], found: AllRows, metric: OfRows
) -> dict[str, Any]:
    """Correct the scores of the best penalty and its neighbours, until the best one stays the same."""
    done: dict[tuple[int, int], Corrected] = {}
    while True:
        i, best = table.chosen("best")
        near = range(max(best - 1, 0), min(best + 2, len(table.alphas)))
        todo = [(i, j) for j in near if (i, j) not in done]
        if not todo:
            return done[i, best].check()
        for i, j in todo:
            model, alpha = found.path.models[i][j], float(table.alphas[j])
            one = corrected(found.values[i, j], fitting, losses[i], alpha, model, metric)
            table.scores[0, i, j], table.errors[0, i, j] = one.mean, one.error
            done[i, j] = one


def refuse_single(y: Indicators) -> None:
    """Refuse labels that a single row has, or lacks: without it they would have no minimum."""
    has = np.count_nonzero(y.signs > 0, axis=0)
    single = np.flatnonzero(np.minimum(has, y.n_rows - has) < 2)
    if single.size:
        raise ValueError(
            f"cv='loo' needs two rows with each label and two without it, and column {single[0]} of y has "
            "fewer; remove it, or use folds, such as cv=5"
        )


def refuse(fitting: Fitting, losses: list[Loss], alphas: FloatArray) -> None:
    """Refuse penalties and losses whose scores cannot be approximated, before anything is trained."""
    if fitting.settings.norm is not None:
        raise ValueError(
            "cv='loo' takes one step of Newton's method, and the penalty has kinks where weights are 0; use "
            "folds, such as cv=5, or penalty='l2'"
        )
    for loss in losses:
        fit = _fit(fitting, loss, alphas)
        if not inverts(fit):
            n_weights = fit.shape.n_products * (fit.shape.n_trained + 1)
            raise ValueError(
                f"cv='loo' needs a smooth convex loss on scores that are linear in the weights, and at most "
                f"{MOST:,} weights; {loss!r} has {n_weights:,} here. Use folds, such as cv=5"
            )


def _fit(fitting: Fitting, loss: Loss, alphas: FloatArray) -> Fit:
    settings = fitting.settings._replace(alpha=float(alphas.min()))
    task = prepared(besides_prior(fitting.task()), loss, Newton())
    return fit_for(task, loss, Newton(), settings, None, np.random.RandomState(0))


def _weights(fitting: Fitting) -> FloatArray:
    """Weights of the rows, without class weights."""
    y, weights = fitting.data.counted
    return weights if fitting.per_class is None else weights / y.expected(fitting.per_class)


def _values(rows: LeftOutRows, fit: Fit, model: LinearModel, fitting: Fitting, metric: OfRows) -> FloatArray:
    """The value of each row, by the model without it."""
    model = without_prior(model, fitting.prior)
    W = model.W if fit.columns is None else model.W[:, fit.columns.at]
    V = starting_weights(
        model._replace(W=W), fit.head, fit.coordinates, fit.problem.storage, np.dtype(np.float64)
    )
    scores = rows.scores(fit, fit.problem.storage.by_classes(V)) - fitting.offset
    return metric.of_rows(fit.loss, _of_two(fit.loss, scores), fit.data.counted[0])


def _decisions(loss: Loss, model: LinearModel, fitting: Fitting, ids: np.ndarray) -> FloatArray:
    data = fitting.data.compact().take(ids)
    scores = model.scores(data.X) - fitting.offset
    if data.offset is not None:
        scores += data.offset
    return _of_two(loss, np.asarray(scores, np.float64))


def _of_two(loss: Loss, scores: FloatArray) -> FloatArray:
    """For two classes, 0 and the difference of their scores; those of two labels have nothing in common."""
    if scores.shape[1] == 2 and trait(loss, "exclusive"):
        return np.column_stack([np.zeros(len(scores)), scores[:, 1] - scores[:, 0]])
    return scores


def _without(
    row: int, fitting: Fitting, loss: Loss, alpha: float, model: LinearModel, metric: OfRows
) -> float:
    """The score of a row that is really left out."""
    data = fitting.data.compact()
    others = np.delete(np.arange(len(data.weights)), row)
    weights = data.weights.copy()
    weights[row] = 0
    task = fitting.task()._replace(data=data._replace(weights=weights, chosen=others), start=model)
    # one row is a small part of the objective, so its effect is visible only with a small tol
    settings = fitting.settings._replace(alpha=alpha, tol=ALONE, verbose=0, n_jobs=1)
    outcome = trained(task, loss, Newton(), settings, None, np.random.RandomState(0))
    scores = _decisions(loss, outcome.model, fitting, np.array([row]))
    return float(metric.of_rows(loss, scores, data.y.take(np.array([row])))[0])
