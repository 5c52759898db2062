"""The decisions of "auto" as a table: the plan of stochastic training for a rule, loss, head and shape."""

from typing import NamedTuple

import numpy as np
import pytest

from linclf._training.descent import Plan
from linclf._training.frames import Folded, Given, Levelled, Spanned, Standardised, frame_for
from linclf._training.model import LinearModel
from linclf._training.plan import epochs_for, pieces_of, plan_for
from linclf._training.shape import Shape
from linclf._training.solvers import LBFGS, Stochastic
from linclf._training.step_rule import StepRule
from linclf._training.sweeps import Batches, Direct, Pieces, Wide
from linclf.heads import Cosine, Linear
from linclf.large._candidates import Candidates, Draw
from linclf.large._paths import Paths
from linclf.large._tree import balanced, tree_of
from linclf.losses import Softmax, WestonWatkins
from linclf.optimizers import SGD, Adam, Averaged, Nesterov

F32, F64 = np.dtype(np.float32), np.dtype(np.float64)


def dense(n, d, K, dtype=F64, trained=None):
    return Shape(n, d, d if trained is None else trained, K, dtype)


def csr(n, d, K, stored=30.0, dtype=F64):
    return Shape(n, d, d, K, dtype, stored)


class Row(NamedTuple):
    """A line of the table: the input, and the resulting batch, sweep, optimizer and epochs."""

    shape: Shape
    batch: int
    sweep: object
    optimizer: tuple = SGD()
    epochs: int = 1000
    full: bool = False
    rule: StepRule = StepRule()
    loss: tuple = Softmax()
    head: tuple = Linear()
    stream: bool = False
    sampling: object = None


def drawn(n_sampled, K):
    return Candidates(Draw(False, n_sampled, "uniform", 0.75, 0), K)


TREE = Paths(tree_of(balanced(100)))
FAST = {"optimizer": Nesterov(), "full": True}
TABLE = {
    # up to 1,024 rows form one batch, and exact gradients benefit from momentum
    "small": Row(dense(150, 4, 3), 1024, Batches(), **FAST),
    "1,024 rows": Row(dense(1024, 4, 3), 1024, Batches(), **FAST),
    "1,025 rows": Row(dense(1025, 4, 3), 16, Direct()),
    "small, CSR": Row(csr(150, 40, 3), 1024, Batches(), **FAST),
    "kinks: 64 rows": Row(dense(64, 4, 3), 64, Direct(), full=True, loss=WestonWatkins()),
    "kinks: 65 rows": Row(dense(65, 4, 3), 16, Direct(), loss=WestonWatkins()),
    "averaged": Row(
        dense(150, 4, 3), 1024, Batches(), Averaged(Nesterov()), full=True, rule=StepRule(Averaged(SGD()))
    ),
    "adam keeps its own steps": Row(
        dense(150, 4, 3), 1024, Batches(), Adam(), full=True, rule=StepRule(Adam())
    ),
    "a step of the user": Row(dense(150, 4, 3), 1024, Batches(), full=True, rule=StepRule(learning_rate=0.1)),
    "a batch of the user": Row(dense(150, 4, 3), 7, Direct(), rule=StepRule(batch_size=7)),
    "a batch of the user holds all": Row(
        dense(150, 4, 3), 150, Batches(), **FAST, rule=StepRule(batch_size=150)
    ),
    # more rows: 16 dense, 64 from 32 classes on, 8 sparse
    "large": Row(dense(60_000, 784, 10), 16, Direct(), epochs=10),
    "31 classes": Row(dense(60_000, 20, 31), 16, Direct(), epochs=10),
    "32 classes": Row(dense(60_000, 20, 32), 64, Direct(), epochs=10),
    "large, CSR": Row(csr(18_000, 900, 20), 8, Direct(), epochs=8),
    "CSR, 2,000 rows": Row(csr(2000, 900, 20), 8, Direct(), epochs=72),
    "CSR with Adam": Row(csr(18_000, 900, 20), 256, Batches(), Adam(), epochs=8, rule=StepRule(Adam())),
    "CSR, averaged": Row(
        csr(18_000, 900, 20), 256, Batches(), Averaged(SGD()), epochs=8, rule=StepRule(Averaged(SGD()))
    ),
    "CSR on cosines": Row(csr(18_000, 900, 20), 256, Batches(), epochs=8, head=Cosine()),
    "dense with Adam": Row(dense(60_000, 20, 3), 64, Batches(), Adam(), epochs=10, rule=StepRule(Adam())),
    # weights beyond 1 MiB do not stay in the cache: threads share the classes of a batch
    "wide": Row(dense(60_000, 768, 1000, F32), 256, Wide(), epochs=10),
    "1 MiB exactly": Row(dense(60_000, 1023, 256, F32), 64, Direct(), epochs=10),
    "a feature more": Row(dense(60_000, 1024, 256, F32), 256, Wide(), epochs=10),
    "wide, all rows": Row(dense(900, 2000, 200), 1024, Wide(), **FAST),
    "wide, but rotated to few": Row(dense(600, 2000, 100, trained=600), 1024, Pieces(), **FAST),
    "more rows than scores are kept of": Row(
        dense(60_000, 768, 1000, F32), 5000, Pieces(), epochs=10, rule=StepRule(batch_size=5000)
    ),
    # batches large enough for threads are cut by rows
    "pieces": Row(dense(20_000, 500, 10), 20_000, Pieces(), **FAST, rule=StepRule(batch_size=20_000)),
    # a stream has no end, so no batch covers it: a small part is cut into batches like many rows
    "stream": Row(dense(100, 4, 3), 16, Direct(), stream=True),
    "stream, CSR": Row(csr(100, 40, 3), 8, Direct(), stream=True),
    "stream, CSR, many rows": Row(csr(2000, 40, 3), 8, Direct(), epochs=72, stream=True),
    # sampling replaces the planned sweep if it uses only a part of the outputs
    "sampled": Row(dense(500, 20, 100), 256, drawn(10, 100), sampling=drawn(10, 100)),
    "sampled, CSR": Row(csr(500, 20, 100), 64, drawn(10, 100), epochs=288, sampling=drawn(10, 100)),
    "all sampled": Row(dense(500, 20, 100), 1024, Batches(), **FAST, sampling=drawn(100, 100)),
    "tree, few rows": Row(dense(1024, 20, 99), 1024, Batches(), **FAST, sampling=TREE),
    "tree, many rows": Row(dense(1025, 20, 99), 1, TREE, sampling=TREE),
    "tree, stream": Row(dense(500, 20, 99), 1, TREE, stream=True, sampling=TREE),
}


