"""Training the head and the tails of an adaptive softmax: each is a separate softmax problem."""

import numpy as np

from linclf._data.dataset import Dataset
from linclf._data.targets import Targets
from linclf._estimator.callbacks import FitCallbacks
from linclf._estimator.fitting import Fitting
from linclf._training.fit import shape_of
from linclf._training.model import LinearModel
from linclf._training.monitor import Outcome, Reached
from linclf._training.solver import Solver
from linclf._training.solvers import Automatic, Stochastic
from linclf._training.spread import Spread
from linclf._training.train import train
from linclf._training.validation import Validation
from linclf._types import FloatArray, IntArray, Matrix
from linclf.heads import Linear
from linclf.large._clusters import ClusteredModel, Clusters, class_directions, projected
from linclf.losses import Softmax

FEWEST_BATCHES = 4  # per part, if the whole has mini-batches: a few epochs of one step would not suffice


class Parts:
    """The data and the trained models of all parts; part 0 is the head."""

    def __init__(
        self, fitting: Fitting, clusters: Clusters, reached: ClusteredModel | None, reduction: float | None
    ) -> None:
        self.fitting, self.clusters, self.reached, self.reduction = fitting, clusters, reached, reduction
        self.data = fitting.data.compact()
        watched = fitting.held_out if fitting.watches else None
        self.held_out = None if watched is None else watched.compact()
        n_features, dtype = self.data.X.shape[1], self.data.X.dtype
        self.model = ClusteredModel(
            clusters,
            [_untrained(size, n_features, dtype) for size in clusters.sizes],
            [None] * len(clusters.cutoffs),
        )
        if reached is not None:
            self.model = reached._replace(parts=list(reached.parts), projections=list(reached.projections))
        shape = shape_of(self.data, n_features, n_features, len(clusters.order), dtype)
        # epochs and batch size of one softmax over all rows
        self.solver = fitting.solver
        if isinstance(self.solver, Automatic):
            self.solver = self.solver.stochastic
        self.epochs, self.batch = self.solver.extent(fitting.settings, Softmax(), Linear(), shape)
        self.shares: list[float] = []
        self.validation_shares: list[float] = []
        self.outcomes: list[Outcome] = []

    def train(self, callbacks: FitCallbacks) -> None:
        callbacks.start(self.epochs * len(self.model.parts))
        for index in range(len(self.model.parts)):
            seed = int(self.fitting.rng.randint(2**31 - 1))
            self._train(index, np.random.RandomState(seed), PartCallbacks(self, index, callbacks))

    def _train(self, index: int, rng: np.random.RandomState, callbacks: "PartCallbacks") -> None:
        name, settings = f"tail {index}" if index else "head", self.fitting.settings
        X, y, weights = self._rows(self.data, index)
        if not y.n_rows:  # the head gives this tail a probability of 0
            self.validation_shares.append(0.0)
            self.outcomes.append(Outcome(self.model.parts[index], {}, 1))
            self.shares.append(0.0)
            return
        share, spread = weights.sum() / self.data.weights.sum(), self.fitting.spread
        if index and self.reduction is not None and self.reached is None:
            kept = max(1, round(X.shape[1] / self.reduction**index))
            if kept < X.shape[1]:
                self.model.projections[index - 1] = _directions(X, y, weights, kept, spread)
        projection = self._projection(index)
        X = projected(X, projection)
        if settings.verbose:
            print(f"{name}: {y.n_classes} outputs, {X.shape[0]} rows of {X.shape[1]} features")
        outcome = train(
            Dataset(X, y.cast(X.dtype), weights),
            Softmax(),
            self._solver(y.n_rows),
            settings._replace(alpha=settings.alpha / share, max_iter=self.epochs),
            start=None if self.reached is None else _started(self.reached.parts[index], y.n_classes),
            validation=self._validation(index, np.flatnonzero(y.mass(weights) == 0)),
            callbacks=callbacks,
            spread=spread if projection is None else None,
            rng=rng,
        )
        self.model.parts[index] = self.published(outcome.model)
        self.outcomes.append(outcome)
        self.shares.append(share)

    def _solver(self, n_rows: int) -> Solver:
        """The solver of a part; a small part gets at least a few batches."""
        solver = self.solver
        if self.batch is None or not isinstance(solver, Stochastic) or solver.rule.batch_size != "auto":
            return solver
        batch = max(1, min(self.batch, n_rows // FEWEST_BATCHES))
        return Stochastic(solver.rule._replace(batch_size=batch))

    def _projection(self, index: int) -> FloatArray | None:
        return self.model.projections[index - 1] if index else None

    def _rows(self, data: Dataset, index: int) -> tuple[Matrix, Targets, FloatArray]:
        """Rows, targets and weights of a part."""
        if index == 0:
            return data.X, self.clusters.head_targets(data.y), data.weights
        rows, targets, mass = self.clusters.tail_targets(data.y, index - 1)
        return data.X[rows], targets, data.weights[rows] * mass

    def _validation(self, index: int, absent: IntArray) -> Validation | None:
        """Validation rows of a part, if it has any: those of classes that it is trained on."""
        self.validation_shares.append(0.0)
        if self.held_out is None:
            return None
        X, y, weights = self._rows(self.held_out, index)
        if absent.size and not y.soft:
            kept = np.flatnonzero(~np.isin(y.array, absent))
            X, y, weights = X[kept], y.take(kept), weights[kept]
        if not y.n_rows:
            return None
        self.validation_shares[-1] = weights.sum() / self.held_out.weights.sum()
        X = projected(X, self._projection(index))
        return Validation(Dataset(X, y.cast(X.dtype), weights), Softmax())

    def published(self, model: LinearModel) -> LinearModel:
        """A part in its published form: in the dtype of X, and only the difference of two outputs."""
        return (model.one_of_two() if model.n_outputs == 2 else model).rounded(self.data.X.dtype)

    def attributes(self) -> dict:
        return {
            "classes_": self.fitting.classes,
            "order_": self.clusters.order,
            "cutoffs_": self.clusters.cutoffs,
            "head_": self.model.parts[0],
            "tails_": self.model.parts[1:],
            "projections_": self.model.projections,
        } | self.fitting.published

    def outcome(self) -> Outcome:
        """The outcome of the whole; a part that has ended counts with its last values."""
        n_iter = max(outcome.n_iter for outcome in self.outcomes)
        kinds = {"objective": self.shares, "validation_loss": self.validation_shares}
        kinds["seconds"] = [1.0] * len(self.outcomes)
        history = {}
        for name in self.outcomes[0].history:
            if name == "validation_score":
                continue
            shares = kinds.get(name, [1.0])  # the others are those of the head
            total = np.zeros(n_iter)
            for outcome, share in zip(self.outcomes, shares, strict=False):
                values = outcome.history.get(name, [0.0])
                total += share * np.append(values, np.full(n_iter - len(values), values[-1]))
            history[name] = total.tolist()
        return Outcome(self.model.parts[0], history, n_iter, self.solver.name)


def _directions(X: Matrix, y: Targets, weights: FloatArray, size: int, spread: Spread | None) -> FloatArray:
    """Directions of a tail; with a spread, for features divided by it."""
    if spread is None:
        return class_directions(X, y, weights, size)
    directions = class_directions(spread.divided(X), y, weights, size) / spread.scale[:, None]
    return directions.astype(X.dtype)


def _untrained(n_outputs: int, n_features: int, dtype: np.dtype) -> LinearModel:
    """A part for which all its classes are equally probable."""
    rows = 1 if n_outputs == 2 else n_outputs
    return LinearModel(np.zeros((rows, n_features), dtype), np.zeros(rows, dtype), Linear())


def _started(part: LinearModel, n_outputs: int) -> LinearModel:
    """The part in the form from which training starts."""
    part = part._replace(W=part.W.astype(np.float64), b=part.b.astype(np.float64))
    return part.two_of_one() if part.n_outputs < n_outputs else part


class PartCallbacks:
    """Passes the epochs of a part to the callbacks of the whole."""

    def __init__(self, parts: Parts, index: int, whole: FitCallbacks) -> None:
        self.parts, self.index, self.whole = parts, index, whole

    def start(self, total: int) -> None:
        """Nothing to do: the whole has already begun."""

    def begin(self) -> None:
        self.whole.begin()

    def end(self, model: Reached) -> bool:
        def reached() -> LinearModel:
            part = self.parts.published(model())
            self.parts.model.parts[self.index] = part
            return part

        return self.whole.end(reached)
