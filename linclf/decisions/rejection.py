"""A classifier that abstains from rows it is not sure of."""

from numbers import Real
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import HasMethods, Interval

from linclf._data.folds import Folds, Splitter
from linclf._types import BoolArray, FloatArray, LabelArray
from linclf.calibration._folds import Given
from linclf.decisions._base import BaseDecision, held_out, need_probabilities


class RejectClassifier(BaseDecision):
    """Any classifier with probabilities, abstaining from the rows it is not sure of.

    A row is rejected if its largest probability is below ``bound_``. With ``cost``, the cost of a rejected
    row if an error costs 1, the bound is ``1 - cost`` (Chow's rule): the row is rejected if a prediction
    would cost more on average. That is as good as the probabilities; calibrate them first if they are not
    (`linclf.calibration.CalibratedClassifier`). With ``coverage``, the share of rows to keep, the bound is
    taken from rows that the classifier has not seen: clones score the folds that they were not fitted to. A
    classifier that is already fitted, wrapped in ``sklearn.frozen.FrozenEstimator``, is used as it is, and
    all rows give the bound; they must not be the rows that it was trained on.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``; it is cloned, not changed.
    cost : float in [0, 1], default=None
        Cost of rejecting a row, if an error costs 1 and a right answer 0. From ``1 - 1 / n_classes`` on, no
        row is rejected. Give either ``cost`` or ``coverage``.
    coverage : float in (0, 1], default=None
        Share of the rows, or of their weight, that are kept: at least this share of the held-out rows. 1
        keeps every row.
    reject_label : label, default=None
        What `predict` returns for rejected rows; of the same kind as the labels (a number or text), and none
        of the classes. None means "rejected" for text, and for numbers -1, or one less than the smallest
        class if that is lower.
    cv : int, splitter, iterable of (train, test) or None, default=None
        The folds for ``coverage``. None means 5 stratified folds, or fewer if the rarest class with two rows
        or more has fewer. Not allowed with ``cost`` or a FrozenEstimator.

    Attributes
    ----------
    estimator_ : classifier
        Fitted to all rows, or the FrozenEstimator.
    bound_ : float
        Rows with a largest probability below it are rejected.
    reject_label_ : label
        What `predict` returns for these.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted, without ``reject_label_``.
    n_features_in_ : int
        Number of features, if the classifier has it.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if the classifier has them.

    See Also
    --------
    linclf.display.RiskCoverageDisplay : The error of the rows that are kept, for each coverage.

    Notes
    -----
    `score` is the accuracy of `predict`, for which a rejected row is wrong. The accuracy of the rows that are
    kept is ``score(X[kept], y[kept])`` with ``kept = accepts(X)``.

    References
    ----------
    Chow, "On optimum recognition error and reject tradeoff", 1970. Geifman & El-Yaniv, "Selective
    classification for deep neural networks", 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.decisions import RejectClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    >>> clf = RejectClassifier(SoftmaxClassifier(alpha=1e-3), coverage=0.9).fit(X, y)
    >>> kept = clf.accepts(X_test)
    >>> print(f"kept {kept.mean():.2f}, rejected as {clf.reject_label_}")
    kept 0.88, rejected as -1
    >>> print(f"{clf.estimator_.score(X_test, y_test):.3f} {clf.score(X_test[kept], y_test[kept]):.3f}")
    0.957 0.990
    """

    bound_: float
    reject_label_: Any
    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict"])],
        "cost": [Interval(Real, 0, 1, closed="both"), None],
        "coverage": [Interval(Real, 0, 1, closed="right"), None],
        "reject_label": "no_validation",
        "cv": ["cv_object"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        cost: float | None = None,
        coverage: float | None = None,
        reject_label: Any = None,
        cv: int | Splitter | Folds | None = None,
    ) -> None:
        self.estimator = estimator
        self.cost = cost
        self.coverage = coverage
        self.reject_label = reject_label
        self.cv = cv

    def _fit(self, given: Given) -> None:
        if (self.cost is None) == (self.coverage is None):
            raise ValueError(
                f"cost={self.cost!r} and coverage={self.coverage!r}: give one of them, the cost of a "
                "rejected row or the share of rows to keep"
            )
        if self.cost is not None and self.cv is not None:
            raise ValueError(
                f"cv={self.cv!r} is for coverage, and cost needs no held-out rows: leave cv=None"
            )
        need_probabilities(self.estimator)
        if not isinstance(self.estimator, FrozenEstimator):
            _label(self.reject_label, np.unique(given.y))  # refused before a long fit
        estimator = self._fit_inside(given, None if self.coverage is None else "the coverage")
        label, _ = _label(self.reject_label, estimator.classes_)
        if self.coverage is None:
            bound = 1.0 - float(self.cost or 0.0)
        else:
            scored = held_out(self, estimator, given, "predict_proba", "the coverage")
            bound = _bound(scored.scores, given.weights_of(scored.rows), self.coverage)
        self.bound_, self.reject_label_ = bound, label
        self._publish(estimator, estimator.classes_)

    def accepts(self, X: Any) -> BoolArray:
        """Whether each row is kept.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        kept : ndarray of shape (n_samples,)
            False for rejected rows.
        """
        return np.asarray(self.predict_proba(X)).max(axis=1) >= self.bound_

    def predict(self, X: Any) -> LabelArray:
        """The most probable class, or ``reject_label_``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to classify.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels from ``classes_`` and ``reject_label_``, of a type that holds both.
        """
        p = np.asarray(self.predict_proba(X))
        label, dtype = _label(self.reject_label_, self.classes_)
        found = self.classes_[p.argmax(axis=1)].astype(dtype)
        found[p.max(axis=1) < self.bound_] = label
        return found


