"""How long does it take to choose a penalty, compared with cross-validation that starts every fit anew?"""

import functools
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split

from benchmarks.data import generated, named, real
from benchmarks.data.dataset import DataSet
from benchmarks.measure.attempt import attempt
from benchmarks.measure.best_threads import BestThreads
from benchmarks.measure.process import in_process, peak_memory, settled_memory
from benchmarks.measure.timing import timed
from benchmarks.peers.methods import intelex
from benchmarks.peers.problem import Problem
from benchmarks.question import Mark, Measurements, Question, Result, Row, require, row_of
from benchmarks.report.text import fraction, markdown_table, number, shortened
from linclf import SoftmaxClassifier, SoftmaxClassifierCV
from linclf._estimator.fitting import fitting_of, rows_of
from linclf.tuning._leave_one_out import path_of_all
from linclf.tuning._scoring import OfRows, log_likelihoods

FOLDS, ALPHAS = 5, np.geomspace(10, 1e-7, 20)
OURS, PATH, GRID = "SoftmaxClassifierCV", "LogisticRegressionCV", "GridSearchCV(LogisticRegression)"
TOL = 1e-5  # of scikit-learn, which then leaves at most 1e-4 of the way on these data
LEFT_OUT = 300  # rows
SWEEP = np.geomspace(1e-1, 1e-8, 45)
SOME = (0, 22, 44)  # penalties of the sweep for which peers are timed; the others are assumed to take as long
FEW = np.geomspace(1e-2, 1e-7, 10)
NAMES = {
    "digits, 20 penalties x 5 folds": "digits, s",
    "pendigits, the same": "pendigits",
    "32,561 x 115 one-hot, two classes, the same": "one-hot",
}


def run(quick: bool) -> Measurements:
    rows: list[Row] = []
    tables = [real.bundled("digits").scaled(), named.pendigits(quick).scaled(), _one_hot(quick)]
    for data in tables:
        for model in (OURS, PATH, GRID):
            if model != GRID or data.n_classes > 2:
                rows.append(_row("folds", data, model, _folds, model, data))
    pendigits = tables[1]
    rows.append(_row("leave-one-out", pendigits, OURS, _left_out, pendigits, 20 if quick else LEFT_OUT))
    shape = (2_000, 32, 10) if quick else (50_000, 768, 100)
    embeddings = generated.gaussian(*shape, "embeddings", distance=8.0)
    for model in (OURS, "LogisticRegression", "intelex lbfgs"):
        rows.append(_row("sweep", embeddings, model, _sweep, model, embeddings))
    texts = named.clinc150(quick)
    rows.append(_row("sweep", texts, OURS, _own_rows, texts, FEW))
    rows.append(_row("memory", named.mnist(quick), OURS, in_process, memory, quick))
    return {
        "data": [data.facts() for data in (*tables, embeddings, texts)],
        "settings": {"alphas": ALPHAS.tolist(), "folds": FOLDS, "tol_of_sklearn": TOL},
        "rows": rows,
    }


def _row(part: str, data: DataSet, model: str, measure: Any, *arguments: Any) -> Row:
    row = {"part": part, "data": data.name, "model": model}
    return attempt(row, functools.partial(measure, *arguments))


def _one_hot(quick: bool) -> DataSet:
    data = generated.one_hot(500 if quick else 32_561, 17, 2, "one-hot table")
    return data._replace(X=data.X.toarray(), X_test=data.X_test.toarray())


def _folds(name: str, data: DataSet) -> Row:
    cv = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    n = len(data.y) * (1 - 1 / FOLDS)
    common: dict[str, Any] = {"tol": TOL, "max_iter": 1000}
    of_path = {"scoring": "neg_log_loss", "l1_ratios": (0,), "use_legacy_attributes": False}
    models = {
        OURS: SoftmaxClassifierCV(alphas=ALPHAS, cv=cv),
        PATH: LogisticRegressionCV(Cs=1 / (ALPHAS * n), cv=cv, **of_path, **common),
        GRID: GridSearchCV(
            LogisticRegression(**common), {"C": 1 / (ALPHAS * n)}, cv=cv, scoring="neg_log_loss"
        ),
    }
    model, race = models[name], BestThreads()
    if name == OURS:
        race.timed(lambda: model.fit(data.X, data.y))
    else:
        trial = LogisticRegression(C=1 / (1e-4 * n), max_iter=30)
        race.timed(lambda: trial.fit(data.X, data.y))
        race.timed(lambda: trial.fit(data.X, data.y))
    _, seconds, warned, threads = race.timed(lambda: model.fit(data.X, data.y))
    found = {"seconds": seconds, "threads": threads, "warnings": warned}
    if isinstance(model, SoftmaxClassifierCV):
        results = model.cv_results_
        best = int(results["rank_test_score"].argmin())
        error = float(results["standard_error"][best])
        return found | {
            "alpha": model.alpha_,
            "score": float(results["mean_test_score"][best]),
            "error": error,
        }
    if isinstance(model, LogisticRegressionCV):
        return found | {"alpha": 1 / (n * float(model.C_)), "score": float(model.scores_.mean(axis=0).max())}
    return found | {"alpha": 1 / (n * model.best_params_["C"]), "score": float(model.best_score_)}


