"""The losses by name: those of `linclf.losses`, and those that exist only for embeddings."""

from typing import Any

import numpy as np

from linclf._data.limits import check_limits
from linclf._types import FloatArray, IntArray, Loss
from linclf.embedding._classified import OnCosines, OnScores
from linclf.embedding._objective import Objective
from linclf.embedding.center import Center
from linclf.embedding.contrastive import NTXent, SupCon
from linclf.losses import LOSSES
from linclf.losses._names import loss_for
from linclf.losses._registry import trait

OBJECTIVES: dict[str, type[Any]] = {"center": Center, "nt-xent": NTXent, "supcon": SupCon}


class Classified:
    """A loss of the package, on the scores or cosines of a classifier that is trained with z."""

    needs_labels = True
    least_batch = 1

    def __init__(self, loss: str | Loss) -> None:
        self.loss = loss

    def objective(self, Z: FloatArray, y: IntArray, n_classes: int, rng: np.random.RandomState) -> Objective:
        loss = loss_for(self.loss, n_classes)
        if trait(loss, "head").bounded:
            return OnCosines(loss, Z, y, n_classes, rng)
        return OnScores(loss, Z, y, n_classes)


def criterion_for(loss: Any) -> Any:
    """What makes the objective, for the name or the object that a user gives."""
    if isinstance(loss, str) and loss not in (*OBJECTIVES, *LOSSES):
        raise ValueError(
            f"loss={loss!r} is unknown; use one of {sorted(OBJECTIVES)} or of {sorted(LOSSES)}, or an object"
        )
    if isinstance(loss, str) and loss in OBJECTIVES:
        return OBJECTIVES[loss]()
    if isinstance(loss, (Center, NTXent, SupCon)):
        check_limits(loss, loss.limits)
        return loss
    if isinstance(loss, type):
        raise TypeError(f"loss={loss!r} is a class; pass an object, {loss.__name__}()")
    loss_for(loss, 3)  # refuses what is none
    return Classified(loss)
