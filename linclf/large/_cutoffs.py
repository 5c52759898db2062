"""Classes, sorted by frequency, are cut into a head and tails: where (by a cost model), and what it means.

The cost of a row is counted in classes whose score it needs. All rows need the head, with an output
for each tail, and the share p_c of them that is in tail c needs that tail; each part that a row is in
has a cost of its own, `ROW`. `class_directions` are the features that a reduced tail keeps.
"""

import copy
from itertools import combinations, pairwise
from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, svds

from linclf._training.published import weights_for
from linclf._training.session import Session
from linclf._training.train import epochs_for
from linclf.classifiers import SoftmaxClassifier
from linclf.losses import Softmax

MOST = 3  # tails of automatic cut-offs
FEWEST_CLASSES = 1000  # up to which the full softmax is cheap enough
GAIN = 1.3  # in cost, below which the full softmax is better
ROW = 64.0  # what a row costs in a part beside its scores, in classes
HEAD = 0.5  # of the rows, at least, whose class is in the head: one score for a whole tail tells little
POSITIONS = 48  # of a cut-off that are tried, in geometric progression
PASSED_ON = (  # parameters that each part has from the whole
    "fit_intercept",
    "solver",
    "learning_rate",
    "schedule",
    "tol",
    "n_iter_no_change",
    "average",
    "shuffle",
    "warm_start",
    "n_jobs",
    "verbose",
)
FEWEST_BATCHES = 4  # of a part, where the whole has batches: few epochs of one step are too few


class Clusters(NamedTuple):
    """Classes by decreasing frequency, and the ranks at which the tails begin."""

    order: np.ndarray
    cutoffs: np.ndarray

    @property
    def edges(self):
        """Ranks (first, end) of each tail."""
        ends = np.append(self.cutoffs[1:], len(self.order))
        return list(zip(self.cutoffs.tolist(), ends.tolist(), strict=True))

    @property
    def ranks(self):
        ranks = np.empty(len(self.order), np.int64)
        ranks[self.order] = np.arange(len(self.order))
        return ranks

    def head_targets(self, y):
        """What the head learns: the class among the frequent ones, or the tail, as in ``y``."""
        first = self.cutoffs[0]
        if y.ndim == 1:
            ranks = self.ranks[y]
            tail = np.searchsorted(self.cutoffs, ranks, side="right")
            return np.where(tail > 0, first + tail - 1, ranks)
        y = y[:, self.order]
        return np.hstack([y[:, :first], np.add.reduceat(y, self.cutoffs, axis=1)])

    def tail_targets(self, y, tail):
        """Rows that tail 0, 1, ... learns from, its classes in them, and their probability to be in it."""
        start, end = self.edges[tail]
        if y.ndim == 1:
            ranks = self.ranks[y]
            rows = np.flatnonzero((ranks >= start) & (ranks < end))
            return rows, ranks[rows] - start, np.ones(len(rows))
        y = y[:, self.order[start:end]]
        mass = y.sum(axis=1, dtype=np.float64)
        rows = np.flatnonzero(mass)
        return rows, (y[rows] / mass[rows, None]).astype(y.dtype), mass[rows]

    def log_probabilities(self, rows, parts, projections):
        """Of all classes (m, K), from the head and the tails."""
        head, first = log_probabilities(parts[0], rows), self.cutoffs[0]
        found = np.empty((head.shape[0], len(self.order)), head.dtype)
        found[:, self.order[:first]] = head[:, :first]
        for c, (start, end) in enumerate(self.edges):
            tail = log_probabilities(parts[1 + c], projected(rows, projections[c]))
            tail += head[:, first + c, None]
            found[:, self.order[start:end]] = tail
        return found


def projected(X, projection):
    return X if projection is None else np.ascontiguousarray(X @ projection.astype(X.dtype, copy=False))


def log_probabilities(part, rows):
    """Of the outputs of one part, for checked rows."""
    return part._log_probabilities(part._scores(rows))


def laid_out(part, rows):
    """The part with weights in the form that many blocks of the rows need."""
    view = copy.copy(part)
    view.coef_ = weights_for(rows, part.coef_)
    return view


def cost(frequencies, cutoffs, shrinkage=1.0):
    """Cost of a row under the cut-offs, for sorted frequencies; tail c costs ``shrinkage**c`` per class."""
    cutoffs = np.atleast_2d(np.asarray(cutoffs, np.int64))
    edges = np.hstack([cutoffs, np.full((len(cutoffs), 1), len(frequencies))])
    mass = np.append(0, np.cumsum(frequencies)) / frequencies.sum()
    shares, sizes = np.diff(mass[edges], axis=1), np.diff(edges, axis=1)
    factors = shrinkage ** np.arange(1, cutoffs.shape[1] + 1)
    return cutoffs[:, 0] + cutoffs.shape[1] + ROW + (shares * (sizes * factors + ROW)).sum(axis=1)


