"""Which methods an estimator has depends on its parameters: conditions for ``available_if``."""

from linclf.losses import LOSSES


def has_probabilities(self):
    """For ``predict_proba``: not every loss has them, but a calibrator has."""
    if self.calibration is not None or hasattr(self, "calibrator_"):
        return True
    try:
        loss = self._loss()
        cls = LOSSES[loss] if isinstance(loss, str) else type(loss)
    except (KeyError, ValueError):  # parameters that fit will refuse
        return True
    if getattr(cls, "probabilities", None) is None:
        raise AttributeError(
            f"the {cls.__name__} loss has no probabilities; use decision_function, a softmax loss "
            "(SoftmaxClassifier), calibration='platt' with validation rows, or "
            "linclf.calibration.CalibratedClassifier around this estimator"
        )
    return True


def takes_streams(self):
    """For ``partial_fit``: some parameters need all rows at once."""
    for name, needed in self._needs_all_rows().items():
        if needed:
            raise AttributeError(
                f"{name}={getattr(self, name)!r} needs all rows at once, or validation rows, and partial_fit "
                "sees a part; leave it at its default"
            )
    return True
