"""The losses by name. A new one is a file (or a class in one) in this folder and a line in ``LOSSES``."""

from difflib import get_close_matches
from numbers import Real
from typing import Any, cast

from linclf._data.limits import check_limits
from linclf._numba.dispatch import is_named_tuple
from linclf._types import Loss
from linclf.heads import HEADS
from linclf.losses._registry import row_loss, trait
from linclf.losses.entmax import Entmax, Sparsemax
from linclf.losses.focal import Focal
from linclf.losses.hinge import (
    CrammerSinger,
    OneVsRest,
    SquaredCrammerSinger,
    SquaredOneVsRest,
    SquaredWestonWatkins,
    WestonWatkins,
)
from linclf.losses.logistic import OneVsRestLogistic
from linclf.losses.margin import ArcFace, CosFace, NormFace, SphereFace
from linclf.losses.softmax import Softmax

LOSSES: dict[str, type[Any]] = {
    "softmax": Softmax,
    "one-vs-rest-logistic": OneVsRestLogistic,
    "focal": Focal,
    "sparsemax": Sparsemax,
    "entmax": Entmax,
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

_KINDS = f"use one of {sorted(LOSSES)} or a NamedTuple of numbers with a row function"


INSTEAD = {
    "log_loss": "softmax",
    "log": "softmax",
    "logistic": "softmax",
    "multinomial": "softmax",
    "cross_entropy": "softmax",
    "categorical_crossentropy": "softmax",
    "bce": "one-vs-rest-logistic",
    "binary_crossentropy": "one-vs-rest-logistic",
    "binary_cross_entropy": "one-vs-rest-logistic",
    "sigmoid": "one-vs-rest-logistic",
    "ovr-logistic": "one-vs-rest-logistic",
    "ovr_logistic": "one-vs-rest-logistic",
    "hinge": "one-vs-rest",
    "ovr": "one-vs-rest",
    "squared_hinge": "squared-one-vs-rest",
}  # names in other libraries


def _meant(name: str) -> str:
    """A suggestion for an unknown name."""
    close = get_close_matches(name.replace("_", "-"), LOSSES, 1)
    meant = INSTEAD.get(name) or (close[0] if close else None)
    return f"did you mean {meant!r}? Use" if meant else "use"


def loss_for(loss: str | Loss, n_classes: int) -> Loss:
    """The loss object to train for a name or an object: checked, with float fields only.

    Raises
    ------
    TypeError
        If the class of the loss has no registered row function, or one of its attributes is not valid.
    InvalidParameterError
        If a parameter is outside its limits (a ValueError).
    """
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ValueError(
                f"loss={loss!r} is unknown; {_meant(loss)} one of {sorted(LOSSES)} or a loss object"
            )
        loss = cast("Loss", LOSSES[loss]())
    cls: type[Any] = type(loss)
    name = cls.__name__
    if isinstance(loss, type):
        raise TypeError(f"loss={loss!r} is a class; pass an object, {loss.__name__}()")
    if not is_named_tuple(cls):
        raise TypeError(f"loss={loss!r} is not a loss: {_KINDS}")
    if row_loss.find(cls) is None:
        raise TypeError(
            f"loss={loss!r} has no row function; {_KINDS}, registered by "
            f"@linclf.losses.row_loss.register({name})"
        )
    head = trait(loss, "head")
    if head not in HEADS or not set(head.needs) <= set(loss._fields):
        raise TypeError(
            f"head={head!r} of {name}: use linclf.heads.Linear or, for a loss with a field scale, "
            "linclf.heads.Cosine"
        )
    _check_class(loss, name)
    check_limits(loss, trait(loss, "limits"))
    method = trait(loss, "resolved")
    resolved: Any = method(n_classes) if method else loss
    for field, value in resolved._asdict().items():
        if not isinstance(value, Real):
            raise TypeError(f"{field}={value!r} of {name} is not a number; the fields of a loss are numbers")
    return type(resolved)(*map(float, resolved))


def loss_of_labels(loss: str | Loss) -> Loss | None:
    """The loss to train for rows with several labels, or None if it is not a sum over the classes."""
    several = loss_for(loss, 3)  # two classes may be trained as another loss
    of_labels = trait(several, "of_labels")
    if of_labels is None:
        return None
    found: Any = of_labels()
    if trait(found, "exclusive"):
        raise TypeError(
            f"of_labels() of {several!r} returns {found!r}, whose class has to say exclusive = False"
        )
    return type(found)(*map(float, found))


def _check_class(loss: Loss, name: str) -> None:
    """Check class attributes whose misuse would otherwise fail without naming the loss."""
    for method in ("curvature", "resolved", "watched", "of_labels", "probabilities", "log_probabilities"):
        found = trait(loss, method)
        if found is not None and not callable(found):
            raise TypeError(f"{method}={found!r} of {name} has to be a method of its class, or be left out")
    limits = trait(loss, "limits")
    if not isinstance(limits, dict) or not set(limits) <= set(loss._fields):
        raise TypeError(
            f"limits={limits!r} of {name} has to be a dict from fields ({list(loss._fields)}) to intervals"
        )


def watched(loss: Loss) -> Loss:
    """The loss watched on validation data: without the parts that make training harder."""
    declared = trait(loss, "watched")
    return declared() if declared else loss
