"""The losses by name. A new one is a file (or a class in one) here and a line in ``LOSSES``."""

from linclf._limits import check_limits
from linclf.losses._registry import row_loss, trait
from linclf.losses.focal import Focal
from linclf.losses.hinge import (
    CrammerSinger,
    OneVsRest,
    SquaredCrammerSinger,
    SquaredOneVsRest,
    SquaredWestonWatkins,
    WestonWatkins,
)
from linclf.losses.margin import ArcFace, CosFace, NormFace, SphereFace
from linclf.losses.softmax import Softmax

LOSSES = {
    "softmax": Softmax,
    "focal": Focal,
    "weston-watkins": WestonWatkins,
    "crammer-singer": CrammerSinger,
    "one-vs-rest": OneVsRest,
    "squared-weston-watkins": SquaredWestonWatkins,
    "squared-crammer-singer": SquaredCrammerSinger,
    "squared-one-vs-rest": SquaredOneVsRest,
    "normface": NormFace,
    "cosface": CosFace,
    "arcface": ArcFace,
    "sphereface": SphereFace,
}

__all__ = ["LOSSES", *sorted(cls.__name__ for cls in LOSSES.values())]


def resolve(loss, n_classes):
    """The loss object to train for a name or an object: checked, with float fields only.

    Raises
    ------
    TypeError
        If the class of the loss has no registered row function.
    InvalidParameterError
        If a parameter is outside its limits (a ValueError).
    """
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ValueError(f"loss={loss!r} is unknown; use one of {sorted(LOSSES)} or a loss object")
        loss = LOSSES[loss]()
    if type(loss) not in row_loss.table:
        raise TypeError(
            f"loss={loss!r} is not a linclf loss: {type(loss).__name__} has no row function; use one of "
            f"{sorted(LOSSES)} or an object such as linclf.losses.Softmax()"
        )
    check_limits(loss, trait(loss, "limits"))
    if hasattr(loss, "resolved"):
        loss = loss.resolved(n_classes)
    return type(loss)(*map(float, loss))


def watched(loss):
    """What is watched on validation data: the loss without what makes training harder."""
    return loss.watched() if hasattr(loss, "watched") else loss
