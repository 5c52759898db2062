"""Conditions for ``available_if``: the methods of an estimator depend on its parameters."""

from collections.abc import Callable
from typing import Any

from sklearn.utils._available_if import _AvailableIfDescriptor

from linclf.losses import LOSSES
from linclf.losses._registry import trait


class _Available(_AvailableIfDescriptor):
    """scikit-learn's descriptor, with the reason in the error itself and not only in its cause."""

    def _check(self, obj: Any, owner: type) -> None:
        try:
            super()._check(obj, owner)
        except AttributeError as fault:
            if fault.__cause__ is None:
                raise
            raise AttributeError(f"{fault}: {fault.__cause__}") from fault.__cause__


def available(check: Callable[[Any], bool]) -> Callable[[Callable[..., Any]], _Available]:
    """Decorator of a method that an object has only if ``check`` of the object is true."""
    return lambda method: _Available(method, check, attribute_name=method.__name__)


def has_probabilities(self: Any) -> bool:
    """For ``predict_proba``: not every loss has probabilities, but every calibrator does."""
    if self.calibration is not None or self._is_calibrated:
        return True
    try:
        loss = self._loss()
        cls = LOSSES[loss] if isinstance(loss, str) else type(loss)
    except (KeyError, ValueError):  # parameters that fit will refuse
        return True
    if trait(cls, "probabilities") is None:
        raise AttributeError(
            f"the {cls.__name__} loss has no probabilities; use decision_function, a softmax loss "
            "(SoftmaxClassifier), calibration='platt' with validation rows, or "
            "linclf.calibration.CalibratedClassifier around this estimator"
        )
    return True


def takes_streams(self: Any) -> bool:
    """For ``partial_fit``, which some parameters rule out, as they need all rows at once."""
    for name, needed in self._needs_all_rows().items():
        if needed:
            raise AttributeError(
                f"{name}={getattr(self, name)!r} needs all rows at once, or validation rows, but partial_fit "
                "sees only a part; leave it at its default"
            )
    return True
