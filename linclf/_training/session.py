"""A problem being trained: its coordinates, weights and optimizer state, in and out of the kernels.

A `Session` outlives one call where training goes on later (``partial_fit``), so it holds arrays
and NamedTuples only and can be pickled. `_training` drives it.
"""

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import row_norms

from linclf import _storage as _rows
from linclf._kernels import epoch as _sgd
from linclf._training import coordinates as _coordinates
from linclf._training import objective as _objective
from linclf._training.sweeps import wide as _wide
from linclf.heads import Cosine
from linclf.losses._evaluation import curvature
from linclf.losses._registry import trait
from linclf.optimizers import SGD, Averaged, Nesterov, Still

FULL_BATCH = 1024
FULL_BATCH_OF_HINGES = 64  # the same for losses with kinks, on which small steps do better
IN_CACHE = 2**20  # bytes of weights up to which small batches are fastest
# e-folds by which the penalty alone must shrink the start's distance to the optimum; the steps are no
# longer than that needs, as more of them is noise. Measured on 14 tables and 2 text sets
FORGOTTEN, FORGOTTEN_SPARSE = 40.0, 10.0
PIECE = 1e7  # multiply-adds that are worth a thread
FEWEST_ROWS, MOST_PIECES = 128, 16  # of a piece, and of a batch
CHUNK = 5e8  # multiply-adds of one kernel call: 50 to 100 ms, so that Ctrl-C is heard

ROW_TIME = 1500  # of a row, whatever its length, in multiply-adds


