"""A classifier whose sets of classes contain the true one as often as asked for."""

import warnings
from collections.abc import Iterator
from numbers import Real
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import _fit_context
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing, check_random_state, indexable
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import _routing_enabled, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _estimator_has

from linclf._types import BoolArray, FloatArray, IntArray, LabelArray, Seed, typed
from linclf.calibration._folds import Given, checked_rows, fitted_to
from linclf.calibration._inside import check_same_classes, refuse_for_frozen, refuse_offset
from linclf.calibration._meta import BaseMetaClassifier
from linclf.conformal._interfaces import ALL_ROWS, Score, Taxonomy
from linclf.conformal._names import score_for, taxonomy_for
from linclf.conformal._rows import check_known, codes_of, probabilities_by_block, scores_of_labels, split
from linclf.conformal._sets import as_rows
from linclf.conformal._thresholds import Thresholds, check_coverage, rows_needed, thresholds

SHARE = 0.2  # of the rows that calibrate
# equal rows have equal scores only up to the last digits, which depend on the rows beside them; a set misses
# none of the classes whose score is that near to the threshold
UNITS = 16


class ConformalClassifier(BaseMetaClassifier):
    """Any classifier with `predict_set`: sets of classes of guaranteed coverage.

    A part of the rows is held out, stratified, the classifier is fitted to the others, and the scores of the
    true classes of the held-out rows are kept. For n such rows, the threshold for a coverage c is their
    score of rank ``ceil((n + 1) c)``, and a set has the classes whose score is not higher. If the rows that
    calibrate and a new row are exchangeable (drawn alike, in any order), the set contains the true class of
    the new row with a probability of c at least, and of ``c + 1 / (n + 1)`` at most if no scores are equal.
    That is an average over rows; it does not hold for each kind of row. The classifier may be any, but the
    better its probabilities, the smaller the sets.

    A classifier that is already fitted, wrapped in ``sklearn.frozen.FrozenEstimator``, is used as it is, and
    all rows calibrate; they must not be the rows that it was trained on. `predict` and its relatives are
    those of the classifier. It is not fitted again to all rows: it would then have seen those that calibrate.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``; it is cloned, not changed. `linclf.calibration.CalibratedClassifier` gives
        probabilities to one that has only scores.
    conformity_score : {"lac", "aps", "raps"} or object, default="lac"
        How badly a class fits a row: `LAC`, `APS`, `RAPS`, or an object with ``of_classes(p, seed)``.
    taxonomy : {"marginal", "class", "cluster"} or object, default="marginal"
        Which classes share a threshold: all (`Marginal`), none (`ClassConditional`), those with similar
        scores (`Clustered`), or an object with ``assign(scores, codes, n_classes, rng)``.
    calibration_size : float in (0, 1) or None, default=None
        Share of the rows that calibrate. None means 0.2, or all rows for a FrozenEstimator, for which no
        other value is allowed. A class with one row is trained on and does not calibrate; if such classes
        have a share s of new rows, coverage can fall short by up to s.
    random_state : int, RandomState instance or None, default=None
        Draws the rows that calibrate, the random numbers of "aps" and "raps", and clusters. Sets depend on
        nothing random after `fit`: the same rows get the same sets in every call.

    Attributes
    ----------
    estimator_ : classifier
        Fitted to the rows that do not calibrate, or the FrozenEstimator.
    classes_ : ndarray of shape (n_classes,)
        The labels that the classifier knows.
    scores_ : ndarray of shape (n,)
        Scores of the true classes of the rows that calibrate, sorted; infinite if the classifier does not
        know the class.
    row_categories_ : ndarray of shape (n,)
        Category of the true class of each of these rows.
    categories_ : ndarray of shape (n_classes,)
        Category of each class: those of one category share the threshold of its rows, and -1 stands for the
        threshold of all rows.
    n_features_in_ : int
        Number of features, if the classifier has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if the classifier has them.

    References
    ----------
    Vovk, Gammerman & Shafer, "Algorithmic learning in a random world", 2005. Angelopoulos & Bates, "A gentle
    introduction to conformal prediction and distribution-free uncertainty quantification", 2021.

    Examples
    --------
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.conformal import ConformalClassifier
    >>> from linclf.metrics import mean_set_size, set_coverage
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=4)
    >>> clf = ConformalClassifier(SoftmaxClassifier(), random_state=0).fit(X, y)
    >>> for coverage in (0.9, 0.99):
    ...     sets = clf.predict_set(X_test, coverage)
    ...     print(f"{set_coverage(y_test, sets):.1%} with {mean_set_size(sets):.2f} classes")
    91.1% with 0.91 classes
    99.6% with 1.20 classes
    >>> clf.classes_[sets[[20]].indices], y_test[20]  # an unclear 9
    (array([1, 4, 5, 6, 8, 9]), np.int64(9))
    """

    scores_: FloatArray
    row_categories_: IntArray
    categories_: IntArray
    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "conformity_score": [str, HasMethods(["of_classes"])],
        "taxonomy": [str, HasMethods(["assign"])],
        "calibration_size": [Interval(Real, 0, 1, closed="neither"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        conformity_score: str | Score = "lac",
        taxonomy: str | Taxonomy = "marginal",
        calibration_size: float | None = None,
        random_state: Seed = None,
    ) -> None:
        self.estimator = estimator
        self.conformity_score = conformity_score
        self.taxonomy = taxonomy
        self.calibration_size = calibration_size
        self.random_state = random_state

    # the parameters of the estimator are not checked yet
    @typed(_fit_context(prefer_skip_nested_validation=False))
    def fit(self, X: Any, y: ArrayLike, **params: Any) -> Self:
        """Fit the classifier to some of the rows, and score the others.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows, of any kind that the classifier accepts.
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            For the classifier's `fit`; of parameters with one entry per row, it gets those of its rows. With
            ``sklearn.set_config(enable_metadata_routing=True)`` they are routed on request. ``sample_weight``
            is accepted only by routing, since it does not count in calibration: a quantile of weighted rows
            has a guarantee only if the weights of new rows are known, too.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If ``calibration_size`` or parameters are given for a FrozenEstimator, an ``offset`` is given, no
            row is left to calibrate, or the classifier knows none of the labels that calibrate.
        TypeError
            If the classifier has no probabilities, or weights are given without routing.

        Warns
        -----
        UserWarning
            If rows that calibrate are of classes that the classifier does not know.
        """
        X, y, _ = checked_rows(X, y, None)
        score, taxonomy = score_for(self.conformity_score), taxonomy_for(self.taxonomy)
        given = Given(X, y, None, self._routed(params), {})
        if not hasattr(self.estimator, "predict_proba"):
            raise TypeError(
                f"estimator={self.estimator!r} has no predict_proba, which prediction sets need; wrap it in "
                "linclf.calibration.CalibratedClassifier"
            )
        rng = check_random_state(self.random_state)
        if isinstance(self.estimator, FrozenEstimator):
            self._check_frozen(given.params)
            estimator = self._frozen(given)
        else:
            share = SHARE if self.calibration_size is None else self.calibration_size
            train, held_out = split(y, float(share), rng)
            if not held_out.size:
                raise ValueError(
                    f"calibration_size={share} of {len(y)} samples holds out none to calibrate: pass more "
                    "rows, or a larger calibration_size"
                )
            estimator = fitted_to(self.estimator, given, train)
            X, y = _safe_indexing(X, held_out), y[held_out]
        classes, seed = estimator.classes_, rng.randint(2**31)
        codes = codes_of(y, classes)
        check_known(y, codes, estimator)
        scores = scores_of_labels(score, estimator, X, codes, seed)
        categories, rows = taxonomy.assign(scores, codes, len(classes), rng)
        rows = rows[np.argsort(scores[rows], kind="stable")]
        self.scores_, self.categories_ = scores[rows], categories
        self.row_categories_ = np.where(codes < 0, ALL_ROWS, categories[codes])[rows]
        self._score, self._seed = score, seed
        self._publish(estimator, classes)
        return self

    def predict_set(self, X: Any, coverage: float = 0.9, *, allow_empty: bool = True) -> sparse.csr_array:
        """The classes that a row may have, for a coverage that is chosen here.

        Works in blocks of rows, so that memory grows with the sets, not with ``n_samples * n_classes``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.
        coverage : float in (0, 1), default=0.9
            Probability with which a set contains the true class.
        allow_empty : bool, default=True
            Whether a set may be empty. An empty set says that no class fits the row as well as it should; if
            the classifier is right more often than `coverage`, some sets have to be empty. False adds the
            most probable class to them, and coverage may then be higher.

        Returns
        -------
        sets : scipy.sparse.csr_array of shape (n_samples, n_classes)
            True for members. ``classes_[sets[[i]].indices]`` are the classes of row i, and
            ``sets.sum(axis=1)`` the sizes.

        Raises
        ------
        ValueError
            If the coverage is not between 0 and 1, or so high that every set would have all classes.

        Warns
        -----
        UserWarning
            If some classes have so few rows to calibrate that they are in every set.
        """
        check_same_classes(self)
        found = self._thresholds(check_coverage(coverage))
        (X,) = cast("list[Any]", indexable(X))
        return as_rows(self._memberships(X, found.values, allow_empty), len(self.classes_))

    def _memberships(self, X: Any, values: FloatArray, allow_empty: bool) -> Iterator[BoolArray]:
        for _, p in probabilities_by_block(self.estimator_, X):
            precision = np.finfo(p.dtype if p.dtype.kind == "f" else np.float64).eps
            slack = UNITS * precision * np.where(np.isinf(values), 0.0, np.abs(values))
            members = self._score.of_classes(p, self._seed) <= values + slack
            if not allow_empty:
                empty = np.flatnonzero(~members.any(axis=1))
                members[empty, p[empty].argmax(axis=1)] = True
            yield members

    def _thresholds(self, coverage: float) -> Thresholds:
        """Thresholds of the classes; refused if all are infinite."""
        found = thresholds(self.scores_, self.row_categories_, self.categories_, coverage)
        always, needed = np.isinf(found.values), rows_needed(coverage)
        few = found.n_rows < needed
        if always.all() and few.all():
            raise ValueError(
                f"coverage={coverage} needs coverage / (1 - coverage), or {needed}, rows to calibrate a "
                f"threshold, and there are {found.n_rows.max()}, so that every set would have all classes: "
                "pass more rows, or a lower coverage"
            )
        if always.all():
            unknown = np.mean(np.isinf(self.scores_))
            raise ValueError(
                f"coverage={coverage} cannot be reached: {unknown:.1%} of the rows that calibrate are of "
                "classes that the estimator does not know; train it on these, or pass a lower coverage"
            )
        if always.any():
            warnings.warn(
                f"{always.sum()} of {len(always)} classes have too few rows to calibrate "
                f"coverage={coverage}, which needs {needed} of known classes, and are in every set; "
                "taxonomy='cluster' pools rare classes, and 'marginal' all of them",
                UserWarning,
                stacklevel=3,
            )
        return found

    def predict(self, X: Any) -> LabelArray:
        """The prediction of the classifier.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        check_same_classes(self)
        return self.estimator_.predict(X)

    @typed(available_if(_estimator_has("decision_function")))
    def decision_function(self, X: Any) -> FloatArray:
        """The scores of the classifier, if it has them.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Scores; for two classes one, positive for ``classes_[1]``.
        """
        check_same_classes(self)
        return self.estimator_.decision_function(X)

    def _routed(self, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters for ``fit`` of the classifier."""
        refuse_offset(params)
        if _routing_enabled():
            found = process_routing(self, "fit", **params).estimator.fit
            refuse_offset(found)
            return found
        if params.get("sample_weight") is not None:
            raise TypeError(
                "sample_weight is refused, because it would not count in calibration, whose guarantee is for "
                "rows drawn like those that calibrate: fit the classifier with its weights, and pass "
                "FrozenEstimator(classifier) with other rows to calibrate"
            )
        return {name: value for name, value in params.items() if name != "sample_weight"}

    def _check_frozen(self, params: dict[str, Any]) -> None:
        if self.calibration_size is not None:
            raise ValueError(
                f"calibration_size={self.calibration_size} is for an estimator that is fitted here; all rows "
                "calibrate a FrozenEstimator: leave calibration_size=None, or pass the estimator itself"
            )
        refuse_for_frozen(self.estimator, params)
