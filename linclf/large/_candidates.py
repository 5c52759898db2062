r"""Training against a sample of the classes: what the losses see, and the batches in which it happens.

For a batch of rows, S classes are drawn with replacement from q; the candidates are the classes
drawn and the labels of the batch. Only their weights are read and changed.

`SampledSoftmax`  ``logsumexp`` over the label and the drawn classes, with ``f_j + log(c_j / (S q_j))``
                  for a class drawn c_j times: the sum of exponentials is then an unbiased estimate
                  of that over all classes. A drawn class that is the row's own label is left out,
                  and the label itself carries no correction (Blanc & Rendle 2018).
`NoiseContrast`   ``softplus(-(f_y - log(S q_y))) + sum_j c_j softplus(f_j - log(S q_j))``: telling
                  the label from S classes of noise (Mnih & Teh 2012).

Where S is at least the number of classes, nothing is drawn: all classes are candidates, and the
losses are the full softmax and the expectation of noise-contrastive estimation.
"""

import math
from typing import NamedTuple

import numpy as np

from linclf import _storage as _rows
from linclf._data.dataset import Data
from linclf._kernels import epoch as _sgd
from linclf._numba.simplex import exp_negative, softmax_row
from linclf._training import objective as _objective
from linclf._training.session import Session
from linclf._training.sweeps import wide as _wide
from linclf.losses import Softmax
from linclf.losses._registry import row_loss

BATCH, SPARSE_BATCH = 256, 64  # rows that share the classes drawn
SAMPLERS = ("log-uniform", "unigram", "uniform")


class SampledSoftmax(NamedTuple):
    """``correction`` is added to the score of each candidate but the label; -inf leaves one out."""

    correction: np.ndarray


class NoiseContrast(NamedTuple):
    """Of each candidate: the logarithm of its expected number of draws, and its number of draws."""

    log_expected: np.ndarray
    drawn: np.ndarray


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
        if loss.drawn[k] == 1.0:  # most are: one logarithm for many
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


def probabilities(sampler, power, counts):
    """q of each class; "log-uniform" is ``log((r + 2)/(r + 1)) / log(K + 1)`` at rank r = 0, 1, ..."""
    if sampler == "uniform":
        return np.full(len(counts), 1 / len(counts))
    if sampler == "unigram":
        q = np.maximum(counts, 1) ** power  # a class of a stream may still have no rows
        return q / q.sum()
    q, rank = np.empty(len(counts)), np.arange(len(counts))
    q[np.argsort(-counts, kind="stable")] = np.log1p(1 / (rank + 1)) / np.log(len(counts) + 1)
    return q


