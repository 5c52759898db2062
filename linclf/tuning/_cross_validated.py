"""Classifiers that choose their penalty: a path of penalties for each fold, and one fit at the end."""

import warnings
from copy import copy
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)

from linclf._data.dataset import Dataset
from linclf._data.folds import Folds, Splitter
from linclf._data.targets import Indicators, Targets
from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.declared import attribute, not_offered, parameter
from linclf._estimator.fitting import (
    Fitting,
    GivenRows,
    GivenValidation,
    fitting_of,
    rows_of,
)
from linclf._estimator.from_batches import NOT_IN_MEMORY
from linclf._estimator.known import Known
from linclf._estimator.several_labels import SeveralLabels
from linclf._sources.batches import Batches
from linclf._training.blas import one_blas_thread
from linclf._training.path import path
from linclf._training.present import revived
from linclf._training.threads import threads
from linclf._types import FloatArray, Loss, MatrixLike, typed
from linclf.losses._registry import trait
from linclf.tuning import _leave_one_out as loo
from linclf.tuning._alphas import alphas_of
from linclf.tuning._parts import Part, given_part, parts_of
from linclf.tuning._paths import Candidate, PartPath, path_of_part
from linclf.tuning._scoring import OF_ROWS, Metric, OfRows, metric_for
from linclf.tuning._table import Table
from linclf.tuning._tried import Tried

SMALL = 2**24  # multiply-adds of a pass: up to this, threads take whole folds; beyond, they share passes
INPUT = "n_features_in_", "feature_names_in_"
NO_VALIDATION: GivenValidation = (None, None, None)
UNBOUNDED_PENALTY = 1e-4  # for losses on cosines, on whose scores the penalty has no effect


