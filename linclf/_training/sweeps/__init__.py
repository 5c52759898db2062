"""Ways through the rows for stochastic steps, one per file."""

from linclf._training.sweeps.batches import Batches
from linclf._training.sweeps.direct import Direct
from linclf._training.sweeps.pieces import Pieces
from linclf._training.sweeps.proximal import Proximal
from linclf._training.sweeps.wide import Wide

__all__ = ["Batches", "Direct", "Pieces", "Proximal", "Wide"]
