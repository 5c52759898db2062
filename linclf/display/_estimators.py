"""What displays ask of fitted estimators, which may be inside of pipelines, searches and calibrators."""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from linclf._types import MatrixLike


def name_of(estimator: Any) -> str:
    """The class name, for a pipeline that of its last step."""
    steps = getattr(estimator, "steps", None)
    return type(steps[-1][1] if steps else estimator).__name__


def response(estimator: Any, method: str, X: MatrixLike, **options: Any) -> Any:
    """``estimator.method(X, ...)``, or a ValueError that says why the estimator has no such method."""
    try:
        function = getattr(estimator, method)
    except AttributeError as fault:
        reason = f": {fault.__cause__}" if fault.__cause__ else ""
        raise ValueError(f"estimator={name_of(estimator)} has no {method}{reason}") from fault
    return function(X, **options)


def path_to(estimator: Any, attribute: str) -> tuple[list[Any], bool]:
    """The estimators from the outermost to the one with an attribute, and whether there is one.

    Raises
    ------
    NotFittedError
        If none has it and the innermost is not fitted.
    """
    path = [estimator]
    while not hasattr(path[-1], attribute):
        inner = _inside(path[-1])
        if inner is None:
            if hasattr(path[-1], "fit"):
                check_is_fitted(path[-1])
            return path, False
        path.append(inner)
    return path, True


def _inside(estimator: Any) -> Any:
    if hasattr(estimator, "steps"):
        return estimator.steps[-1][1]
    for attribute in ("best_estimator_", "estimator_"):
        if hasattr(estimator, attribute):
            return getattr(estimator, attribute)
    return None
