"""What a classifier around another one checks of it: its fit parameters, its classes, its kind."""

import inspect
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import _routing_enabled, process_routing
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from linclf._types import FloatArray, LabelArray


def routed(
    owner: Any, weights: FloatArray | None, params: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters for ``fit`` of the classifier inside, and for ``split`` of the splitter."""
    estimator = owner.estimator
    refuse_offset(params)
    if _routing_enabled():
        found = process_routing(owner, "fit", sample_weight=weights, **params)
        refuse_offset(found.estimator.fit)
        return found.estimator.fit, found.splitter.split
    refuse_for_frozen(estimator, params)
    if "groups" in params and not _takes_any(estimator) and not has_fit_parameter(estimator, "groups"):
        raise TypeError(
            f"groups are for the splitter of cv={owner.cv!r}, and fit of {estimator!r} takes none: call "
            "sklearn.set_config(enable_metadata_routing=True), which passes them on to the splitter"
        )
    if weights is not None and has_fit_parameter(estimator, "sample_weight"):
        params = {**params, "sample_weight": weights}
    return params, {}


def refuse_offset(params: dict[str, Any]) -> None:
    """Refuse offsets, also for a step of a pipeline: only training would know them."""
    for name, value in params.items():
        if (name == "offset" or name.endswith("__offset")) and value is not None:
            raise ValueError(
                f"{name} is refused, because the rows that are held out would be scored without it: fit the "
                "classifier alone with its offset, or leave it out. What is decided about new rows has no "
                "offset either"
            )


def refuse_for_frozen(estimator: Any, params: dict[str, Any]) -> None:
    """Refuse parameters for the fit of a FrozenEstimator, which would drop them."""
    given = sorted(name for name, value in params.items() if value is not None)
    if given and isinstance(estimator, FrozenEstimator):
        raise ValueError(
            f"{given} are for fit of the estimator, and a FrozenEstimator is not fitted again: leave them "
            "out, or pass the estimator itself"
        )


def _takes_any(estimator: Any) -> bool:
    kinds = {each.kind for each in inspect.signature(estimator.fit).parameters.values()}
    return inspect.Parameter.VAR_KEYWORD in kinds


def predicts_several(estimator: Any, X: Any) -> bool:
    """Whether a fitted classifier predicts several labels for a row."""
    if not hasattr(estimator, "predict"):
        return False
    shape = getattr(estimator.predict(_safe_indexing(X, [0])), "shape", ())
    return len(shape) == 2 and shape[1] > 1


def check_kind(estimator: Any, X: Any, y: LabelArray) -> None:
    """Refuse a fitted classifier of several labels where y has one label a row, and the other way round."""
    several = predicts_several(estimator, X)
    if several and y.ndim == 1:
        raise ValueError(
            f"{estimator!r} predicts several labels a row, and y has one: pass the y of shape (n_samples, "
            "n_labels) to linclf.decisions.LabelThresholdClassifier, or a classifier of one label"
        )
    if y.ndim == 2 and not several:
        raise ValueError(
            f"{estimator!r} predicts one label a row, and y has {y.shape[1]}: pass a classifier that was "
            "fitted to such a y"
        )


def check_same_classes(owner: Any, *others: Any) -> None:
    """Refuse to predict if the classifier inside was fitted to other classes in the meantime.

    ``others`` are further classes that it may know.
    """
    check_is_fitted(owner)
    known = np.asarray(owner.estimator_.classes_)
    if any(np.array_equal(known, classes) for classes in (owner.classes_, *others)):
        return
    name = type(owner).__name__
    changed = set(known.tolist()) ^ set(owner.classes_.tolist())
    raise ValueError(
        f"the estimator inside now knows {len(known)} classes, and {len(owner.classes_)} when {name} was "
        f"fitted; {sorted(changed, key=str)[:5]} are not in both: if partial_fit has added classes, or "
        f"it was fitted again, fit {name} again"
    )


def refuse_decision(owner: Any) -> None:
    """Refuse a decision inside, of which only the probabilities would be used."""
    inside = owner.estimator
    while True:
        if isinstance(inside, (FrozenEstimator, BaseSearchCV)):
            inside = inside.estimator
        elif hasattr(inside, "steps"):
            inside = inside.steps[-1][1]
        else:
            break
    if getattr(inside, "_is_decision", False):
        raise ValueError(
            f"{type(owner).__name__} uses the probabilities of its estimator and would drop the decision of "
            f"{inside!r}: put one decision outermost, as in {type(inside).__name__}(CalibratedClassifier("
            "...)), and pass the classifier itself to others"
        )