def _bound(p: FloatArray, weights: FloatArray | None, coverage: float) -> float:
    """The largest bound that keeps the share of the rows (n, K), or 0 to keep everything."""
    if coverage == 1 or not len(p):
        return 0.0
    largest = p.max(axis=1)
    order = np.argsort(-largest, kind="stable")
    kept = np.cumsum(np.ones(len(p)) if weights is None else weights[order])
    least = coverage * kept[-1] * (1 - 1e-12)  # a share such as 0.1 * 3 is not exact
    return float(largest[order[np.searchsorted(kept, least)]])


def _label(given: Any, classes: LabelArray) -> tuple[Any, np.dtype]:
    """The label of rejected rows, and a type that holds it and the classes."""
    numeric, known = _is_number(classes[0]), classes.tolist()
    if given is None:
        if not numeric and not isinstance(known[0], str):
            raise ValueError(
                f"reject_label=None has no meaning for classes such as {known[0]!r}; pass a label of their "
                "type that is none of them"
            )
        given = min(0, int(np.floor(min(known)))) - 1 if numeric else "rejected"
    elif not (_is_number(given) if numeric else isinstance(given, type(known[0]))):
        raise ValueError(
            f"reject_label={given!r} is of another kind than classes such as {known[0]!r}; pass a label of "
            "their kind that is none of them"
        )
    if given != given:
        raise ValueError(f"reject_label={given!r} equals no label, not even itself; pass a number")
    if given in known:
        raise ValueError(f"reject_label={given!r} is one of the classes {known}; pass another label")
    if classes.dtype == object:
        return given, classes.dtype
    dtype = np.result_type(classes.dtype, np.min_scalar_type(given))
    # uint64 and -1 have no common integer type, and large integers are not exact as floats
    inexact = dtype.kind == "f" and classes.dtype.kind in "iu" and float(given).is_integer()
    return given, np.dtype(object) if inexact else dtype


def _is_number(label: Any) -> bool:
    return isinstance(label, (Real, np.bool_))