def automatic(frequencies, shrinkage=1.0):
    """Cut-offs of the least cost, at most `MOST` of them, and half of the rows or more in the head.

    None where they gain little.
    """
    K = len(frequencies)
    if K <= FEWEST_CLASSES:
        return []
    mass = np.cumsum(frequencies)
    least = max(2, int(np.searchsorted(mass, HEAD * mass[-1])) + 1)
    if least > K - 2:
        return []
    grid = np.unique(np.geomspace(least, K - 2, POSITIONS).round().astype(np.int64))
    best, found = (K + ROW) / GAIN, []
    for n_tails in range(1, MOST + 1):
        choices = np.array(list(combinations(grid, n_tails)))
        costs = cost(frequencies, choices, shrinkage)
        if costs.min() < best:
            best, found = costs.min(), choices[costs.argmin()].tolist()
    return found


def checked(cutoffs, n_classes):
    """Cut-offs of a user, as a list of int."""
    values = list(cutoffs)
    whole = all(isinstance(c, Integral) and not isinstance(c, bool | np.bool_) for c in values)
    rising = whole and all(a < b for a, b in pairwise(values))
    if not rising or (values and not 1 <= values[0] <= values[-1] < n_classes):
        raise ValueError(
            f"cutoffs={cutoffs!r} must be 'auto' or increasing integers between 1 and {n_classes - 1}, one "
            "less than the number of classes"
        )
    return [int(c) for c in values]


def merged(cutoffs, frequencies):
    """The cut-offs without those at which a tail of one class, or one of no weight, would begin.

    Such a tail is one more output of the part before it.
    """
    kept = list(cutoffs)
    for start in reversed(cutoffs):
        at = kept.index(start)
        end = kept[at + 1] if at + 1 < len(kept) else len(frequencies)
        if end - start == 1 or not frequencies[start:end].any():
            kept.remove(start)
    return kept


def class_directions(X, y, weights, n_classes, size):
    """Orthonormal directions (n_features, size) in which the weighted means of the classes differ most.

    The first right singular vectors of ``sqrt(w_k) (m_k - m)``, of which there are at most
    ``n_classes - 1``.
    """
    n, d = X.shape
    member = weights[:, None] * y if y.ndim == 2 else None
    if member is None:
        member = sparse.csr_array((weights, y, np.arange(n + 1)), shape=(n, n_classes))
    mass = np.asarray(member.sum(axis=0), np.float64)
    scale = np.divide(1, np.sqrt(mass), out=np.zeros(n_classes), where=mass > 0)
    sums = sparse.csr_array(member.T @ X) if sparse.issparse(X) else member.T @ X
    means = sparse.diags_array(scale) @ sums
    centre, root = np.asarray(sums.sum(axis=0)) / mass.sum(), np.sqrt(mass)
    differences = LinearOperator(
        (n_classes, d),
        matvec=lambda v: means @ v.ravel() - root * (centre @ v.ravel()),
        rmatvec=lambda u: means.T @ u.ravel() - centre * (root @ u.ravel()),
        dtype=np.float64,
    )
    start = np.random.default_rng(0).standard_normal(min(n_classes, d))
    size = min(size, min(n_classes, d) - 1)
    probe = differences.rmatvec(np.random.default_rng(1).standard_normal(n_classes))
    if np.linalg.norm(probe) <= 1e-12 * np.linalg.norm(centre) * np.linalg.norm(root):
        return np.eye(d, size, dtype=X.dtype)  # all means are the same
    _, _, directions = svds(differences, k=size, v0=start)
    return np.ascontiguousarray(directions[::-1].T, X.dtype)