def _left_out(data: DataSet, n_rows: int) -> Row:
    model = SoftmaxClassifierCV(alphas=ALPHAS, cv="loo")
    race = BestThreads()
    race.timed(lambda: model.fit(data.X, data.y))
    _, seconds, warned, threads = race.timed(lambda: model.fit(data.X, data.y))
    rows = np.random.default_rng(0).choice(len(data.y), n_rows, replace=False)
    return {
        "seconds": seconds,
        "threads": threads,
        "warnings": warned,
        "alpha": model.alpha_,
        "score": float(model.cv_results_["mean_test_score"].max()),
        "approximate": float(_approximate(data, model.alpha_)[rows].mean()),
        "exact": _exact(data, rows, model.alpha_),
    }


def _approximate(data: DataSet, alpha: float) -> np.ndarray:
    """Leave-one-out log losses of the rows, by the approximation."""
    model = SoftmaxClassifierCV(alphas=[alpha], cv="loo")
    fitting = fitting_of(model, rows_of(model, (data.X, data.y, None)), (None, None, None))
    metric = OfRows("neg_log_loss", log_likelihoods)
    return -path_of_all(fitting, model._candidates(data.n_classes), np.array([alpha]), metric).values[0, 0]


def _exact(data: DataSet, rows: np.ndarray, alpha: float) -> float:
    """Mean log loss of rows that are actually left out, one at a time."""
    model, p = SoftmaxClassifier(alpha=alpha, tol=1e-7), []
    for row in rows:
        others = np.delete(np.arange(len(data.y)), row)
        p.append(model.fit(data.X[others], data.y[others]).predict_proba(data.X[[row]])[0])
    return log_loss(data.y[rows], p, labels=np.arange(data.n_classes))


def _sweep(name: str, data: DataSet) -> Row:
    if name == OURS:
        return _own_rows(data, SWEEP)
    seconds, warned, found = [], [], BestThreads()
    for at in SOME:
        problem = Problem(data, "softmax", SWEEP[at])
        if name == "LogisticRegression":
            model = LogisticRegression(C=problem.C, max_iter=200)
            fit = found.timed(lambda model=model: model.fit(data.X, data.y))
        else:
            fit = found.timed(lambda problem=problem: intelex(problem, 200))
        seconds.append(fit.seconds)
        warned += fit.warnings
    return {"seconds": float(np.mean(seconds) * len(SWEEP)), "warnings": warned, "timed": len(SOME)}


def _own_rows(data: DataSet, alphas: np.ndarray) -> Row:
    """A path scored on given validation rows, and one fit with the penalty that it chooses."""
    parts = train_test_split(data.X, data.y, test_size=0.1, random_state=0, stratify=data.y)
    X, X_val, y, y_val = parts
    chooser = SoftmaxClassifierCV(alphas=alphas)
    small = slice(0, 2000)
    chooser.fit(X[small], y[small], X_val=X_val[small], y_val=y_val[small])
    fit = timed(lambda: chooser.fit(X, y, X_val=X_val, y_val=y_val))
    single = timed(lambda: SoftmaxClassifier(alpha=chooser.alpha_).fit(X, y))
    return {
        "seconds": fit.seconds,
        "single": single.seconds,
        "fits": fit.seconds / single.seconds,
        "alpha": chooser.alpha_,
        "score": float(chooser.cv_results_["mean_test_score"].max()),
        "warnings": fit.warnings,
    }


def memory(quick: bool) -> Row:
    """Growth of the resident memory; see `in_process`."""
    data = named.mnist(quick)
    model = SoftmaxClassifierCV(alphas=ALPHAS, cv=FOLDS)
    model.fit(data.X[:500], data.y[:500])
    before = settled_memory()
    seconds = timed(lambda: model.fit(data.X, data.y)).seconds
    growth = peak_memory() - before
    coefficients = len(ALPHAS) * data.n_classes * data.X.shape[1] * 8
    return {
        "seconds": seconds,
        "data_bytes": data.X.nbytes,
        "growth_bytes": growth,
        "coefficient_bytes": coefficients,
        "share": (growth - coefficients) / data.X.nbytes,
        "alpha": model.alpha_,
        "warnings": [],
    }


