"""Checks of numbers: limits of the fields of losses and optimizers, and integers."""

from numbers import Integral
from typing import Any

from sklearn.utils._param_validation import InvalidParameterError, make_constraint


def is_integer(value: object) -> bool:
    """Whether a value is an integer of any type; True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_limits(item: Any, limits: dict[str, Any]) -> None:
    """Raise InvalidParameterError, a ValueError, if a field of a NamedTuple is out of bounds.

    Limits are scikit-learn's parameter constraints.
    """
    values = item._asdict()
    for name, allowed in limits.items():
        value = values[name]
        constraints = [make_constraint(c) for c in (allowed if isinstance(allowed, list) else [allowed])]
        if not any(constraint.is_satisfied_by(value) for constraint in constraints):
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(item).__name__} must be "
                f"{' or '.join(map(str, constraints))}. Got {value!r} instead."
            )
