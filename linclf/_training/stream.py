"""A model that is trained on one part of a stream after the other."""

import copy
import threading
import time
from typing import Any, NamedTuple, cast

import numpy as np

from linclf._data.columns import Columns, of_part
from linclf._data.dataset import Dataset
from linclf._kernels.problem import State
from linclf._storage import CSR, Copied
from linclf._training.coordinates import AnyCoordinates, Levels
from linclf._training.descent import Descent
from linclf._training.fit import Fit, penalty_factor, problem_for, shape_of, starting_weights
from linclf._training.frames import Seen, frame_for
from linclf._training.model import LinearModel
from linclf._training.optimizing import averages_of, published_weights
from linclf._training.plan import plan_for
from linclf._training.sampling import Sampling
from linclf._training.schedules import factors
from linclf._training.settings import Settings
from linclf._training.shape import Shape
from linclf._training.solver import Solver
from linclf._training.solvers.stochastic import Stochastic, check_finite, new_state
from linclf._training.step_rule import StepRule
from linclf._training.step_size import StepSize
from linclf._training.train import head_for, outputs_of
from linclf._types import FloatArray, IntArray, Loss, Matrix
from linclf.heads import Head
from linclf.losses._evaluation import curvature
from linclf.losses._registry import trait
from linclf.optimizers import SGD

SMALLEST = 1e-8  # least factor of all weights to hold back: float32 can still hold weights divided by it
SUMMED = 2**14  # rows of weights whose squares are added up at once
PASSING = ("due", "made", "lent", "lock")  # attributes that are neither copied nor saved


def rule_of(solver: Solver) -> StepRule:
    """The step rule of a stream, which only the stochastic solver has."""
    if not isinstance(solver, Stochastic):
        raise TypeError(f"solver={solver.name!r} needs all rows at once")
    return solver.rule


class Change(NamedTuple):
    """Rows of the arrays of a state that a part has changed, and their new values."""

    at: IntArray | slice
    V: FloatArray
    slots: FloatArray