def table(result: Result) -> str:
    lines = [
        [row["part"], row["data"], row["model"], f"absent: {row['absent']}", "", "", "", ""]
        if "absent" in row
        else [
            *(row["part"], row["data"], row["model"], number(row["seconds"]), row.get("threads", "")),
            f"{row['alpha']:.2e}" if "alpha" in row else "",
            f"{row['score']:.4f}" if "score" in row else "",
            shortened(row["warnings"]),
        ]
        for row in result["rows"]
    ]
    settings = result["settings"]
    return (
        f"*Folds*: {len(settings['alphas'])} penalties x {settings['folds']} folds and the fit to all rows, "
        f"by the log loss; scikit-learn with tol={settings['tol_of_sklearn']:g} and as many iterations as it "
        f"takes. *Leave-one-out*: as many. *Sweep*: {len(SWEEP)} penalties (CLINC150: {len(FEW)}) "
        f"scored on a tenth of the rows; peers are timed for {len(SOME)} of them, and the others are "
        "assumed to take as long.\n\n"
        + markdown_table(
            ["part", "data", "model", "seconds", "threads", "alpha", "score", "warnings"],
            lines,
        )
    )


def _beside(data: str, peer: str, most: float, result: Result) -> tuple[str, bool]:
    folds = [row["data"] for row in result["rows"] if row["part"] == "folds"]
    name = next((name for name in folds if data in name and (data == "pendigits" or "pen" not in name)), data)
    ours, theirs = (row_of(result, part="folds", data=name, model=model) for model in (OURS, peer))
    seconds = [require(row.get("seconds"), row["model"]) for row in (ours, theirs)]
    steps = abs(np.log(ours["alpha"] / theirs["alpha"])) / np.log(ALPHAS[0] / ALPHAS[1])
    apart = abs(ours["score"] - theirs["score"]) / ours["error"]
    measured = (
        f"{number(seconds[0])} s, {fraction(*seconds)} of its {number(seconds[1])} s; {steps:.0f} grid steps "
        f"and {apart:.2f} standard errors apart"
    )
    return measured, seconds[0] <= most * seconds[1] and steps <= 1.01 and apart <= 1


def _loo(result: Result) -> tuple[str, bool]:
    row = row_of(result, part="leave-one-out")
    seconds = require(row.get("seconds"), "leave-one-out")
    wrong = abs(row["approximate"] / row["exact"] - 1)
    return f"{number(seconds)} s, {wrong:.2%} from the exact log loss", seconds <= 1 and wrong <= 0.01


def _in_fits(text: bool, most: float, result: Result) -> tuple[str, bool]:
    rows = [row for row in result["rows"] if row["part"] == "sweep" and row["model"] == OURS]
    row = rows[1 if text else 0]
    fits = require(row.get("fits"), row["data"])
    return f"{number(row['seconds'])} s, {fits:.1f} fits", fits <= most


def _sweep_beside(peer: str, result: Result) -> tuple[str, bool]:
    rows = [row for row in result["rows"] if row["part"] == "sweep"]
    seconds = [require(row.get("seconds"), row["model"]) for row in (rows[0], row_of(result, model=peer))]
    return f"{fraction(*seconds)} of its {number(seconds[1])} s", seconds[0] <= seconds[1] / 20


def _memory(result: Result) -> tuple[str, bool]:
    share = require(row_of(result, part="memory").get("share"), "memory")
    return f"X + {share:.0%}", share <= 0.2


_ONE_TENTH, _ONE_TWENTIETH = (
    {name: functools.partial(_beside, data, peer, most) for name, data in NAMES.items()}
    for peer, most in ((PATH, 0.1), (GRID, 0.05))
)
MARKS = [
    *(Mark(name, "1/10 of LogisticRegressionCV", mark) for name, mark in _ONE_TENTH.items()),
    *(Mark(name, "1/20 of GridSearchCV", mark) for name, mark in list(_ONE_TWENTIETH.items())[:2]),
    Mark("pendigits, leave-one-out", "1 s, and within 1 % of the exact log loss", _loo),
    Mark("45 penalties, 50,000 x 768, 100 classes", "5 fits", functools.partial(_in_fits, False, 5)),
    *(
        Mark("the same", f"1/20 of {peer}", functools.partial(_sweep_beside, peer))
        for peer in ("LogisticRegression", "intelex lbfgs")
    ),
    Mark("CLINC150, 10 penalties", "3 fits", functools.partial(_in_fits, True, 3)),
    Mark("MNIST, 20 penalties x 5 folds, memory", "X + 20 % besides the coefficients", _memory),
]

QUESTION = Question("Penalties", __doc__, run, table, MARKS)