class Parts:
    """The head and the tails of a fit: what each learns from, and what has been learnt."""

    def __init__(self, model, clusters, data, projection, held_out):
        self.model, self.clusters, self.data, self.held_out = model, clusters, data, held_out
        self.projection = projection
        edges, d = clusters.edges, data.X.shape[1]
        sizes = [int(clusters.cutoffs[0]) + len(edges), *(end - start for start, end in edges)]
        self.going_on = model.warm_start and hasattr(model, "head_")
        if self.going_on:
            self.models, self.projections = [model.head_, *model.tails_], list(model.projections_)
        else:
            self.models = [_untrained(size, d, data.X.dtype) for size in sizes]
            self.projections = [None] * len(edges)
        self.shares, self.validation_shares = [], []

    def epochs(self, settings):
        """The number of passes over each part: that over all rows in one softmax, and so the batch."""
        n = len(self.data.weights)
        whole = Session(settings, Softmax(), self.data, len(self.clusters.order))
        whole.choose_batch(n)
        self.batch, self.full = whole.batch, whole.batch >= n
        whole.full = self.full
        return epochs_for(settings.max_iter, n, whole)

    def fit(self, epochs, rng, relay):
        for index in range(len(self.models)):
            if relay is not None:
                relay.index = index
            self.models[index] = self._fit(index, epochs, int(rng.randint(2**31 - 1)), relay)

    def _rows(self, data, index):
        """Rows, targets and weights of part ``index``; 0 is the head."""
        if index == 0:
            return data.X, self.clusters.head_targets(data.y), data.weights
        rows, targets, mass = self.clusters.tail_targets(data.y, index - 1)
        return data.X[rows], targets, data.weights[rows] * mass

    def _fit(self, index, epochs, seed, relay):
        model, before, name = self.model, self.models[index], f"tail {index}" if index else "head"
        X, y, weights = self._rows(self.data, index)
        if not len(y):
            raise ValueError(f"no row with a positive weight is left to train {name}; use other cutoffs")
        share, size = weights.sum() / self.data.weights.sum(), len(before.classes_)
        if index and model.reduction is not None and not self.going_on:
            kept = max(1, round(X.shape[1] / model.reduction**index))
            if kept < X.shape[1]:
                self.projections[index - 1] = class_directions(X, y, weights, size, kept)
        projection = self.projections[index - 1] if index else None
        X, absent = projected(X, projection), np.zeros(0, np.int64)
        if y.ndim == 1:
            absent = np.flatnonzero(np.bincount(y, minlength=size) == 0)
        batch = model.batch_size
        if batch == "auto" and not self.full:
            batch = max(1, min(self.batch, len(y) // FEWEST_BATCHES))
        part = SoftmaxClassifier(
            alpha=model.alpha / share,
            max_iter=epochs,
            batch_size=batch,
            random_state=seed,
            class_weight=dict.fromkeys(absent.tolist(), 0.0) or None,
            **{parameter: getattr(model, parameter) for parameter in PASSED_ON},
        )
        if self.going_on:
            vars(part).update(classes_=before.classes_, coef_=before.coef_, intercept_=before.intercept_)
        validation = self._validation(index, absent)
        if absent.size:  # a row of weight 0 each, so that the part knows of these classes
            stack = sparse.vstack if sparse.issparse(X) else np.vstack
            X, y = stack([X, X[[0] * absent.size]]), np.append(y, absent)
            X, weights = X.tocsr() if sparse.issparse(X) else X, np.append(weights, np.ones(absent.size))
        if model.verbose:
            print(f"{name}: {size} outputs, {X.shape[0]} rows of {X.shape[1]} features")
        if relay is not None:
            part.set_callbacks(relay)
        part.fit(X, y, sample_weight=weights, **validation)
        part.set_callbacks()
        self.shares.append(share)
        return part

    def _validation(self, index, absent):
        """Validation rows of a part as ``fit`` takes them, where it has any."""
        self.validation_shares.append(0.0)
        if self.held_out is None:
            return {}
        X, y, weights = self._rows(self.held_out, index)
        if absent.size:
            kept = ~np.isin(y, absent)
            X, y, weights = X[kept], y[kept], weights[kept]
        if not len(y):
            return {}
        self.validation_shares[-1] = weights.sum() / self.held_out.weights.sum()
        X = projected(X, self.projections[index - 1] if index else None)
        return {"X_val": X, "y_val": y, "sample_weight_val": weights}

    def attributes(self):
        seen = {} if self.projection is None else {"projection_": self.projection}
        return seen | {
            "order_": self.clusters.order,
            "cutoffs_": self.clusters.cutoffs,
            "head_": self.models[0],
            "tails_": self.models[1:],
            "projections_": self.projections,
        }

    def history(self, n_iter):
        """That of the whole: a part that has ended counts with its last values."""
        kinds = {"objective": self.shares, "validation_loss": self.validation_shares}
        kinds["seconds"] = np.ones(len(self.models))
        head = dict(self.models[0].history_)
        head.pop("validation_score", None)
        history = {}
        for name in head:
            shares = kinds.get(name, [1.0])  # others are those of the head
            total = np.zeros(n_iter)
            for part, share in zip(self.models, shares, strict=False):
                values = part.history_.get(name, [0.0])
                total += share * np.append(values, np.full(n_iter - len(values), values[-1]))
            history[name] = total.tolist()
        return history


def _untrained(n_classes, n_features, dtype):
    """A part that finds all its classes equally probable."""
    part, rows = SoftmaxClassifier(), 1 if n_classes == 2 else n_classes
    vars(part).update(classes_=np.arange(n_classes), n_features_in_=n_features)
    part.coef_, part.intercept_ = np.zeros((rows, n_features), dtype), np.zeros(rows, dtype)
    return part


class Epochs:
    """A callback of the parts that shows their epochs to the callbacks of the whole, as its own."""

    def __init__(self, model, context, arguments, parts, classes):
        self.model, self.context, self.arguments = model, context, arguments
        self.parts, self.classes, self.index = parts, classes, 0

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "epoch":
            self.task = self.context.subcontext(task_name="epoch")
            self.task.call_on_fit_task_begin(estimator=self.model, **self.arguments)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name != "epoch":
            return False
        self.parts.models[self.index] = fitted_estimator
        return self.task.call_on_fit_task_end(
            estimator=self.model,
            reconstruction_attributes=lambda: {"classes_": self.classes, **self.parts.attributes()},
            **self.arguments,
        )
