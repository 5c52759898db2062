"""A stream that goes on with more classes.

Weights, averages and optimizer slots of the classes so far are kept bit for bit. Those of a new class are the
mean of the others, so that its score is the mean of theirs: low for a row that is clearly of one of them. Its
first steps are then no longer than those of the other classes. For cosines, for which a mean of weights need
not have a direction, it starts at the mean direction of its rows, as classes of a first part do.
"""

from threading import Event
from typing import Literal, NamedTuple

import numpy as np

from linclf._data.dataset import Dataset
from linclf._kernels.problem import State
from linclf._training.model import LinearModel
from linclf._training.optimizing import averages_of
from linclf._training.present import Present
from linclf._training.stream import Stream
from linclf._types import FloatArray, IntArray, LabelArray, Loss
from linclf.heads import Cosine
from linclf.losses._evaluation import curvature
from linclf.losses._registry import trait
from linclf.optimizers import Optimizer
from linclf.optimizers import trait as trait_of_optimizer


class Growth(NamedTuple):
    """The positions of the classes so far among more classes."""

    kept: IntArray
    n_classes: int

    @property
    def new(self) -> IntArray:
        return np.delete(np.arange(self.n_classes), self.kept)

    def model(self, model: LinearModel, data: Dataset, rng: np.random.RandomState) -> LinearModel:
        """A model of all scores, to start from, with the new classes."""
        W, b = self._widened(model.W), self._widened(model.b)
        if isinstance(model.head, Cosine):
            W[self.new], b[self.new] = self._directions(model.head, data, rng)
        return model._replace(W=W, b=b)

    def state(self, stream: Stream, data: Dataset, rng: np.random.RandomState) -> State:
        """The state of a stream with the new classes."""
        assert stream.state is not None
        V, G, slots, n_steps = stream.state
        head, optimizer = stream.head, stream.rule.optimizer
        order: Literal["C", "F"] = "F" if stream.is_sparse else "C"  # for rows of classes
        if stream.is_sparse:
            V, slots = V.T, slots.T
        if head.copies == 2:
            V, slots = np.concatenate([-V, V]), np.concatenate([_negated(slots, optimizer), slots])
        V, slots = self._widened(V, order), self._widened(slots, order)
        if isinstance(head, Cosine):
            V[self.new] = start = np.column_stack(self._directions(head, data, rng))
            for average in averages_of(optimizer, slots):
                average[self.new] = start
        if stream.is_sparse:
            V, slots = V.T, slots.T
        return State(V, np.array(G), slots, np.array(n_steps))

    def _widened(self, of_each: FloatArray, order: Literal["C", "F"] = "C") -> FloatArray:
        """An array with an entry for each class, which is the mean of the others for a new class."""
        wide = np.empty((self.n_classes, *of_each.shape[1:]), of_each.dtype, order=order)
        wide[self.kept], wide[self.new] = of_each, of_each.mean(axis=0, dtype=np.float64)
        return wide

    def _directions(
        self, head: Cosine, data: Dataset, rng: np.random.RandomState
    ) -> tuple[FloatArray, FloatArray]:
        own = Present(self.new, self.n_classes).narrowed(data)
        return head.start(own, len(self.new), rng)


def growth_to(known: LabelArray, classes: LabelArray) -> Growth | None:
    """How sorted classes grow to all that are known now; None if there are no new ones."""
    if len(known) == len(classes):
        return None
    return Growth(np.searchsorted(known, classes.astype(known.dtype)), len(known))


def grow(
    stream: Stream, growth: Growth, loss: Loss, key: tuple, data: Dataset, rng: np.random.RandomState
) -> None:
    """Give a successor more classes; its arrays are then its own, and the stream before it is unchanged."""
    stream.frame.own()
    stream.lent = Event()
    stream.state = growth.state(stream, data, rng)
    stream.key, stream.loss, stream.head = key, loss, stream.head.of_all_scores()
    stream.n_classes = stream.n_outputs = growth.n_classes
    stream.curvature = curvature(loss, growth.n_classes, stream.dtype, soft=data.y.soft)
    if stream.sampling is not None:
        stream.sampling.widen(growth.kept, growth.n_classes)
        stream.curvature = stream.sampling.curvature(stream.curvature)
    stream.frame.shift = stream.alpha * stream.n_outputs
    stream.squares = None


def check_grows(loss: Loss) -> None:
    """Refuse losses whose classes have an order or names."""
    mapped = trait(loss, "n_outputs") is not None or trait(loss, "class_scores") is not None
    if mapped or not trait(loss, "symmetric"):
        raise ValueError(
            f"on_new_class='add' puts new classes between the others, but the order of the classes has a "
            f"meaning for {loss!r}; use on_new_class='error', and pass all classes in the first call of "
            "partial_fit"
        )


def _negated(slots: FloatArray, optimizer: Optimizer) -> FloatArray:
    """The slots (K, n_slots, d + 1) of weights of the opposite sign, whose gradients have it too."""
    slots = slots.copy()
    for slot in trait_of_optimizer(optimizer, "odd_slots"):
        slots[:, slot] *= -1
    return slots