class CandidateSession(Session):
    """A session whose batches read and change the weights of their candidates only.

    The penalty acts on what a batch touches, divided by how likely that was to be touched.
    """

    def __init__(self, settings, draw, data, n_classes):
        super().__init__(settings, Softmax(), data, n_classes)
        self.draw, self.counts = draw, np.zeros(n_classes)
        if self.exact and draw.contrast:  # noise weighs more than the data
            self.curvature = max(self.curvature, 0.25 * draw.n_sampled / n_classes)

    @property
    def exact(self):
        return self.draw.n_sampled >= self.n_classes

    @property
    def noisy(self):
        return not self.exact

    @property
    def bounded(self):
        return self.draw.contrast  # the label is among the noise

    def choose_batch(self, n):
        super().choose_batch(n)
        if not self.exact and self.settings.batch_size == "auto":
            self.batch = SPARSE_BATCH if self.is_sparse else BATCH

    def prepare(self, data, W, b):
        return super().prepare(data, W, self.counted(data, b))

    def prepare_part(self, data, W, b):
        data = hard(data)
        return super().prepare_part(data, W, self.counted(data, b))

    def counted(self, data, b):
        """Add to the class counts, in rows; returns the intercepts to start from.

        Noise-contrastive estimation takes the sum of the exponentials to be 1, and starts there.
        """
        rows = np.bincount(data.y, data.weights, self.n_classes)
        self.counts += rows * (np.count_nonzero(data.weights) / rows.sum())
        self.q = probabilities(self.draw.sampler, self.draw.power, self.counts)
        self.edges = np.cumsum(self.q)
        if self.draw.contrast and self.settings.fit_intercept and not b.any():
            share = np.maximum(self.counts, 1)
            return np.log(share / share.sum())
        return b

    def problem(self, data):
        problem = super().problem(data)
        if self.exact:
            expected = self.draw.n_sampled * self.q
            loss = NoiseContrast(np.log(expected), expected)
            return problem._replace(loss=loss) if self.draw.contrast else problem
        label = self.counts / self.counts.sum()
        self.rate = met(self.q, self.draw.n_sampled, met(label, self.batch))
        if self.is_sparse:
            found = np.bincount(data.X.indices, minlength=self.n_features)
            self.feature_rate = met(found / data.X.shape[0], self.batch)
        return problem

    def run(self, problem, order, steps):
        if self.exact:
            return super().run(problem, order, steps)
        row_limit = 2 / self.curvature if self.automatic else np.inf
        total, first, position = 0.0, None, np.zeros(len(problem.targets.y), np.int64)
        with _objective.threads(self.settings.n_jobs, 2) as pool:
            for number, step in enumerate(steps):
                ids = order[number * self.batch : (number + 1) * self.batch]
                candidates, loss, position[ids] = self.candidates(problem.targets.y[ids])
                targets = problem.targets._replace(y=_rows.read_only(position))
                part = problem._replace(loss=loss, targets=targets, penalty=np.zeros_like(problem.penalty))
                change = self.change_sparse if self.is_sparse else self.change_dense
                found, mass = change(problem, part, candidates, ids, (step, row_limit), pool)
                total += found
                first = found / mass if first is None else first
        # where the first draw met one frequent class its loss is near 0; that of all classes is the measure
        return total, max(first, math.log(self.n_classes))

    def candidates(self, y):
        """Classes drawn and labels, sorted; the loss on their scores; and where each label is."""
        draw = self.draw
        rng = np.random.default_rng((draw.seed, int(self.state.count[0])))
        drawn = np.searchsorted(self.edges, rng.random(draw.n_sampled) * self.edges[-1], side="right")
        drawn, times = np.unique(np.minimum(drawn, self.n_classes - 1), return_counts=True)
        candidates, at = np.unique(np.concatenate([drawn, y]), return_inverse=True)
        counts = np.zeros(len(candidates))
        counts[at[: len(drawn)]] = times
        log_expected = np.log(draw.n_sampled * self.q[candidates])
        if draw.contrast:
            return candidates, NoiseContrast(log_expected, counts), at[len(drawn) :]
        with np.errstate(divide="ignore"):  # a label that is not drawn is no candidate of other rows
            return candidates, SampledSoftmax(np.log(counts) - log_expected), at[len(drawn) :]

    def change_dense(self, problem, part, candidates, ids, limits, pool):
        """One batch on the rows of the weights that are candidates."""
        step, row_limit = limits
        state = self.state._replace(V=self.state.V[candidates], slots=self.state.slots[candidates])
        batch = _wide.Batches(part, state.V, len(ids), self.settings.n_jobs)
        found = batch.step(part, state, self.optimizer, ids, step, row_limit, pool)
        shrink = 1 + step * np.outer(1 / self.rate[candidates], problem.penalty)
        self.state.V[candidates] = state.V / shrink.astype(self.dtype)
        self.state.slots[candidates] = state.slots
        return found

    def change_sparse(self, problem, part, candidates, ids, limits, pool):
        """One batch on the columns of the weights that are candidates, and the features of its rows."""
        step, row_limit = limits
        rows, size = problem.rows, np.diff(problem.rows.indptr)[ids]
        starts = np.append(0, np.cumsum(size)).astype(rows.indptr.dtype)
        where = np.repeat(rows.indptr[ids] - starts[:-1], size) + np.arange(starts[-1])
        features, indices = np.unique(rows.indices[where], return_inverse=True)
        arrays = rows.data[where], indices.astype(rows.indices.dtype), starts
        arrays = [_rows.read_only(array) for array in arrays]
        part = part._replace(
            rows=rows._replace(data=arrays[0], indices=arrays[1], indptr=arrays[2]),
            targets=part.targets._replace(
                y=_rows.read_only(part.targets.y[ids]), weights=_rows.read_only(part.targets.weights[ids])
            ),
            penalty=np.zeros(len(features) + 1, self.dtype),
        )
        at = np.append(features, self.n_features)
        V, slots = self.state.V[np.ix_(at, candidates)], np.arange(self.optimizer.n_slots)
        slots = self.state.slots[np.ix_(at, slots, candidates)]
        state = self.state._replace(V=V, G=np.zeros_like(V), slots=slots)
        buffers = _objective.buffers(part, len(ids), len(features), len(candidates), self.dtype)
        plan = _sgd.Plan(len(ids), np.array([step]), row_limit)
        found, _ = _sgd.epoch(part, state, self.optimizer, buffers, np.arange(len(ids)), plan)
        rate = np.outer(self.feature_rate[features], self.rate[candidates])
        state.V[:-1] /= (1 + step * problem.penalty[features, None] / rate).astype(self.dtype)
        self.state.V[np.ix_(at, candidates)] = state.V
        self.state.slots[np.ix_(at, np.arange(self.optimizer.n_slots), candidates)] = state.slots
        return found, part.targets.weights.sum()


def met(share, n, other=0.0):
    """The probability that one of n draws finds what has this share, or that it is met otherwise."""
    return 1 - (1 - other) * np.exp(n * np.log1p(-np.minimum(share, 1 - 1e-12)))


def hard(data):
    """Rows of class probabilities as weighted copies for each class."""
    if data.y.ndim == 1:
        return data
    rows = np.arange(len(data.y)) if data.rows is None else data.rows
    copies, labels = np.nonzero(data.y[rows])
    rows = rows[copies]
    return Data(data.X[rows], labels, data.weights[rows] * data.y[rows, labels])
