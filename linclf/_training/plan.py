"""Batches, passes and sweeps that "auto" chooses, as functions of rule, loss, head and shape.

The figures were measured; docs/decisions.md says how.
"""

from typing import Literal

import numpy as np

from linclf._kernels.norms import Norm
from linclf._storage.verbs import BLOCK, IN_CACHE, WIDE
from linclf._training.descent import Plan
from linclf._training.optimizing import accelerated
from linclf._training.sampling import Sampling
from linclf._training.shape import Shape
from linclf._training.step_rule import StepRule
from linclf._training.sweeps import Batches, Direct, Pieces, Proximal, Wide
from linclf._types import Loss
from linclf.heads import Head
from linclf.losses._registry import trait
from linclf.optimizers import SGD, Optimizer

FULL_BATCH = 1024
MANY = 2**62  # rows of a stream: if a part of it were one batch, it would be a single step
FULL_BATCH_OF_HINGES = 64  # the same for losses with kinks, on which small steps do better
BATCH_OF_NORMS = 256  # rows of a batch at least, as all weights are looked at after it
MOST_WIDE = 1024  # rows of a batch for which all scores are kept
PIECE = 1e7  # multiply-adds that are worth a thread
ROW_COST, VALUE_COST = 50, 4  # least cost of a row, and of a value of a sparse row, in multiply-adds
FEWEST_ROWS, MOST_PIECES = 128, 16  # of a piece, and of a batch
CALL = 5e8  # multiply-adds of one kernel call: 50 to 100 ms, so that Ctrl-C works
ROW_TIME = 1500  # fixed time of a row, in multiply-adds
EPOCHS, EPOCHS_ROWS, FEWEST_EPOCHS, MOST_EPOCHS = 10, 60_000, 5, 1000
SPARSE_VISITS, FEWEST_SPARSE = 144_000, 8


def plan_for(
    rule: StepRule,
    max_iter: int | Literal["auto"],
    loss: Loss,
    head: Head,
    shape: Shape,
    *,
    stream: bool = False,
    sampling: Sampling | None = None,
    norm: Norm | None = None,
) -> Plan:
    """How to train; ``sampling`` is a sweep that may replace the planned one."""
    batch = batch_for(rule, loss, head, shape._replace(n_rows=MANY) if stream else shape)
    if norm is not None and rule.batch_size == "auto":
        batch = max(batch, BATCH_OF_NORMS)
    if sampling is not None:
        batch = sampling.batch_for(batch, rule.batch_size == "auto", shape, stream)
    full = not stream and batch >= shape.n_rows and not (sampling is not None and sampling.noisy)
    # momentum would not know what the proximal map has moved
    smooth = trait(loss, "smooth") and norm is None
    faster = accelerated(rule.optimizer) if full and rule.automatic and smooth else None
    optimizer = rule.optimizer if faster is None else faster
    direct = norm is None and _is_direct(optimizer, head, shape, batch)
    n_pieces = pieces_of(
        min(batch, shape.n_rows), row_cost(shape, None if direct else batch), shape.n_weights
    )
    if sampling is not None and sampling.replaces(full):
        sweep = sampling
    elif norm is not None:
        sweep = Proximal()
    elif not shape.is_sparse and batch <= MOST_WIDE and shape.n_weights * shape.dtype.itemsize > IN_CACHE:
        sweep = Wide()
    elif direct:
        sweep = Direct()
    else:
        sweep = Pieces() if n_pieces > 1 else Batches()
    return Plan(
        batch=batch,
        full=full,
        accelerated=faster is not None,
        optimizer=optimizer,
        sweep=sweep,
        n_pieces=n_pieces,
        batches_a_call=max(1, int(CALL / (_row_time(shape, None if direct else batch) * batch))),
        epochs=epochs_for(max_iter, full, shape),
    )


def batch_for(rule: StepRule, loss: Loss, head: Head, shape: Shape) -> int:
    """Rows of a batch."""
    if rule.batch_size != "auto":
        return rule.batch_size
    all_rows = FULL_BATCH if trait(loss, "smooth") else FULL_BATCH_OF_HINGES
    if shape.n_rows <= all_rows:
        return all_rows
    batch = 8 if shape.is_sparse else 16 if shape.n_products < WIDE else 64
    if not _is_direct(rule.optimizer, head, shape, batch) and (shape.is_sparse or not _in_cache(shape)):
        return 256
    return batch if type(rule.optimizer) is SGD else 64


def _is_direct(optimizer: Optimizer, head: Head, shape: Shape, batch: int) -> bool:
    """Whether steps are added directly to the weights."""
    fits = shape.is_sparse or _in_cache(shape)
    return fits and type(optimizer) is SGD and head.equivariant and batch <= BLOCK


def _in_cache(shape: Shape) -> bool:
    return shape.n_products * (shape.n_features + 1) * shape.dtype.itemsize <= IN_CACHE


def epochs_for(max_iter: int | Literal["auto"], full: bool, shape: Shape) -> int:
    """The number of passes: the fewer rows, the more passes are affordable and needed."""
    if max_iter != "auto":
        return max_iter
    if full:
        return MOST_EPOCHS
    if shape.is_sparse:
        return int(np.clip(round(SPARSE_VISITS / shape.n_rows), FEWEST_SPARSE, MOST_EPOCHS))
    return int(np.clip(round(EPOCHS * (EPOCHS_ROWS / shape.n_rows) ** 1.4), FEWEST_EPOCHS, MOST_EPOCHS))


def row_cost(shape: Shape, batch: int | None) -> float:
    """Multiply-adds of a row, plus its share of those that a batch, if any, spends on all weights."""
    if shape.stored is None:
        return ROW_COST + shape.n_weights
    classes = max(shape.n_products, VALUE_COST)
    return ROW_COST + shape.stored * classes + (0 if batch is None else shape.n_weights / batch)


def _row_time(shape: Shape, batch: int | None) -> float:
    """Time of a row in a kernel, in multiply-adds of dense rows (0.2 ns); it never takes much less."""
    step = 0 if batch is None else 20 * shape.n_weights / batch
    if shape.stored is None:
        return ROW_TIME + shape.n_weights + step
    return ROW_TIME + shape.stored * (200 + 5 * shape.n_products) + step


def pieces_of(n_rows: int, cost: float, n_weights: int) -> int:
    """Number of pieces to cut rows into: enough for threads and Ctrl-C, but few gradient arrays.

    A power of two gives each of two or four threads the same work.
    """
    work = n_rows * cost
    worthwhile = int(min(work / max(PIECE, 4 * n_weights), n_rows / FEWEST_ROWS, MOST_PIECES))
    return max(2 ** (worthwhile.bit_length() - 1) if worthwhile else 1, int(work / CALL))
