"""Declarative limits of the fields of losses and optimizers, in scikit-learn's terms."""

from typing import Any

from sklearn.utils._param_validation import InvalidParameterError, make_constraint


def check_limits(item: Any, limits: dict[str, Any]) -> None:
    """Raise InvalidParameterError, a ValueError, where a field of a NamedTuple is out of bounds."""
    for name, allowed in limits.items():
        value = getattr(item, name)
        constraints = [make_constraint(c) for c in (allowed if isinstance(allowed, list) else [allowed])]
        if not any(constraint.is_satisfied_by(value) for constraint in constraints):
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(item).__name__} must be "
                f"{' or '.join(map(str, constraints))}. Got {value!r} instead."
            )