class CrossValidated(BaseLinearClassifier):
    """Chooses the penalty on held-out rows; a final class names its loss."""

    alphas: int | str | ArrayLike = parameter(
        default=20,
        constraint=[Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), "array-like"],
        type='int, "auto" or array-like of float > 0',
        description="""
        The penalties to choose from. An integer is the size of a logarithmic grid over eight decades (more if
        dense columns vary unequally), from the penalty at which weights lower the objective by 1 % at most.
        "auto" tries one per decade, and then three on either side of the best, each 1.8 times the next.
        """,
    )
    cv: int | str | Splitter | Folds | None = parameter(
        default=None,
        constraint=["cv_object", StrOptions({"loo"})],
        type='int, splitter, iterable of (train, test), "loo" or None',
        description="""
        The folds. None means 5 stratified folds, or fewer if the rarest class with two
        rows or more has fewer; of several labels a row 5 folds of consecutive rows, as in scikit-learn.
        "loo" leaves out one row at a time, with its whole weight, by one step of Newton's method from the fit
        on all rows; it is for smooth convex losses, ``penalty="l2"`` and up to 1,500 weights. For the best
        penalty and its neighbours, up to eight rows that matter most are really left out, with a warning if
        the single step is wrong for them. Not available with ``X_val``.
        """,
    )
    scoring: Any = parameter(
        default=None,
        constraint=[StrOptions(set(get_scorer_names())), callable, None],
        type="str, callable or None",
        description="""
        A scorer of scikit-learn, which is highest for the best penalty. None means "neg_log_loss" for losses
        with probabilities (soft labels count with their probabilities, several labels a row with the sum of
        their terms), else "accuracy", or "f1_micro" for several labels a row. Rows count by
        ``sample_weight``, without `class_weight`.
        """,
    )
    rule: str = parameter(
        default="best",
        constraint=[StrOptions({"best", "1se"})],
        type='{"best", "1se"}',
        description="""
        "best" chooses the penalty with the highest mean score; of several, the strongest. "1se" chooses the
        strongest penalty with a score within one standard error of the highest.
        """,
    )
    refit: bool = parameter(
        default=True,
        constraint=["boolean"],
        type="bool",
        description="""
        Whether to fit the model on all rows with the chosen penalty. If False, there is no model, only the
        results of the search, such as `alpha_` and `cv_results_`.
        """,
    )
    store_coef_path: bool = parameter(
        default=False,
        constraint=["boolean"],
        type="bool",
        description="Whether to train on all rows with every penalty, and store the weights.",
    )
    alpha: float = not_offered()
    early_stopping: Any = not_offered()
    validation_fraction: float = not_offered()
    calibration: Any = not_offered()
    warm_start: bool = not_offered()
    on_new_class: str = not_offered()  # they have no partial_fit
    calibrator_: Any = not_offered()

    alpha_: float = attribute(type="float", description="The chosen penalty.")
    alphas_: FloatArray = attribute(
        type="ndarray of shape (n_alphas,)", description="All penalties, the strongest first."
    )
    cv_results_: dict[str, Any] = attribute(
        type="dict of ndarrays",
        description="""
        For each penalty (and each value of a parameter of the loss): "params" (a list of dicts),
        "param_alpha", "mean_test_score", its "standard_error" (over the folds, or over the rows if there is
        one set of held-out rows), the "split0_test_score" of each fold, and "rank_test_score".
        """,
    )
    loo_check_: dict[str, NDArray[Any]] = attribute(
        type="dict of ndarrays",
        description="""
        If ``cv="loo"``: the "rows" whose scores change most if they are left out, their "approximate" scores,
        and the "exact" scores, for which they were really left out and which count; for the best penalty.
        """,
    )
    coef_path_: FloatArray = attribute(
        type="ndarray of shape (n_alphas, 1 or n_classes, n_features)",
        description="If `store_coef_path`: `coef_` for each of `alphas_`.",
    )
    intercept_path_: FloatArray = attribute(
        type="ndarray of shape (n_alphas, 1 or n_classes)",
        description="If `store_coef_path`: `intercept_` for each of `alphas_`.",
    )

    _not_always = (*SeveralLabels._not_always, "coef_path_", "intercept_path_", "loo_check_")

    def _candidates(self, y: Targets) -> list[Candidate]:
        """The losses to choose from, with the parameters in which they differ."""
        return [Candidate({}, self._loss_for(y, y.n_classes), {})]

    def __sklearn_is_fitted__(self) -> bool:
        return self._has("classes_")

    def _takes_batches(self) -> bool:
        return False

    def _needs_all_rows(self) -> dict[str, bool]:
        return super()._needs_all_rows() | {"cv": True}

    @typed(_fit_context(prefer_skip_nested_validation=True))
    def fit(
        self,
        X: MatrixLike | Batches,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: MatrixLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        offset_val: ArrayLike | None = None,
        prior: Any = None,
        **params: Any,
    ) -> Self:
        """Choose the penalty, and fit the classifier with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), float array of shape (n_samples, n_classes), or an indicator
            Class labels, a row of class probabilities for each sample, or a column of 0 and 1 for each of
            several labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights, in training and in scores; 0 is the same as removing a row.
        X_val, y_val : array-like, default=None
            Rows to choose the penalty on, instead of folds. They are not trained on.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of these rows.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores, which are added in training and to the scores of held-out rows; as in the classifier
            without CV. Folds split them with the rows.
        offset_val : array-like, default=None
            The same for X_val.
        prior : fitted linear classifier, default=None
            An earlier model, from which each penalty is measured, as in the classifier without CV.
        **params : dict
            ``groups`` for the splitter of `cv`. With
            ``sklearn.set_config(enable_metadata_routing=True)``, metadata for the splitter and the scorer.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or the penalties cannot be used; the message says why and what to do.

        Warns
        -----
        ConvergenceWarning
            If some of the fits may be far from their minimum.
        """
        with self._unchanged_on_failure(), one_blas_thread():
            if isinstance(X, Batches):
                raise TypeError(f"{type(self).__name__} {NOT_IN_MEMORY}")
            if prior is self:
                prior = copy(prior)  # what it knows of its columns is replaced by those of X
            vars(self).pop("loss_", None)  # of the last fit, which may have had another loss
            rows = rows_of(self, (X, y, sample_weight), offset)
            Known(offset, offset_val).check(self, rows.classes, X_val is not None)
            held_out = given_part(self, rows, (X_val, y_val, sample_weight_val), offset_val)
            return self._fit_chosen(rows, held_out, Known(offset, prior=prior), self._routed(rows, params))

    def _routed(self, rows: GivenRows, params: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Arguments for the splitter, and whether the scorer gets weights."""
        if _routing_enabled():
            weights = {"sample_weight": rows.weights} if rows.weighted else {}
            routed = process_routing(self, "fit", **weights, **params)
            other = set(routed.scorer.score) - {"sample_weight"}
            if other:
                raise TypeError(f"the scorer requests {sorted(other)}, but gets sample_weight only")
            return routed.splitter.split, "sample_weight" in routed.scorer.score
        if set(params) - {"groups"}:
            raise TypeError(
                f"fit got unexpected arguments {sorted(set(params) - {'groups'})}; it takes X, y, "
                "sample_weight, validation rows, offset, prior and groups. A path starts from its strongest "
                "penalty: coef_init and intercept_init are for the classifier without CV"
            )
        if params.get("groups") is None:
            return {}, rows.weighted
        if not hasattr(self.cv, "split"):
            raise ValueError(
                f"groups are given, but cv={self.cv!r} does not use them; use a splitter that does, such as "
                "cv=sklearn.model_selection.GroupKFold()"
            )
        return params, rows.weighted

    def get_metadata_routing(self) -> MetadataRouter:
        """Routing of the parameters of `fit`, if metadata routing is enabled.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
            Routing to ``split`` of the splitter, and to the scorer.
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        if hasattr(self.cv, "split"):
            router.add(splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
        scorer = get_scorer("accuracy" if self.scoring is None else self.scoring)
        return router.add(scorer=scorer, method_mapping=MethodMapping().add(caller="fit", callee="score"))

    def _fit_chosen(
        self,
        rows: GivenRows,
        held_out: Dataset | None,
        known: Known,
        routed: tuple[dict[str, Any], bool],
    ) -> Self:
        for_split, with_weights = routed
        fitting = fitting_of(self, rows, NO_VALIDATION, known)
        candidates = self._candidates(rows.y)
        losses = [candidate.loss for candidate in candidates]

        def for_scorer(held_out: Dataset) -> dict[str, Any]:
            return {"sample_weight": held_out.counted[1]} if with_weights else {}

        metric = metric_for(self.scoring, losses, rows.classes, rows.y, for_scorer)
        parts: list[Part] = []
        if held_out is not None:
            parts = [Part(fitting, held_out)]
        elif not isinstance(self.cv, str):
            parts = parts_of(self, rows, fitting, self.cv, for_split)

        def along(alphas: FloatArray) -> Tried:
            if parts:
                return Tried(alphas, self._paths(parts, candidates, alphas, metric))
            all_rows = self._leave_one_out(fitting, candidates, alphas, metric)
            return Tried(alphas, [all_rows.path], all_rows.values)

        tried = along(self._penalties(fitting, losses))
        if isinstance(self.alphas, str) and self.alphas == "auto":
            tried = tried.merged(along(tried.around_best()))
        alphas, paths = tried.alphas, tried.paths
        table, check = self._table(paths, candidates, alphas), {}
        if isinstance(metric, OfRows) and tried.of_rows is not None:
            all_rows = loo.AllRows(paths[0], tried.of_rows)
            check = {"loo_check_": loo.correct(table, fitting, losses, all_rows, metric)}
        loss, alpha = table.chosen(self.rule)
        start = revived(paths[0].models[loss][alpha])
        chosen = fitting.with_alpha(float(alphas[alpha]))
        found = {"alpha_": float(alphas[alpha]), "alphas_": alphas, "cv_results_": table.results()}
        found |= candidates[loss].attributes | check
        if self.store_coef_path:
            found |= self._coef_path(fitting, losses[loss], alphas)
        if not self.refit:
            kept = {name: value for name, value in vars(self).items() if name in INPUT or name[-1] != "_"}
            self._set_attributes(kept | found)
            return self
        outcome, attributes, callbacks = self._trained_from(start, chosen, losses[loss])
        return self._finish(outcome, attributes | found, callbacks)

    def _penalties(self, fitting: Fitting, losses: list[Loss]) -> FloatArray:
        bounded = [loss for loss in losses if trait(loss, "head").bounded]
        if not bounded:
            return alphas_of(self.alphas, fitting.task(), losses, fitting.settings)
        if not isinstance(self.alphas, Integral):
            raise ValueError(
                f"alphas={self.alphas!r} for {bounded[0]!r}, a loss on cosines: they do not change with the "
                "length of the weights, and the penalty means nothing; leave alphas at its default"
            )
        return np.array([UNBOUNDED_PENALTY])

    def _paths(
        self, parts: list[Part], candidates: list[Candidate], alphas: FloatArray, metric: Metric
    ) -> list[PartPath]:
        """The path of each part; threads take whole parts if they are small, and share passes if large."""
        data, n_jobs = parts[0].fitting.data, parts[0].fitting.settings.n_jobs
        stored = data.X.nnz if data.is_sparse else data.X.size
        n_threads = n_jobs if stored * data.y.n_classes <= SMALL else 1
        if n_threads > 1:
            parts = [part._replace(fitting=part.fitting.with_n_jobs(1)) for part in parts]

        def of_part(number: int) -> PartPath:
            name = f"fold {number + 1}/{len(parts)}" if len(parts) > 1 else "path"
            return path_of_part(self, parts[number], candidates, alphas, metric, name, keep=number == 0)

        with threads(n_threads, len(parts)) as pool:
            return list((map if pool is None else pool.map)(of_part, range(len(parts))))

    def _leave_one_out(
        self, fitting: Fitting, candidates: list[Candidate], alphas: FloatArray, metric: Metric
    ) -> loo.AllRows:
        if not isinstance(metric, OfRows):
            raise ValueError(
                f"scoring={self.scoring!r} scores fitted classifiers, and cv='loo' fits none; "
                f"use one of {sorted(OF_ROWS)}, or folds"
            )
        if fitting.present is not None:
            raise ValueError(
                "cv='loo' needs rows of positive weight of every class in y, and class "
                f"{fitting.classes[fitting.present.absent].tolist()[0]!r} has none; use folds, such as cv=5"
            )
        if isinstance(fitting.data.y, Indicators):
            loo.refuse_single(fitting.data.y)
        loo.refuse(fitting, [candidate.loss for candidate in candidates], alphas)
        return loo.path_of_all(fitting, candidates, alphas, metric)

    def _table(self, paths: list[PartPath], candidates: list[Candidate], alphas: FloatArray) -> Table:
        scores, errors = (np.array([getattr(one, name) for one in paths]) for name in ("scores", "errors"))
        if np.isnan(scores).any():
            part, _, alpha = np.argwhere(np.isnan(scores))[0]
            raise ValueError(
                f"scoring={self.scoring!r} is NaN for fold {part + 1} and alpha={alphas[alpha]:.3g}; use a "
                "scorer that is defined for every fold"
            )
        far = [text for one in paths for text in one.warnings]
        if far:
            warnings.warn(
                f"{len(far)} of {scores.size} fits may be far from their minimum, the first one: {far[0]}",
                ConvergenceWarning,
                stacklevel=4,
            )
        return Table(scores, errors, alphas, [candidate.params for candidate in candidates])

    def _coef_path(self, fitting: Fitting, loss: Loss, alphas: FloatArray) -> dict[str, Any]:
        """The weights for every penalty, trained on all rows."""
        outcomes = path(fitting.task(), loss, fitting.solver, fitting.settings, alphas.tolist(), fitting.rng)
        models = [self._attributes(outcome.model, fitting) for outcome in outcomes]
        return {
            "coef_path_": np.array([model["coef_"] for model in models]),
            "intercept_path_": np.array([model["intercept_"] for model in models]),
        }
