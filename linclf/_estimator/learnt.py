"""Attributes that a fit publishes, and that a stream computes only on access."""

from typing import Any


class FromStream:
    """A descriptor, as ``__getattr__`` would run for every name that scikit-learn looks up."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, model: Any, owner: type) -> Any:
        if model is None:
            return self
        learnt = model._learnt()  # another thread may have finished a fit since Python looked up the name
        if self.name not in learnt:
            raise AttributeError(f"{owner.__name__!r} object has no attribute {self.name!r}")
        return learnt[self.name]


FROM_STREAM = "coef_", "intercept_"