@pytest.mark.parametrize("name", TABLE)
def test_plan(name):
    row = TABLE[name]
    plan = plan_for(row.rule, "auto", row.loss, row.head, row.shape, stream=row.stream, sampling=row.sampling)
    assert isinstance(plan, Plan)
    assert plan.batch == row.batch
    assert type(plan.sweep) is type(row.sweep)
    assert (type(plan.optimizer), plan.optimizer) == (type(row.optimizer), row.optimizer)
    assert (plan.full, plan.epochs) == (row.full, row.epochs)
    assert plan.accelerated == (plan.optimizer != row.rule.optimizer)


@pytest.mark.parametrize(
    ("max_iter", "full", "shape", "epochs"),
    [
        (7, True, dense(100, 4, 3), 7),
        ("auto", True, dense(100, 4, 3), 1000),
        ("auto", False, dense(60_000, 4, 3), 10),
        ("auto", False, dense(30_000, 4, 3), 26),
        ("auto", False, dense(2000, 4, 3), 1000),
        ("auto", False, dense(10**6, 4, 3), 5),
        ("auto", False, csr(14_400, 40, 3), 10),
        ("auto", False, csr(10**6, 40, 3), 8),
        ("auto", False, csr(100, 40, 3), 1000),
    ],
)
def test_epochs(max_iter, full, shape, epochs):
    assert epochs_for(max_iter, full, shape) == epochs


@pytest.mark.parametrize(
    ("n_rows", "cost", "n_weights", "pieces"),
    [
        (1000, 100, 100, 1),  # too little work for a second thread
        (200_000, 100, 100, 2),  # 1e7 multiply-adds each
        (10**8, 1.0, 100, 8),  # a power of two
        (10**7, 1000, 1000, 20),  # calls of at most 5e8, so that Ctrl-C is noticed
        (127, 10**6, 10, 1),  # 128 rows at least
        (10_000, 3 * 10**4, 10**6, 16),  # at most this many gradient arrays
    ],
)
def test_pieces(n_rows, cost, n_weights, pieces):
    assert pieces_of(n_rows, cost, n_weights) == pieces


def test_one_call_of_a_kernel_takes_about_100_ms():
    for shape in (dense(60_000, 784, 10), csr(18_000, 30_000, 150), dense(10**6, 4, 2)):
        plan = plan_for(StepRule(), "auto", Softmax(), Linear(), shape)
        work = plan.batches_a_call * plan.batch * (shape.n_weights if shape.stored is None else 1)
        assert plan.batches_a_call >= 1
        assert work <= 5e8


@pytest.mark.parametrize(
    ("solver", "head", "is_sparse", "frame"),
    [
        (Stochastic(), Linear(), False, Standardised),
        (Stochastic(), Linear(), True, Levelled),
        (Stochastic(), Cosine(), False, Given),
        (Stochastic(), Cosine(), True, Given),
        (Stochastic(StepRule(learning_rate=0.1)), Linear(), False, Given),
        (Stochastic(StepRule(learning_rate=0.1)), Linear(), True, Given),
        (LBFGS(), Linear(), False, Spanned),
        (LBFGS(), Linear(), True, Folded),
        (LBFGS(), Cosine(), True, Given),
        (LBFGS(), Cosine(), False, Given),
    ],
)
def test_frame(solver, head, is_sparse, frame):
    assert frame_for(solver, head, is_sparse) is frame
    zero = LinearModel(np.zeros((2, 3)), np.ones(2), head)
    assert frame_for(solver, head, is_sparse, zero) is frame
    other = frame_for(solver, head, is_sparse, zero._replace(W=np.ones((2, 3))))
    assert other is (Given if frame is Folded else frame)