class Session:
    noisy = False  # whether even the gradient of all rows is an estimate
    bounded = False  # whether what is minimised has a minimum even for separable classes and no penalty

    def __init__(self, settings, loss, data, n_classes):
        self.settings, self.loss, self.n_classes = settings, loss, n_classes
        self.n_features, self.dtype = data.X.shape[1], data.X.dtype
        self.curvature = curvature(loss, n_classes, self.dtype, soft=data.y.ndim == 2)
        self.is_sparse = sparse.issparse(data.X)
        self.head = trait(loss, "head")(float(settings.fit_intercept))
        if isinstance(self.head, Cosine) and settings.fit_intercept:
            # as long as a typical row, so that the model does not depend on the unit of X
            length = np.sqrt(np.average(row_norms(data.X, squared=True), weights=data.weights))
            self.head = Cosine(float(length) or 1.0)
        self.optimizer = settings.optimizer
        self.full = self.accelerated = False
        # what is added to the scores in training only: the trained intercepts hold it, as they are free
        self.offset = 0.0
        self.projection = None
        self.unit = 1.0
        self.coordinates = _coordinates.identity(self.n_features)
        self.moments = None
        self.squares = np.zeros(self.n_features if self.levelled else 0)
        self.rows_levelled = 0.0
        self.weight = self.rows_seen = 0.0
        self.spread, self.measured = np.zeros(2), 0.0  # and the weight of the rows it was measured on
        self.state = None

    @property
    def alpha(self):
        return self.settings.alpha * (2 if self.n_classes == 2 else 1)

    @property
    def automatic(self):
        return self.settings.learning_rate == "auto"

    @property
    def smooth(self):
        return trait(self.loss, "smooth")

    @property
    def scaled(self):
        """Whether features are centred and scaled: they are the business of the linear head."""
        return self.automatic and not self.is_sparse and not isinstance(self.head, Cosine)

    @property
    def levelled(self):
        """Whether sparse columns that outweigh all others are shortened; L-BFGS sees to that itself."""
        linear = not isinstance(self.head, Cosine) and not isinstance(self.optimizer, Still)
        return self.automatic and self.is_sparse and linear

    @property
    def direct(self):
        """Whether plain SGD on sparse rows puts its step straight into the weights."""
        plain = type(self.optimizer) is SGD and not isinstance(self.head, Cosine)
        return self.is_sparse and plain and self.batch <= _rows.BLOCK

    @property
    def wide(self):
        """Whether threads share the classes of a batch: where its gradient would not stay in the cache."""
        return not self.is_sparse and self.batch <= _wide.MOST_ROWS and self.state.V.nbytes > IN_CACHE

    # -- set-up

    def prepare(self, data, W, b):
        """Everything for many epochs over one data set; returns the problem to train."""
        self.rows = np.arange(len(data.weights)) if data.rows is None else data.rows
        n = len(self.rows)
        self.weight, self.rows_seen = data.weights.sum(), n
        self.choose_batch(n)
        self.full = self.batch >= n and not self.noisy
        optimizer = self.settings.optimizer
        plain = type(getattr(optimizer, "inner", optimizer)) is SGD
        self.accelerated = self.full and self.automatic and plain and self.smooth
        if self.accelerated:
            # the gradient is exact, so momentum is worth having: about 10 times fewer steps
            self.optimizer = Averaged(Nesterov()) if isinstance(optimizer, Averaged) else Nesterov()
        X = data.X
        shift = self.alpha * self.n_classes
        weights = data.weights * (n / self.weight)
        if self.scaled:
            moderate = min(X.shape) <= _coordinates.ROTATED_SIZE and X.size <= _coordinates.ROTATED_VALUES
            turned = moderate and _coordinates.rotated(X, weights, shift, self.settings.fit_intercept)
            if turned:
                self.coordinates, X = turned[0], np.ascontiguousarray(turned[1], dtype=self.dtype)
            else:
                self.moments = _coordinates.moments(X, weights)
                self.coordinates = self.moments.coordinates(shift, self.settings.fit_intercept)
        if self.levelled:
            _coordinates.add_squares(X, data.weights, self.squares)
            self.level()
            X = self.coordinates.of_sparse(X)
        self.set_weights(W, b)
        problem = self.problem(data._replace(X=X))
        self.set_unit(data._replace(X=X))
        if self.automatic and not isinstance(self.optimizer, Still):
            self.measured = self.weight
            self.spread = _coordinates.spread(
                problem.rows, self.head, X, weights, self.rows, np.inf if self.full else self.batch
            )
        return problem

    def prepare_part(self, data, W, b):
        """The same for the next part of a stream."""
        n, weight = len(data.weights), data.weights.sum()
        self.choose_batch(n)
        self.full = self.accelerated = False
        if self.scaled:
            part = _coordinates.moments(data.X, data.weights)
            self.moments = self.moments.merged(part) if self.moments else part
            shift, old = self.alpha * self.n_classes, self.coordinates
            self.coordinates = self.moments.coordinates(shift, self.settings.fit_intercept)
            if self.state is not None:
                self.change_coordinates(old, self.head)
        self.weight, self.rows_seen = self.weight + weight, self.rows_seen + n
        if self.levelled:
            _coordinates.add_squares(data.X, data.weights, self.squares)
            if self.rows_seen >= 2 * self.rows_levelled:
                old = self.coordinates, self.head
                self.level()
                if self.state is not None:
                    self.change_coordinates(*old)
        if self.is_sparse:
            data = data._replace(X=self.coordinates.of_sparse(data.X))
        if self.state is None:
            self.set_weights(W, b)
            self.set_unit(data)
        problem = self.problem(data)
        if self.automatic:
            weights = data.weights * (self.rows_seen / self.weight)
            here = _coordinates.spread(
                problem.rows, self.head, data.X, weights, np.arange(n), min(n, self.batch)
            )
            self.measured += weight
            self.spread = self.spread + (here - self.spread) * (weight / self.measured)
        return problem

    def choose_batch(self, n):
        self.batch = n if isinstance(self.optimizer, Still) else self.settings.batch_size
        if self.batch != "auto":
            return
        small = self.n_classes * (self.n_features + 1) * self.dtype.itemsize <= IN_CACHE
        self.batch = 8 if self.is_sparse else 16 if self.n_classes < _rows.WIDE else 64
        tiny = FULL_BATCH if self.smooth else FULL_BATCH_OF_HINGES
        if n <= tiny:
            self.batch = tiny
        elif not self.direct and (self.is_sparse or not small):
            self.batch = 256
        elif type(self.optimizer) is not SGD:
            self.batch = 64

    def set_unit(self, data):
        """Typical size of a feature that is not zero: steps of Adam and its like are per weight."""
        if isinstance(self.head, Cosine):
            self.unit = np.sqrt(self.n_features)  # weights are normalised instead
        elif self.is_sparse and data.X.nnz:
            squares = data.weights @ row_norms(data.X, squared=True)
            self.unit = float(np.sqrt(squares / (data.weights @ np.diff(data.X.indptr)))) or 1.0

    def set_weights(self, W, b):
        """Start from published weights with an optimizer that has seen nothing."""
        V = self.coordinates.weights_from(W, b, self.head.intercept)
        if isinstance(self.head, Cosine):
            norms = np.linalg.norm(V, axis=1, keepdims=True)
            V /= np.where(norms > 0, norms, 1)
        V = np.ascontiguousarray(V.T if self.is_sparse else V, dtype=self.dtype)
        slots = np.zeros((len(V), self.optimizer.n_slots, V.shape[1]), self.dtype)
        self.state = _sgd.State(V, np.zeros((0, 0), self.dtype), slots, np.zeros(1, np.int64))

    def level(self):
        """Take coordinates from the squares of the columns of sparse rows, those of all parts so far."""
        squares, self.rows_levelled = self.squares / self.weight, self.rows_seen
        self.measured = 0.0  # the spread is one in these coordinates
        self.coordinates = _coordinates.levelling(squares, self.alpha * self.n_classes)
        if self.settings.fit_intercept:
            longest = float(np.sqrt(squares @ self.coordinates.factor**2)) or 1.0
            constant = np.clip(1.0, longest * _coordinates.LARGEST_SHARE**0.5, longest)
            self.head = self.head._replace(intercept=float(constant))

    def change_coordinates(self, old, old_head):
        """Express the weights, and their average where there is one, in the present coordinates."""
        arrays = [self.state.V]
        if isinstance(self.optimizer, Averaged):
            arrays.append(self.state.slots[:, -1])
        for array in arrays:
            array = array.T if self.is_sparse else array
            W, b = old.published(array, old_head.intercept)
            array[:] = self.coordinates.weights_from(W, b, self.head.intercept)

    def problem(self, data):
        """The objective as the kernels see it."""
        targets = _sgd.Targets(
            _rows.read_only(data.y), _rows.read_only(data.weights * (self.rows_seen / self.weight))
        )
        factor = self.coordinates.factor
        penalty = np.append(self.alpha * factor**2, 0)
        if self.is_sparse:
            parts = (_rows.read_only(part) for part in (data.X.data, data.X.indices, data.X.indptr))
            rows = _rows.CSR(*parts, float(self.alpha), np.flatnonzero(factor != 1), np.ones(1))
        else:
            centre = self.coordinates.centre if self.coordinates.rotation is None else np.zeros_like(factor)
            rows = _rows.Dense(_rows.read_only(data.X), centre.astype(self.dtype), factor.astype(self.dtype))
        return _sgd.Problem(rows, self.head, self.loss, targets, penalty.astype(self.dtype))

    def forget_momentum(self):
        """Let the next step be one without momentum."""
        self.state.slots[:, 0] = 0

    def restart(self, V):
        """Back to weights V, with an optimizer that has seen nothing."""
        self.state.V[:] = V
        self.state.slots[:] = 0
        self.state.count[:] = 0

    # -- training

    def first_step(self, problem, n_steps):
        """The user's learning rate, or one over the curvature of the objective along the data.

        ``n_steps`` is their number where they fall to zero at the end, else None.
        """
        if not self.automatic:
            return self.settings.learning_rate
        normalised = getattr(self.optimizer, "normalised", None)
        if normalised is not None:
            return normalised / self.unit * (10 if self.full else 1)  # an exact gradient bears more
        largest, noise = self.curvature * self.spread
        if self.full:
            return 1 / largest
        # momentum multiplies the noise that it averages, and is stable up to 4/3 of this
        gain = self.optimizer.gain

        step = 2 / (largest * min(gain, 2) + noise * gain)
        weakest = problem.rows.common if self.is_sparse else problem.penalty[:-1].min(initial=np.inf)
        if n_steps is None or not weakest:
            return step
        folds = FORGOTTEN_SPARSE if self.is_sparse else FORGOTTEN
        return min(step, folds / (float(weakest) * n_steps * gain))

    def run(self, problem, order, steps):
        """Train on the rows in this order, one step a batch.

        Returns the weighted sum of the losses and the mean of those of the first batch.
        """
        row_limit = np.inf
        if self.automatic and not self.full:
            row_limit = 2 / self.curvature
        if self.wide:
            return _wide.run(
                problem, self.state, self.optimizer, order, steps, self.batch, row_limit, self.settings.n_jobs
            )
        if not self.direct and self.state.G.shape != self.state.V.shape:
            self.state = self.state._replace(G=np.zeros_like(self.state.V))
        n_pieces = self.n_pieces(problem, min(self.batch, len(order)))
        if n_pieces > 1:
            return self._run_large(problem, order, steps, row_limit, n_pieces)
        buffers, total, first = self.buffers(problem), 0.0, None
        size = max(1, int(CHUNK / (self.row_time(problem) * self.batch)))
        for start in range(0, len(steps), size):
            ids = order[start * self.batch : (start + size) * self.batch]
            plan = _sgd.Plan(self.batch, steps[start : start + size], row_limit)
            if self.direct:
                part, start_value = _sgd.epoch_direct(problem, self.state, buffers, ids, plan)
            else:
                part, start_value = _sgd.epoch(problem, self.state, self.optimizer, buffers, ids, plan)
            total += part
            first = start_value if first is None else first
        return total, first

    def n_pieces(self, problem, n_rows):
        """Into how many pieces a batch is cut: enough for threads and Ctrl-C, few gradient arrays."""
        work = n_rows * self.row_cost(problem)
        worthwhile = min(work / max(PIECE, 4 * self.state.V.size), n_rows / FEWEST_ROWS, MOST_PIECES)
        return int(max(worthwhile, work / CHUNK, 1))

    def row_cost(self, problem):
        """Multiply-adds of a row, and its share of those that a batch spends on all weights."""
        if not self.is_sparse:
            return self.state.V.size
        stored = problem.rows.data.size / max(len(problem.targets.weights), 1) + 1
        return stored * self.n_classes + (0 if self.direct else self.state.V.size / self.batch)

    def row_time(self, problem):
        """How long a row takes in a kernel, in multiply-adds of dense rows (0.2 ns): never much less."""
        step = 0 if self.direct else 20 * self.state.V.size / self.batch
        if not self.is_sparse:
            return ROW_TIME + self.state.V.size + step
        stored = problem.rows.data.size / max(len(problem.targets.weights), 1) + 1
        return ROW_TIME + stored * (200 + 5 * self.n_classes) + step

    def _run_large(self, problem, order, steps, row_limit, n_pieces):
        """Batches that are worth threads."""
        total, first = 0.0, None
        with _objective.threads(self.settings.n_jobs, n_pieces) as pool:
            for number, step in enumerate(steps):
                ids = order[number * self.batch : (number + 1) * self.batch]
                loss, self.state.G[:] = _objective.gradient(
                    problem,
                    self.state.V,
                    lambda: self.buffers(problem),
                    ids,
                    n_pieces,
                    (step, row_limit),
                    pool,
                )
                _sgd.advance(problem, self.state, self.optimizer, step)
                total += loss
                first = loss / problem.targets.weights[ids].sum() if first is None else first
        return total, first

    def buffers(self, problem):
        return _objective.buffers(problem, self.batch, self.n_features_trained, self.n_classes, self.dtype)

    @property
    def n_features_trained(self):
        return self.state.V.shape[0 if self.is_sparse else 1] - 1

    def penalty_value(self, problem):
        """alpha/2 |W|^2; block sums keep the digits of float32."""
        V, penalty, total = self.state.V, problem.penalty, 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # which the caller looks at
            for start in range(0, len(V), 256):
                part = slice(start, start + 256)
                squares = np.square(V[part])
                total += float((penalty[part] @ squares if self.is_sparse else squares @ penalty).sum())
        return 0.5 * total

    # -- results

    def weights(self):
        """The weights to publish, in training coordinates, classes first."""
        averaged = isinstance(self.optimizer, Averaged) and self.state.count[0] > 0
        V = self.state.slots[:, -1] if averaged else self.state.V
        return V.T if self.is_sparse else V

    def published(self):
        """W (K, d) and b (K,) in float64: scores are X W' + b, for cosines divided by |[x, constant]|."""
        V = self.weights()
        if isinstance(self.head, Cosine):
            norms = np.linalg.norm(V.astype(np.float64), axis=1, keepdims=True)
            V = V * (self.loss.scale / np.where(norms > 0, norms, np.inf))
        return self.coordinates.published(V, self.head.intercept)
