"""The state of a stream in a file: its classes, and checks that its parts fit together.

Kernels do not check shapes, and would read beyond the end of an array that is too small.
"""

from typing import Any

import numpy as np

from linclf._kernels.problem import State
from linclf._training.coordinates import Coordinates, Levels, Moments
from linclf._training.fit import copies_of
from linclf._training.frames import Given, Levelled, Seen, Standardised, frame_for
from linclf._training.settings import Settings
from linclf._training.solvers import Stochastic
from linclf._training.step_rule import StepRule
from linclf._training.step_size import StepSize
from linclf._training.stream import Stream, same
from linclf.heads import HEADS
from linclf.large._candidates import Candidates, Draw
from linclf.large._paths import Paths
from linclf.large._tree import Tree, from_codes, tree_of
from linclf.losses import LOSSES
from linclf.losses.labels import OF_LABELS
from linclf.optimizers import OPTIMIZERS, Averaged

TUPLES = (*HEADS, Settings, StepRule, Coordinates, Levels, Moments, Seen, State, Draw, Tree)
OBJECTS = (Stream, StepSize, Given, Standardised, Levelled, Candidates, Paths)
ATTRIBUTES = ("_stream", "_session")  # of an estimator; the second one in files of linclf 0.1.0


def check_stream(stream: Any, n_classes: int, n_features: int, several: bool) -> None:
    """Check that the kernels get what they expect; ``several``: whether a row has several labels."""
    check_type("the stream", stream, (Stream,))
    if stream.due is not None:
        raise ValueError("the stream has changes that are not written")
    check_type("settings", stream.settings, (Settings,))
    check_type("the rule", stream.rule, (StepRule,))
    optimizer, trees = stream.rule.optimizer, isinstance(stream.sampling, Paths)
    check_numbers("optimizer", optimizer, (*OPTIMIZERS.values(), Averaged))
    check_type("key", stream.key, (tuple,))
    if not same(stream.key[1], optimizer):  # training would go on with it
        raise ValueError(f"the key of the stream has {stream.key[1]!r}, and its rule {optimizer!r}")
    if trees:
        check_tree(stream.loss, n_classes)
        check_tree(stream.sampling.tree, n_classes)
    else:
        check_numbers("loss", stream.loss, OF_LABELS if several else tuple(LOSSES.values()))
    if stream.sampling is not None:
        check_type("the sampling", stream.sampling, (Candidates, Paths))
        check_array("the class counts of the stream", stream.sampling.counts, (n_classes,), np.float64)
    if not trees and stream.sampling is not None:
        check_type("draw", stream.sampling.draw, (Draw,))
    n_outputs = n_classes - 1 if trees else n_classes
    sizes = stream.n_classes, stream.n_outputs, stream.n_features
    fits = sizes == (n_classes, n_outputs, n_features)
    if not fits or stream.dtype not in (np.float32, np.float64):
        raise ValueError(f"the stream is for {stream.n_outputs} outputs, {stream.n_features} features")
    _check_frame(stream, n_features)
    check_type("state", stream.state, (State,))
    copies = 1 if stream.sampling is not None else copies_of(stream.loss, n_outputs)
    check_head(stream.head, HEADS, copies)
    n_products = n_outputs // copies
    shape = (n_features + 1, n_products) if stream.is_sparse else (n_products, n_features + 1)
    V, G, slots, n_steps = stream.state
    check_array("V", V, shape, stream.dtype)
    check_array("G", G, (0, 0), stream.dtype)
    check_array("slots", slots, (shape[0], optimizer.n_slots, shape[1]), stream.dtype)
    check_array("the number of steps", n_steps, (1,), np.int64)
    if type(stream.scale) is not float or not 0 < stream.scale <= 1:
        raise ValueError(f"the weights of the stream have the factor {stream.scale!r}")
    if stream.squares is not None and type(stream.squares) is not float:
        raise ValueError(f"the weights of the stream have the squares {stream.squares!r}")


def _check_frame(stream: Any, n_features: int) -> None:
    frame = stream.frame
    check_type("the frame", frame, (frame_for(Stochastic(stream.rule), stream.head, stream.is_sparse),))
    if isinstance(frame, Standardised):
        check_type("coordinates", frame.coordinates, (Coordinates,))
        check_type("moments", frame.moments, (Moments,))
        arrays = [frame.coordinates.centre, frame.coordinates.factor]
        moments: Any = frame.moments
        arrays += [moments.mean, moments.squares]
    else:
        check_type("coordinates", frame.coordinates, (Levels,))
        _check_levels(frame.coordinates, n_features)
        arrays = []
    if isinstance(frame, Levelled):
        arrays.append(frame.squares)
        if frame.due is not None:
            raise ValueError("the frame has squares that are not written")
    for array in arrays:
        check_array("the features of the stream", array, (n_features,), np.float64)


def _check_levels(levels: Any, n_features: int) -> None:
    """Check the features that have a factor, because a kernel uses them as indices."""
    n = len(levels.features)
    check_array("the features that have a factor", levels.features, (n,), np.int64)
    check_array("the factors of features", levels.factors, (n,), np.float64)
    inside = not n or (levels.features[0] >= 0 and levels.features[-1] < n_features)
    if levels.n_features != n_features or not inside or not (np.diff(levels.features) > 0).all():
        raise ValueError(f"the features that have a factor are {levels.features!r}, of {n_features}")


def check_tree(tree: Any, n_classes: int) -> None:
    """Check that the paths, which a kernel follows, match the children."""
    check_type("the tree", tree, (Tree,))
    right = np.shape(tree.children) == (n_classes - 1, 2) and len(tree.starts) == n_classes + 1
    right = right and tree.starts[0] == 0 and tree.starts[-1] == len(tree.nodes) == len(tree.signs)
    if right and (np.diff(tree.starts) > 0).all():
        again = tree_of(from_codes(tree.codes, np.arange(n_classes)))
        if all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(tree, again, strict=True)):
            return
    raise ValueError("the paths of the tree are not those of its children")


def check_type(name: str, value: Any, allowed: tuple[type, ...]) -> None:
    if type(value) not in allowed:
        raise ValueError(f"{name} is a {type(value).__name__}")


def check_numbers(name: str, value: Any, allowed: tuple[type, ...]) -> None:
    """Check that all fields are floats: other types would change the signature of the kernels."""
    check_type(name, value, allowed)
    if isinstance(value, Averaged):
        check_numbers(name, value.inner, tuple(cls for cls in allowed if cls is not Averaged))
    elif not all(type(field) is float for field in value):
        raise ValueError(f"{name}={value!r} has fields that are no floats")


def check_head(head: Any, allowed: tuple[type, ...], copies: int) -> None:
    check_type("head", head, allowed)
    if type(head.intercept) is not float or type(head.copies) is not int or head.copies != copies:
        raise ValueError(f"head={head!r} has fields of other types, or others than {copies} copies")


def check_array(name: str, value: Any, shape: tuple[int, ...], dtype: np.dtype | type) -> None:
    correct = type(value) is np.ndarray and value.dtype == dtype and value.flags.c_contiguous
    if not correct or value.shape != shape:
        raise ValueError(f"{name} is not an array of {np.dtype(dtype)} {shape}")
