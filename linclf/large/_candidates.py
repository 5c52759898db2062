r"""Training against a sample of the classes: the losses, and the sweep that draws for each batch.

For a batch of rows, S classes are drawn with replacement from q; the candidates are the classes
drawn and the labels of the batch. Only their weights are read and changed.

`SampledSoftmax`  ``logsumexp`` over the label and the drawn classes, with ``f_j + log(c_j / (S q_j))``
                  for a class drawn c_j times: the sum of exponentials is then an unbiased estimate
                  of that over all classes. A drawn class that is the row's own label is left out,
                  and the label itself carries no correction (Blanc & Rendle 2018).
`NoiseContrast`   ``softplus(-(f_y - log(S q_y))) + sum_j c_j softplus(f_j - log(S q_j))``: telling
                  the label from S classes of noise (Mnih & Teh 2012).

If S is at least the number of classes, nothing is drawn: all classes are candidates, and the
losses are the full softmax and the expectation of noise-contrastive estimation.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, cast

import numpy as np

from linclf._data.dataset import Dataset
from linclf._kernels import epoch
from linclf._kernels.problem import Problem, State, Steps, buffers_for
from linclf._numba.simplex import exp_negative, softmax_row
from linclf._storage import CSR, read_only
from linclf._training.descent import Descent
from linclf._training.model import LinearModel
from linclf._training.present import Present
from linclf._training.sampling import Pass
from linclf._training.shape import Shape
from linclf._training.sweeps.wide import BatchPieces, BatchStep
from linclf._training.threads import threads
from linclf._types import FloatArray, IntArray, Loss
from linclf.losses._registry import row_loss

BATCH, SPARSE_BATCH = 256, 64  # rows that share the classes drawn
SAMPLERS = ("log-uniform", "unigram", "uniform")


class SampledSoftmax(NamedTuple):
    """``correction`` is added to the score of each candidate except the label; -inf excludes one."""

    correction: FloatArray


class NoiseContrast(NamedTuple):
    """For each candidate, the logarithm of its expected number of draws, and its number of draws."""

    log_expected: FloatArray
    drawn: FloatArray


@row_loss.register(SampledSoftmax)
def sampled_softmax_row(loss, scores, y):
    own = scores[y]
    for k in range(scores.size):
        scores[k] += scores.dtype.type(loss.correction[k])
    scores[y] = own
    top, log_sum = softmax_row(scores, 1.0)
    scores[y] -= 1
    return (top - own) + log_sum


@row_loss.register(NoiseContrast)
def noise_contrast_row(loss, scores, y):
    own = scores[y] - loss.log_expected[y]
    value, product = 0.0, 1.0
    for k in range(scores.size):
        margin = scores[k] - loss.log_expected[k]
        tail = exp_negative(-abs(margin))
        wrong = (1.0 if margin > 0.0 else tail) / (1.0 + tail)
        scores[k] = loss.drawn[k] * wrong
        value += loss.drawn[k] * max(margin, 0.0)
        if loss.drawn[k] == 1.0:  # most are 1: take one logarithm for many
            product *= 1.0 + tail
            if product > 1e290:
                value += math.log(product)
                product = 1.0
        elif loss.drawn[k] > 0.0:
            value += loss.drawn[k] * math.log1p(tail)
    tail = exp_negative(-abs(own))
    scores[y] -= (1.0 if own < 0.0 else tail) / (1.0 + tail)
    return value + math.log(product) + max(-own, 0.0) + math.log1p(tail)


class Draw(NamedTuple):
    """How classes are drawn: a name of `SAMPLERS`, how often, and the power of the class counts."""

    contrast: bool  # noise-contrastive estimation, else sampled softmax
    n_sampled: int
    sampler: str
    power: float
    seed: int


def probabilities(sampler: str, power: float, counts: FloatArray) -> FloatArray:
    """q of each class; "log-uniform" is ``log((r + 2)/(r + 1)) / log(K + 1)`` at rank r = 0, 1, ..."""
    if sampler == "uniform":
        return np.full(len(counts), 1 / len(counts))
    if sampler == "unigram":
        q = np.maximum(counts, 1) ** power  # a class of a stream may have no rows yet
        return q / q.sum()
    q, rank = np.empty(len(counts)), np.arange(len(counts))
    q[np.argsort(-counts, kind="stable")] = np.log1p(1 / (rank + 1)) / np.log(len(counts) + 1)
    return q


class Candidates:
    """A sweep whose batches read and change the weights of their candidates only.

    The penalty acts on the weights that a batch touches, divided by the probability of touching them.
    """

    def __init__(self, draw: Draw, n_classes: int) -> None:
        self.draw, self.counts = draw, np.zeros(n_classes)
        self.q = self.edges = self.rate = self.feature_rate = np.zeros(0)

    @property
    def n_classes(self) -> int:
        return len(self.counts)

    @property
    def exact(self) -> bool:
        """Whether all classes are candidates, and nothing is drawn."""
        return self.draw.n_sampled >= self.n_classes

    @property
    def noisy(self) -> bool:
        return not self.exact

    @property
    def bounded(self) -> bool:
        return self.draw.contrast  # the label is among the noise

    def replaces(self, full: bool) -> bool:
        return not self.exact

    def batch_for(self, planned: int, automatic: bool, shape: Shape, stream: bool) -> int:
        if self.exact or not automatic:
            return planned
        return SPARSE_BATCH if shape.is_sparse else BATCH

    def curvature(self, of_loss: float) -> float:
        if self.exact and self.draw.contrast:  # noise weighs more than the data
            return max(of_loss, 0.25 * self.draw.n_sampled / self.n_classes)
        return of_loss

    def meet(self, data: Dataset) -> None:
        mass = data.y.mass(data.weights)
        self.counts += mass * (np.count_nonzero(data.weights) / mass.sum())  # in rows
        self.q = probabilities(self.draw.sampler, self.draw.power, self.counts)
        self.edges = np.cumsum(self.q)

    def widen(self, kept: IntArray, n_classes: int) -> None:
        counts = np.zeros(n_classes)
        counts[kept] = self.counts
        self.counts = counts

    def start(self, b: FloatArray, fit_intercept: bool) -> FloatArray:
        """Noise-contrastive estimation assumes that the exponentials sum to 1, and starts there."""
        if not self.draw.contrast or not fit_intercept or b.any():
            return b
        share = np.maximum(self.counts, 1)
        return np.log(share / share.sum())

    def prepared(self, problem: Problem, batch: int) -> Problem:
        if self.exact:
            expected = self.draw.n_sampled * self.q
            loss = NoiseContrast(np.log(expected), expected)
            return problem._replace(loss=loss) if self.draw.contrast else problem
        label = self.counts / self.counts.sum()
        self.rate = met(self.q, self.draw.n_sampled, met(label, batch))
        self.feature_rate = met(problem.storage.feature_shares(len(problem.penalty) - 1), batch)
        return problem._replace(storage=problem.storage.copied())

    def settled(self, model: LinearModel, classes: Present, dtype: np.dtype) -> LinearModel:
        return classes.settled(model, dtype)

    def run(self, descent: Descent, order: IntArray, steps: FloatArray) -> Pass:
        problem, total, first = descent.problem, 0.0, 0.0
        position = np.zeros(len(problem.weights), np.int64)
        change = self._change_sparse if descent.fit.shape.is_sparse else self._change_dense
        with threads(descent.settings.n_jobs, 2) as pool:
            for number, (ids, step) in enumerate(descent.batches(order, steps)):
                candidates, loss, position[ids] = self._drawn(problem.y[ids], int(descent.state.n_steps[0]))
                part = problem._replace(
                    loss=loss, y=read_only(position), penalty=np.zeros_like(problem.penalty)
                )
                batch = BatchStep(ids, step, descent.row_limit)
                of_batch, mass = change(descent, part, candidates, batch, pool)
                total += of_batch
                if number == 0:
                    first = of_batch / mass
        # a first draw that meets only a frequent class has a loss near 0; use at least that of all classes
        return Pass(total, max(first, math.log(self.n_classes)))

    def _drawn(self, y: IntArray, count: int) -> tuple[IntArray, Loss, IntArray]:
        """Drawn classes and labels, sorted; the loss on their scores; and the position of each label."""
        draw = self.draw
        rng = np.random.default_rng((draw.seed, count))
        drawn = np.searchsorted(self.edges, rng.random(draw.n_sampled) * self.edges[-1], side="right")
        drawn, times = np.unique(np.minimum(drawn, self.n_classes - 1), return_counts=True)
        candidates, at = np.unique(np.concatenate([drawn, y]), return_inverse=True)
        counts = np.zeros(len(candidates))
        counts[at[: len(drawn)]] = times
        log_expected = np.log(draw.n_sampled * self.q[candidates])
        if draw.contrast:
            return candidates, NoiseContrast(log_expected, counts), at[len(drawn) :]
        with np.errstate(divide="ignore"):  # a label that was not drawn is not a candidate for other rows
            return candidates, SampledSoftmax(np.log(counts) - log_expected), at[len(drawn) :]

    def _change_dense(
        self,
        descent: Descent,
        part: Problem,
        candidates: IntArray,
        batch: BatchStep,
        pool: ThreadPoolExecutor | None,
    ) -> tuple[float, float]:
        """One batch on the rows of the weights that belong to candidates."""
        whole = descent.state
        state = whole._replace(V=whole.V[candidates], slots=whole.slots[candidates])
        pieces = BatchPieces(part, state.V, len(batch.ids), descent.settings.n_jobs)
        of_batch = pieces.step(part, state, descent.plan.optimizer, batch, pool)
        shrink = 1 + batch.size * np.outer(1 / self.rate[candidates], descent.problem.penalty)
        whole.V[candidates] = state.V / shrink.astype(whole.V.dtype)
        whole.slots[candidates] = state.slots
        return of_batch

    def _change_sparse(
        self,
        descent: Descent,
        part: Problem,
        candidates: IntArray,
        batch: BatchStep,
        pool: ThreadPoolExecutor | None,
    ) -> tuple[float, float]:
        """One batch on the columns of the weights that belong to candidates, for the features of its rows."""
        whole, optimizer, ids = descent.state, descent.plan.optimizer, batch.ids
        storage, features = cast(CSR, part.storage).of_rows(ids)
        part = part._replace(
            storage=storage,
            y=read_only(part.y[ids]),
            weights=read_only(part.weights[ids]),
            penalty=np.zeros(len(features) + 1, whole.V.dtype),
        )
        at, slots = np.append(features, len(whole.V) - 1), np.arange(optimizer.n_slots)
        V = whole.V[np.ix_(at, candidates)]
        state = State(V, np.zeros_like(V), whole.slots[np.ix_(at, slots, candidates)], whole.n_steps)
        buffers = buffers_for(part, V, len(ids))
        steps = Steps(len(ids), np.array([batch.size]), batch.row_limit)
        of_batch, _ = epoch.epoch(part, state, optimizer, buffers, np.arange(len(ids)), steps)
        rate = np.outer(self.feature_rate[features], self.rate[candidates])
        penalty = descent.problem.penalty[features, None]
        state.V[:-1] /= (1 + batch.size * penalty / rate).astype(whole.V.dtype)
        whole.V[np.ix_(at, candidates)] = state.V
        whole.slots[np.ix_(at, slots, candidates)] = state.slots
        return of_batch, part.weights.sum()


def met(share: FloatArray, n: int, other: FloatArray | float = 0.0) -> FloatArray:
    """Probability that n draws hit an item with this share, or that it is met otherwise (``other``)."""
    return 1 - (1 - other) * np.exp(n * np.log1p(-np.minimum(share, 1 - 1e-12)))
