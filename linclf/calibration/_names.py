"""The calibrators by name. A new one is a file in this folder and a line in ``CALIBRATORS``."""

from typing import cast

from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from linclf.calibration._base import Calibrator
from linclf.calibration.automatic import AutomaticCalibration
from linclf.calibration.dirichlet import DirichletCalibration
from linclf.calibration.platt import PlattScaling
from linclf.calibration.temperature import TemperatureScaling
from linclf.calibration.vector import VectorScaling

CALIBRATORS = {
    "temperature": TemperatureScaling,
    "platt": PlattScaling,
    "vector": VectorScaling,
    "dirichlet": DirichletCalibration,
    "auto": AutomaticCalibration,
}


def resolve(calibration: str | Calibrator) -> Calibrator:
    """A new unfitted calibrator for a name or an object; the object is not changed.

    Parameters
    ----------
    calibration : {"temperature", "platt", "vector", "dirichlet", "auto"} or calibrator
        A calibrator is an estimator with ``fit(scores, y, sample_weight=None, *, classes=None)`` and
        ``predict_proba(scores)``.

    Returns
    -------
    calibrator

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If the object is a class, or not a calibrator.

    Examples
    --------
    >>> from linclf.calibration import VectorScaling, resolve
    >>> resolve("temperature")
    TemperatureScaling()
    >>> resolve(VectorScaling(alpha=1.0))
    VectorScaling(alpha=1.0)
    """
    if isinstance(calibration, str):
        if calibration not in CALIBRATORS:
            raise ValueError(
                f"calibration={calibration!r} is unknown; use one of {sorted(CALIBRATORS)} or a calibrator"
            )
        return CALIBRATORS[calibration]()
    if isinstance(calibration, type):
        raise TypeError(f"calibration={calibration!r} is a class; pass an object, {calibration.__name__}()")
    if not all(hasattr(calibration, name) for name in ("fit", "predict_proba", "get_params")):
        raise TypeError(
            f"calibration={calibration!r} is no calibrator; use one of {sorted(CALIBRATORS)} or an estimator "
            "with fit(scores, y) and predict_proba(scores)"
        )
    if not has_fit_parameter(calibration, "classes"):
        raise TypeError(
            f"calibration={calibration!r} is no calibrator: its fit takes no classes; use one of "
            f"{sorted(CALIBRATORS)} or an estimator with fit(scores, y, sample_weight=None, *, classes=None)"
        )
    return cast("Calibrator", clone(calibration))
