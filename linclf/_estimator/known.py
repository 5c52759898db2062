"""What is known before training: scores of rows, weights to start from, and an earlier model."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from linclf._data.offsets import checked_offset, numbers
from linclf._training.model import LinearModel
from linclf._training.present import revived
from linclf._types import FloatArray, LabelArray
from linclf.heads import Linear
from linclf.losses._names import loss_for
from linclf.losses._registry import trait

LINEAR = "classifiers with one linear score per class, such as SoftmaxClassifier"

FIRST = "; start with fit(X, y, ...) on the first rows, with solver='sgd', and continue with partial_fit"
IN_STREAMS = {
    "prior": (
        "; pass its scores instead, offset=prior.decision_function(X), to partial_fit, predict and their "
        "relatives: the weights are then the difference from the prior, and the penalty pulls them to 0"
    ),
    "coef_init": FIRST,
    "intercept_init": FIRST,
}


class Known(NamedTuple):
    """These arguments of ``fit``, as they were given."""

    offset: ArrayLike | None = None
    offset_val: ArrayLike | None = None
    coef_init: ArrayLike | None = None
    intercept_init: ArrayLike | None = None
    prior: Any = None

    @property
    def given(self) -> list[str]:
        """The names of those that are not None."""
        return [name for name, value in self._asdict().items() if value is not None]

    def refuse_without_rows(self) -> None:
        """Refuse all of them for rows that are not in memory."""
        if self.given:
            raise ValueError(
                f"{self.given[0]} is given besides Batches, and needs all rows in memory; pass arrays, or "
                "train on one block after the other with partial_fit(X, y, offset=...)"
            )

    def refuse_prior_of_labels(self) -> None:
        """Refuse a prior for rows with several labels."""
        if self.prior is not None:
            raise ValueError(
                "prior is for one label a row, and y is an indicator of several; pass its scores as an "
                "offset, which trains the difference from it, or fit a classifier to each column of y"
            )

    def check(self, estimator: Any, classes: LabelArray, validates: bool) -> None:
        """Refuse what contradicts the parameters, or other arguments; ``validates``: if X_val is given."""
        if not self.given:
            return
        refuse(estimator, self.given[0], len(classes))
        starts = [name for name in self.given if name in ("coef_init", "intercept_init")]
        if starts and estimator.warm_start:
            raise ValueError(
                f"{starts[0]} and warm_start=True both say where training starts; use warm_start=False, or "
                f"leave out {starts[0]}"
            )
        if self.prior is not None and not np.all(estimator.alpha):
            raise ValueError(
                f"prior is given with alpha={estimator.alpha!r}: without a penalty nothing pulls the weights "
                "towards it; use alpha > 0, or coef_init and intercept_init to start from a model"
            )
        if validates and (self.offset is None) != (self.offset_val is None):
            missing, other = ("offset", "offset_val") if self.offset is None else ("offset_val", "offset")
            raise ValueError(
                f"{other} is given without {missing}; with X_val pass both, zeros if nothing is known"
            )
        if not validates and self.offset_val is not None:
            raise ValueError("offset_val is given, but X_val and y_val are not")

    def start(self, estimator: Any, n_scores: int, n_features: int) -> LinearModel | None:
        """The weights to start from, in the form of ``coef_`` and ``intercept_``."""
        if self.coef_init is None and self.intercept_init is None:
            return None
        W, b = np.zeros((n_scores, n_features)), np.zeros(n_scores)
        if self.coef_init is not None:
            W = _array(self.coef_init, (n_scores, n_features), "coef_init", "coef_")
        if self.intercept_init is not None:
            b = _array(self.intercept_init, (n_scores,), "intercept_init", "intercept_")
        if not estimator.fit_intercept and b.any():
            raise ValueError(
                f"intercept_init={b[b != 0][0]:.3g} and fit_intercept=False: there is no intercept to start "
                "from; use fit_intercept=True, or leave out intercept_init"
            )
        return _of_all_classes(LinearModel(W, b, Linear()))

    def prior_model(self, estimator: Any, classes: LabelArray, n_features: int) -> LinearModel | None:
        """The weights of the earlier model."""
        if self.prior is None:
            return None
        model = prior_weights(self.prior, classes, n_features, vars(estimator).get("feature_names_in_"))
        return revived(_of_all_classes(model))


def refuse(estimator: Any, name: str, n_classes: int) -> None:
    """Refuse an argument that needs one linear score per class."""
    loss = loss_for(estimator._loss(), n_classes)
    if not estimator._scores_are_linear():
        raise ValueError(f"{name} is for {LINEAR}, not for {type(estimator).__name__}")
    if not trait(loss, "head").equivariant:
        raise ValueError(f"{name} is for {LINEAR}, and {loss!r} is a loss on cosines")
    if trait(loss, "n_outputs") is not None or trait(loss, "class_scores") is not None:
        raise ValueError(f"{name} is for {LINEAR}, and the scores of {loss!r} are not those of classes")


def refuse_in_streams(given: dict[str, Any]) -> None:
    """Refuse arguments of ``fit`` that a part of a stream does not have."""
    for name in given:
        raise TypeError(f"{name} is no argument of partial_fit{IN_STREAMS.get(name, '')}")


def known_scores(estimator: Any, offset: ArrayLike, n_rows: int, dtype: np.dtype) -> FloatArray:
    """The offset to add to the scores of a fitted model."""
    n_classes = len(estimator.classes_)
    refuse(estimator, "offset", n_classes)
    n_scores = 1 if n_classes == 2 and not hasattr(estimator, "multilabel_") else n_classes
    return checked_offset(offset, n_rows, n_scores, "offset", dtype)


def prior_weights(prior: Any, classes: LabelArray, n_features: int, names: Any) -> LinearModel:
    """The weights of a fitted linear classifier for these classes and features."""
    if isinstance(prior, type) or not hasattr(prior, "fit"):
        raise TypeError(f"prior={prior!r} is not a fitted classifier")
    try:
        check_is_fitted(prior)
    except NotFittedError as fault:
        raise NotFittedError(f"prior={prior!r} is not fitted; call its fit first") from fault
    if hasattr(prior, "steps"):
        raise TypeError(
            f"prior is a {type(prior).__name__}; pass its last step, prior[-1], and X as that step sees it"
        )
    if not all(hasattr(prior, name) for name in ("coef_", "intercept_", "classes_")):
        raise TypeError(
            f"prior={prior!r} has no coef_, intercept_ and classes_; pass a linear classifier, not a wrapper "
            "around it"
        )
    if hasattr(prior, "multilabel_"):
        raise TypeError(f"prior={prior!r} was fitted to several labels a row; pass one with a label a row")
    own = getattr(prior, "_scores_are_linear", None)
    cosine = hasattr(prior, "constant_")
    if cosine or hasattr(prior, "dual_coef_") or (own is not None and not own()):
        kind = "scores that are cosines" if cosine else "other scores than one linear score per class"
        raise TypeError(f"prior={prior!r} has {kind}; pass a classifier such as SoftmaxClassifier")
    _check_classes(prior, classes)
    W = prior.coef_.toarray() if sparse.issparse(prior.coef_) else prior.coef_
    W = np.atleast_2d(np.asarray(W, np.float64))  # some classifiers have a flat coef_ for two classes
    n = 1 if len(classes) == 2 else len(classes)
    if len(W) != n:
        raise ValueError(
            f"prior={prior!r} has a coef_ of shape {W.shape}, and {len(classes)} classes need {n} rows"
        )
    if W.shape[1] != n_features:
        raise ValueError(f"prior={prior!r} was fitted with {W.shape[1]} features, and X has {n_features}")
    theirs = getattr(prior, "feature_names_in_", None)
    if theirs is not None and names is not None and not np.array_equal(theirs, names):
        place = int(np.argmax(theirs != names))
        raise ValueError(
            f"column {place} of X is {names[place]!r}, but prior was fitted with {theirs[place]!r} there; "
            "pass the same columns in the same order"
        )
    b = np.broadcast_to(np.asarray(prior.intercept_, np.float64).ravel(), (n,)).copy()
    if not (np.isfinite(W).all() and np.isfinite(b).all()):
        raise ValueError(f"prior={prior!r} has weights that are not finite")
    return LinearModel(W, b, Linear())


def _check_classes(prior: Any, classes: LabelArray) -> None:
    theirs, ours = np.asarray(prior.classes_).tolist(), classes.tolist()
    if theirs == ours:
        return
    unknown, missing = ([one for one in a if one not in b] for a, b in ((ours, theirs), (theirs, ours)))
    parts = [
        f"{text} {some[:5]!r}" for text, some in (("does not know", unknown), ("also knows", missing)) if some
    ]
    raise ValueError(
        f"prior={prior!r} is a model of other classes: it "
        f"{' and '.join(parts) or 'has them in another order'}; fit the prior with the classes of y, and "
        "add rows of weight 0 to y for those that have no rows yet (with fit_intercept=False they keep the "
        "weights of the prior; otherwise their probability is 0)"
    )


def _array(given: ArrayLike, shape: tuple[int, ...], name: str, attribute: str) -> FloatArray:
    array = numbers(given, name)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, and must have that of {attribute}, {shape}")
    return array


def _of_all_classes(model: LinearModel) -> LinearModel:
    return model.two_of_one() if model.n_outputs == 1 else model