class Stream:
    """Everything that is kept between two parts: plain values, so that it can be copied and saved.

    The cost of a part of sparse rows depends only on the features that it has. So a stream shares its large
    arrays with its successor, and a part trains a copy of the weights that it touches. They are written back
    when the successor is next used: until then the stream before it is unchanged, whatever stops a part. The
    factor by which the penalty shrinks all other weights is kept in `scale`.

    Other threads may look at the model in the meantime: all streams since the first share `lock`, and the
    arrays of the last stream do not change while it is held. Streams that share arrays share `lent`, too: if
    it is set, the arrays may belong to others, and are copied before anything is written.
    """

    # attributes that a stream lacks when it has just been loaded
    due: Change | None = None  # the changes of the last part
    made: dict[str, FloatArray] | None = None  # the published arrays, once they have been accessed

    def __init__(
        self,
        data: Dataset,
        loss: Loss,
        rule: StepRule,
        settings: Settings,
        start: LinearModel | None,
        sampling: Sampling | None,
        key: tuple,
    ) -> None:
        self.lock, self.lent = threading.RLock(), threading.Event()
        self.key = key  # parameters that must not change if training is to continue
        self.loss, self.rule, self.settings, self.sampling = loss, rule, settings, sampling
        self.n_classes, self.n_outputs = data.y.n_classes, outputs_of(loss, data.y.n_classes)
        self.is_sparse, self.n_features, self.dtype = data.is_sparse, data.X.shape[1], data.X.dtype
        self.head: Head = head_for(loss, settings, data, start, sampling)
        self.curvature = curvature(loss, self.n_outputs, self.dtype, soft=data.y.soft)
        if sampling is not None:
            self.curvature = sampling.curvature(self.curvature)
        frame = frame_for(Stochastic(rule), self.head, self.is_sparse)
        self.frame = frame(self.n_features, self.alpha * self.n_outputs, settings.fit_intercept)
        self.step_size, self.seen = StepSize(), Seen()
        self.state: State | None = None
        self.scale = 1.0  # of the weights of features in the state
        self.squares: float | None = None  # the sum of their squares in units of X, if it is known

    @property
    def alpha(self) -> float:
        return self.settings.alpha * penalty_factor(self.loss, self.n_outputs)

    @property
    def trains_few(self) -> bool:
        """Whether a part changes weights that it does not touch only by a common factor."""
        drawn = self.sampling is not None and self.sampling.replaces(False)
        return self.is_sparse and (drawn or (type(self.rule.optimizer) is SGD and self.head.equivariant))

    def __getstate__(self) -> dict[str, Any]:
        with self.lock:
            self.lend()
            return {name: value for name, value in vars(self).items() if name not in PASSING}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The arrays may belong to a file that is mapped into memory, or to the stream that was copied."""
        vars(self).update(state)
        self.lock, self.lent = threading.RLock(), threading.Event()
        self.lent.set()

    def continues(self, key: tuple, data: Dataset) -> bool:
        """Whether training can continue; if not, a new stream has to start from the weights reached."""
        return same(self.key, key) and self.is_sparse == data.is_sparse

    @property
    def copied_next(self) -> bool:
        """Whether the next part copies all weights."""
        return self.lent.is_set() or not self.trains_few

    def successor(self, rule: StepRule, settings: Settings) -> "Stream":
        """The stream that continues this one, with parameters that may have changed."""
        stream = object.__new__(Stream)
        with self.lock:
            self.write()
            vars(stream).update({name: value for name, value in vars(self).items() if name not in PASSING})
            stream.lock, stream.lent = self.lock, self.lent
        stream.frame, stream.step_size = copy.copy(self.frame), copy.copy(self.step_size)
        stream.sampling = copy.deepcopy(self.sampling)
        stream.rule, stream.settings = rule, settings
        stream.frame.shift = stream.alpha * self.n_outputs
        return stream

    def lend(self) -> None:
        """Let others use the arrays as they are now."""
        with self.lock:
            self.write()
            self.lent.set()

    def own(self) -> None:
        """Stop sharing arrays with other streams."""
        with self.lock:
            self.frame.own()
            if self.state is not None:
                V, G, slots, n_steps = self.state
                self.state = State(np.array(V), np.array(G), np.array(slots), np.array(n_steps))
            self.lent = threading.Event()

    def write(self) -> None:
        """Write the changes of the last part into the arrays."""
        with self.lock:
            due = self.due
            if self.lent.is_set() and (due is not None or self.frame.due is not None):
                self.own()
            self.frame.write()
            if due is not None and self.state is not None:
                self.state.V[due.at], self.state.slots[due.at] = due.V, due.slots
                self.due = None

    # ------------------------------------------------------------ published attributes

    def published(self) -> dict[str, FloatArray]:
        """``coef_`` and ``intercept_``, computed on first access."""
        with self.lock:
            if self.made is None:
                self.write()
                model = self._model()
                if self.n_outputs == self.n_classes == 2 and trait(self.loss, "exclusive"):
                    model = model.one_of_two()
                model = model.rounded(self.dtype)
                self.made = {"coef_": model.W, "intercept_": model.b}
            return self.made

    def _model(self) -> LinearModel:
        assert self.state is not None
        V = published_weights(self.rule.optimizer, self.state)
        if self.scale != 1:
            V = V * V.dtype.type(self.scale)
            V[-1] = self.state.V[-1]
        V = self.head.weights(V.T if self.is_sparse else V, self.loss)
        W, b = self.frame.coordinates.published(V, self.head.intercept)
        return LinearModel(W, b, self.head.of_all_scores())

    # ------------------------------------------------------------ training

    def train(
        self, data: Dataset, start: LinearModel | None, rng: np.random.RandomState
    ) -> dict[str, list[float]]:
        """One pass over the next part, in the order given; ``start`` is used for the first part only.

        Only a new stream, or a `successor`, may be trained, and only once.
        """
        started = time.perf_counter()
        if self.sampling is not None:
            data = data.with_labels()
            self.sampling.meet(data)
        self.seen = Seen(self.seen.weight + data.weights.sum(), self.seen.rows + len(data.weights))
        n_products = self.n_outputs // self.head.copies
        shape = shape_of(data, self.n_features, self.n_features, n_products, self.dtype)
        plan = plan_for(self.rule, "auto", self.loss, self.head, shape, stream=True, sampling=self.sampling)
        old, first = _Frame(self.frame.coordinates, self.head), self.state is None
        X, columns = self._learnt(data)
        changed = self.frame.coordinates is not old.coordinates
        if self.state is None:
            self.state = self._started(data, start, rng)
        if not self.trains_few:
            X, columns = data.X, None
        fit = self._fit(data, shape, X, columns)
        if first:
            self.step_size.set_unit(fit)
        if self.rule.automatic:
            self.step_size.measure(fit, plan.batch)
        ids = fit.ids  # with soft labels there may be more of them than rows in the part
        batches, done = -(-len(ids) // plan.batch), int(self.state.n_steps[0])
        step = self.step_size.first(self.rule, fit, plan.optimizer, plan.full, None)
        steps = step * factors(self.rule.schedule, done, batches, None)
        scale = self.scale if plan.sweep is self.sampling else self.scale / _shrinkage(steps * self.alpha)
        if fit.columns is not None and scale < SMALLEST:
            fit = self._fit(data, shape, data.X, None)
        state, rest = self._weights(fit, old if changed and not first else None)
        descent = Descent(self.rule, fit.for_batches(plan.batch), plan, state, self.step_size)
        total, _ = plan.sweep.run(descent, ids, steps)
        objective = total / len(ids) + self._take(descent, scale, rest)
        check_finite(descent, objective)
        self._check_range(published_weights(self.rule.optimizer, descent.state))
        seconds = time.perf_counter() - started
        return {"objective": [objective], "step": [float(steps[-1])], "seconds": [seconds]}

    def _learnt(self, data: Dataset) -> tuple[Matrix, Columns | None]:
        """Learn the features of a part; sparse rows are narrowed to those whose weights it may change."""
        frame, before = self.frame, self.frame.coordinates
        X, columns, weights = data.X, None, data.weights
        if self.is_sparse:
            columns, X = of_part(X)
            changed = frame.learn_columns(X, columns, weights, self.seen)
        else:
            changed = frame.learn_part(X, weights, self.seen)
        if changed:
            self.head = frame.head(self.head)
            if frame.forgets_spread:
                self.step_size.measured = 0.0  # the spread depends on the coordinates
        after = frame.coordinates
        if columns is not None and isinstance(before, Levels) and isinstance(after, Levels):
            columns, X = columns.including(np.union1d(before.features, after.features), X)
        return X, columns

    def _started(self, data: Dataset, start: LinearModel | None, rng: np.random.RandomState) -> State:
        """The state before the first step."""
        if start is None:
            start = LinearModel(*self.head.start(data, self.n_outputs, rng), self.head)
        if self.sampling is not None:
            start = start._replace(b=self.sampling.start(start.b, self.settings.fit_intercept))
        storage = CSR if self.is_sparse else Copied
        V = starting_weights(start, self.head, self.frame.coordinates, storage, self.dtype)
        return new_state(V, self.rule.optimizer)

    def _fit(self, data: Dataset, shape: Shape, X: Matrix, columns: Columns | None) -> Fit:
        """The fit for the rows X of a part; its weights are not used yet."""
        assert self.state is not None
        coordinates = _of(self.frame.coordinates, columns)
        if self.is_sparse and isinstance(coordinates, Levels):
            X = coordinates.of_sparse(X)
        with np.errstate(over="ignore"):  # `check_finite` checks the result
            X = X.astype(self.dtype, copy=False)
        data, unit = data._replace(X=X), self.seen.rows / self.seen.weight
        problem = problem_for(data, coordinates, self.head, self.loss, self.alpha, unit, self.n_outputs)
        return Fit(
            data,
            self.loss,
            self.settings,
            coordinates,
            self.curvature,
            problem,
            self.state.V,
            shape,
            self.sampling,
            columns,
        )

    def _weights(self, fit: Fit, old: "_Frame | None") -> tuple[State, float]:
        """A copy of the weights that a part may change, and the sum of the squares of the others."""
        assert self.state is not None
        columns, rest = fit.columns, 0.0
        at = _rows_of(columns, self.n_features)
        V, slots = np.array(self.state.V[at], order="C"), np.array(self.state.slots[at], order="C")
        if columns is not None and self.alpha > 0:
            before = self.frame.coordinates if old is None else old.coordinates
            # computed again when the number of rows has doubled, so that rounding errors do not add up
            rows = self.seen.rows, self.seen.rows - len(fit.data.weights)
            if self.squares is None or rows[0].bit_length() > rows[1].bit_length():
                self.squares = _sum_of_squares(self.state.V, before)
            rest = self.squares - _sum_of_squares(V, _of(before, columns))
        if self.scale != 1:
            V[:-1] *= V.dtype.type(self.scale)
        if old is not None:
            self._express(V, slots, fit, old)
        return State(V, self.state.G, slots, np.array(self.state.n_steps)), rest

    def _express(self, V: FloatArray, slots: FloatArray, fit: Fit, old: "_Frame") -> None:
        """Convert weights, and their average if there is one, to the present coordinates."""
        before = _of(old.coordinates, fit.columns)
        for array in [V, *averages_of(self.rule.optimizer, slots)]:
            array = array.T if self.is_sparse else array
            W, b = before.published(array, old.head.intercept)
            array[:] = fit.coordinates.weights_from(W, b, self.head.intercept)

    def _take(self, descent: Descent, scale: float, rest: float) -> float:
        """Keep the result of a part, and the factor of all weights after it; returns the penalty."""
        assert self.state is not None
        fit, state = descent.fit, descent.state
        if fit.columns is None:
            self.state, self.scale, self.squares = state._replace(G=self.state.G), 1.0, None
            return descent.penalty_value()
        self.state = self.state._replace(n_steps=state.n_steps)
        V, self.scale, self.squares = state.V, scale, None
        if scale != 1:
            V = V / V.dtype.type(scale)
            V[-1] = state.V[-1]
        self.due = Change(_rows_of(fit.columns, self.n_features), V, state.slots)
        if self.alpha == 0:
            return 0.0
        self.squares = rest + _sum_of_squares(V, fit.coordinates)
        return 0.5 * self.head.copies * self.alpha * scale**2 * self.squares

    def _check_range(self, V: FloatArray) -> None:
        """Check that published weights will fit the dtype; if there is doubt, they are computed now."""
        coordinates, reach = self.frame.coordinates, max(V.max(), -V.min())
        if not self.head.equivariant:
            reach = cast(Any, self.loss).scale
        if isinstance(coordinates, Levels):
            longest = 1 + coordinates.factors.max(initial=1)
        else:
            longest = coordinates.factor.max() + np.abs(coordinates.centre) @ coordinates.factor
        with np.errstate(over="ignore"):
            bound = 2 * float(reach) * (float(longest) + self.head.intercept)
        if not bound <= float(np.finfo(self.dtype).max):
            self.own()
            self.published()


class _Frame(NamedTuple):
    """The coordinates that weights are in."""

    coordinates: AnyCoordinates
    head: Head


def _of(coordinates: AnyCoordinates, columns: Columns | None) -> AnyCoordinates:
    """Coordinates of some of the features."""
    if columns is None or not isinstance(coordinates, Levels):
        return coordinates
    return coordinates.narrowed(columns)


def _rows_of(columns: Columns | None, n_features: int) -> IntArray | slice:
    """The rows of arrays of sparse weights, with the constant."""
    return slice(None) if columns is None else np.append(columns.at, n_features)


def _shrinkage(penalties: FloatArray) -> float:
    """The factor by which steps with these penalties divide weights that they do not touch otherwise."""
    with np.errstate(over="ignore"):
        return float(np.prod(1 + penalties))


def _sum_of_squares(V: FloatArray, coordinates: AnyCoordinates) -> float:
    """Sum of squares of sparse weights without the constant, in units of X."""
    assert isinstance(coordinates, Levels)
    total, last = 0.0, len(V) - 1
    with np.errstate(over="ignore", invalid="ignore"):  # the caller checks the result
        for start in range(0, last, SUMMED):
            part = V[start : min(start + SUMMED, last)].astype(np.float64, copy=False).ravel()
            total += float(part @ part)
        few = np.square(V[coordinates.features], dtype=np.float64).sum(axis=1)
        return total + float((coordinates.factors**2 - 1) @ few)


def same(a: Any, b: Any) -> bool:
    """Whether a and b are equal, and of the same classes, which Python ignores when it compares tuples."""
    if isinstance(a, tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b
