"""Check that the columns of batches are those of the fit."""

from typing import Any

from linclf._sources.batches import Batches


def check_columns(estimator: Any, batches: Batches) -> None:
    """Refuse different columns, and the same columns in a different order."""
    n_features, names = batches._format.n_features, batches._names
    name, fitted = type(estimator).__name__, vars(estimator).get("feature_names_in_")
    if n_features != estimator.n_features_in_:
        raise ValueError(
            f"X has {n_features} features, but {name} is expecting {estimator.n_features_in_} features as "
            "input"
        )
    if names is None or fitted is None or names == fitted.tolist():
        return
    place, (here, there) = next(
        (place, pair)
        for place, pair in enumerate(zip(names, fitted.tolist(), strict=True))
        if pair[0] != pair[1]
    )
    raise ValueError(
        f"column {place} of {batches!r} is {here!r}, but {name} was fitted with {there!r} there; name the "
        "columns in the order of feature_names_in_ with features="
    )
