"""The choices of a user for stochastic steps."""

from typing import Literal, NamedTuple

from linclf.optimizers import SGD, Optimizer


class StepRule(NamedTuple):
    """An optimizer with a step size, a schedule for it, and the batches that it sees."""

    optimizer: Optimizer = SGD()
    learning_rate: float | Literal["auto"] = "auto"
    schedule: str = "linear"
    batch_size: int | Literal["auto"] = "auto"
    shuffle: bool = True

    @property
    def automatic(self) -> bool:
        return self.learning_rate == "auto"
