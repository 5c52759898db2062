"""From the arguments of ``fit`` to data, solver and settings: everything is checked once, in this order."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from linclf._data.dataset import Dataset, dataset, split
from linclf._data.forms import column_names
from linclf._data.indicators import (
    check_columns,
    indicator_of,
    is_indicator,
    label_weights,
    refuse_constant,
    validation_labels_of,
    validation_of,
)
from linclf._data.labels import (
    check_class_names,
    check_y,
    class_names,
    classes_of,
    targets_of,
)
from linclf._data.offsets import checked_offset, of_classes
from linclf._data.targets import Indicators, Targets
from linclf._data.weights import PositiveRows, log_prior, positive_rows, weights_of_classes
from linclf._estimator.calibrated import checked_calibrator, label_calibrator
from linclf._estimator.described import Described
from linclf._estimator.known import Known
from linclf._estimator.part_classes import classes_after, columns_after, given_classes
from linclf._estimator.settings import settings_of
from linclf._training.growing import Growth, growth_to
from linclf._training.left_out import Task
from linclf._training.model import LinearModel
from linclf._training.present import Present, present_in
from linclf._training.settings import Settings
from linclf._training.shards import Shards
from linclf._training.solver import Solver
from linclf._training.solvers import Automatic
from linclf._training.spread import Spread, measured, spread_of, warn_if_apart, warn_if_uneven
from linclf._training.validation import Validation
from linclf._types import FloatArray, IntArray, LabelArray, Loss, Matrix, MatrixLike
from linclf.calibration import PerLabelCalibration
from linclf.calibration._base import Calibrator
from linclf.losses._names import loss_for
from linclf.losses._registry import trait

Given: TypeAlias = tuple[MatrixLike, ArrayLike | None, ArrayLike | None]  # X, y, sample_weight
GivenValidation: TypeAlias = tuple[MatrixLike | None, ArrayLike | None, ArrayLike | None]
MULTILABEL = {"multilabel_": True}  # what a fit to several labels a row publishes


@dataclass(frozen=True, eq=False)
class Fitting:
    """The checked arguments of ``fit``, and what follows from them and the parameters of the estimator."""

    classes: LabelArray
    solver: Solver
    settings: Settings
    data: Dataset
    held_out: Dataset | None
    watches: bool  # whether the held-out rows may end training
    per_class: FloatArray | None  # class weights, already included in the row weights
    offset: FloatArray | float  # included in the trained intercepts, but not in the published ones
    calibrator: Calibrator | PerLabelCalibration | None
    arguments: dict[str, Any]  # as callbacks see them
    rng: np.random.RandomState
    dtype: np.dtype  # of the published weights
    mass: FloatArray  # weight of each class in all rows, without class weights
    spread: Spread | None = None  # of the features, if the penalty is in its units
    published: dict[str, Any] = field(default_factory=dict)  # attributes besides the weights
    start: LinearModel | None = None  # the weights to start from
    prior: LinearModel | None = None  # the model from which the penalty is measured
    shards: Shards | None = None  # all rows, if the data are a sample of them
    growth: Growth | None = None  # of a stream that gets new classes

    @property
    def present(self) -> Present | None:
        """The classes that have weight, or None if all have."""
        y, weights = self.data.counted
        return present_in(y.mass(weights) if self.shards is None else self.shards.mass)

    def validation(self, loss: Loss) -> Validation | None:
        """The held-out rows, if training watches them."""
        return Validation(self.held_out, loss) if self.held_out is not None and self.watches else None

    def task(self) -> Task:
        """The training task, without weights to start from and without validation rows."""
        return Task(self.data, spread=self.spread, prior=self.prior)

    def with_alpha(self, alpha: float) -> "Fitting":
        return replace(self, settings=self.settings._replace(alpha=alpha))

    def with_n_jobs(self, n_jobs: int) -> "Fitting":
        return replace(self, settings=self.settings._replace(n_jobs=n_jobs))

    def with_data(self, data: Dataset, held_out: Dataset | None, published: dict | None = None) -> "Fitting":
        """The fitting with rows in another form, and further attributes to publish."""
        return replace(self, data=data, held_out=held_out, published=self.published | (published or {}))


class GivenRows(NamedTuple):
    """The checked rows of positive weight, before class weights are applied."""

    X: Matrix
    y: Targets
    weights: FloatArray
    classes: LabelArray
    ids: IntArray  # their positions among all given rows
    y_given: NDArray  # labels or probabilities of all given rows
    weighted: bool  # whether weights were given
    label_names: list[str] | None = None  # of the columns of an indicator
    offset: FloatArray | None = None  # known scores, a column for each class

    def seen(self) -> Dataset:
        """The rows as they were given."""
        return Dataset(self.X, self.y, self.weights, offset=self.offset)


def rows_of(estimator: Described, given: Given, offset: ArrayLike | None = None) -> GivenRows:
    """Check the rows, labels, weights and known scores given to ``fit``."""
    X = estimator._checked(given[0], reset=True)
    several = is_indicator(given[1])
    y_given = indicator_of(given[1]) if several else check_y(given[1])
    kept, y, weights, ids, _ = positive_rows(X, y_given, given[2])
    classes = classes_of(y_given, None if several else class_names(given[1]))
    targets, names = targets_of(y, classes), column_names(given[1]) if several else None
    if isinstance(targets, Indicators):
        estimator._several_labels_loss()  # refuses what has one label a row
        refuse_constant(*targets.masses(weights))
    scores = offset_of_rows(offset, len(y_given), ids, targets, kept.dtype, "offset")
    return GivenRows(kept, targets, weights, classes, ids, y_given, given[2] is not None, names, scores)


def fitting_of(
    estimator: Described, rows: GivenRows, validation: GivenValidation, known: Known | None = None
) -> Fitting:
    """Check the validation rows, and parameters that depend on each other."""
    known = known or Known()
    rng = check_random_state(estimator.random_state)
    X, targets, weights, classes = rows[:4]
    known.check(estimator, classes, validation[0] is not None)
    labels = classes.tolist()
    (solver, settings), adjustment = settings_of(estimator), estimator._adjustment()
    per_class, per_label, calibrator = None, None, None
    several = isinstance(targets, Indicators)
    if several:
        known.refuse_prior_of_labels()
        loss = estimator._several_labels_loss()
        calibrator = label_calibrator(estimator.calibration)
        per_label = label_weights(estimator.class_weight, *targets.masses(weights))
        targets = targets.weighted(per_label)
    else:
        per_class = weights_of_classes(estimator.class_weight, labels, targets, weights)
        loss = loss_for(estimator._loss(), len(classes))
        calibrator = checked_calibrator(estimator.calibration, loss, per_class, classes)
    held_out = given_validation(estimator, *validation, validation_of(several))
    data, offset = dataset(X, targets, weights, per_class, rows.offset), 0.0
    if adjustment:
        offset = adjustment * log_prior(data.y, data.weights, loss._asdict()["label_smoothing"])
    if held_out is not None:
        X_val, y_val, weights_val, ids, n_given = held_out
        watched = targets_of(y_val, classes, name="y_val")
        check_columns(validation[1], classes, rows.label_names, several)
        if isinstance(watched, Indicators):
            watched = watched.weighted(per_label)
        scores_val = offset_of_rows(known.offset_val, n_given, ids, watched, X.dtype, "offset_val")
        held_out = dataset(X_val, watched, weights_val, per_class, scores_val)
        if not data.is_sparse:
            warn_if_apart(measured(data), held_out)
    elif estimator.early_stopping is True:
        data, held_out = split(data, estimator.validation_fraction, rng)
    elif estimator.calibration is not None:
        raise ValueError(
            f"calibration={estimator.calibration!r} needs validation rows to be fitted on; pass X_val and "
            "y_val to fit, or use early_stopping=True"
        )
    if not (estimator.standardize or trait(loss, "head").equivariant):
        warn_if_uneven(data, loss)
    seen = rows._replace(y=targets).seen()
    if estimator.has_callbacks and data.chosen is not None:
        seen = data.take(data.chosen)
    arguments = {"X": seen.X, "y": seen.y.named(classes), "metadata": None}
    metadata = {"sample_weight": seen.weights} if rows.weighted else {}
    if (scores := seen.decision_offset) is not None:
        metadata["offset"] = scores
    if metadata:
        arguments["metadata"] = metadata
    return Fitting(
        classes=classes,
        solver=solver,
        settings=settings,
        data=data,
        held_out=held_out,
        watches=estimator.early_stopping is not False,
        per_class=per_class,
        offset=offset,
        calibrator=calibrator,
        arguments=arguments,
        rng=rng,
        dtype=X.dtype,
        mass=targets.mass(weights),
        spread=spread_of(data, estimator.fit_intercept) if estimator.standardize else None,
        start=_moved(known.start(estimator, n_scores_of(targets), X.shape[1]), offset),
        prior=_moved(known.prior_model(estimator, classes, X.shape[1]), offset),
        published=MULTILABEL if several else {},
    )


def offset_of_rows(
    given: ArrayLike | None, n_rows: int, ids: IntArray, y: Targets, dtype: np.dtype, name: str
) -> FloatArray | None:
    """The offset of the rows that count, a column for each class."""
    if given is None:
        return None
    return of_classes(checked_offset(given, n_rows, n_scores_of(y), name, dtype)[ids]).astype(dtype)


def n_scores_of(y: Targets) -> int:
    """The number of scores of a row in ``decision_function``: 1 for two classes."""
    return 1 if y.n_classes == 2 and not isinstance(y, Indicators) else y.n_classes


def _moved(model: LinearModel | None, offset: FloatArray | float) -> LinearModel | None:
    """A published model, with the intercepts of the trained one."""
    return None if model is None else model._replace(b=model.b + offset)


def part_of(
    estimator: Described,
    given: Given,
    classes: ArrayLike | None,
    first: bool,
    offset: ArrayLike | None = None,
) -> Fitting:
    """Check the next part of a stream."""
    before: LabelArray | None = None if first else estimator.classes_
    several = is_indicator(given[1])
    if several:
        estimator._several_labels_loss()  # refuses what has one label a row
    known = None if several else given_classes(estimator, classes, before)
    X = estimator._checked(given[0], reset=first)
    if known is not None:
        check_class_names(given[1], known, "y")
    y_given = indicator_of(given[1]) if several else check_y(given[1])
    X, y, weights, ids, n_given = positive_rows(X, y_given, given[2], scale_free=False)
    remedy = ""
    if several:
        known = columns_after(estimator, y.shape[1], classes, before)
    else:
        known, remedy = classes_after(estimator, y, class_names(given[1]), known)
    _refuse_balanced(estimator.class_weight, several)
    targets, per_class = targets_of(y, known, remedy), None
    if isinstance(targets, Indicators):
        targets = targets.weighted(label_weights(estimator.class_weight, *targets.masses(weights)))
    else:
        per_class = weights_of_classes(estimator.class_weight, known.tolist(), targets, weights)
    Known(offset).check(estimator, known, validates=False)
    scores = offset_of_rows(offset, n_given, ids, targets, X.dtype, "offset")
    data = dataset(X, targets, weights, per_class, scores)
    rng = check_random_state(estimator.random_state)
    solver, settings = settings_of(estimator)
    if isinstance(solver, Automatic):
        solver = solver.stochastic
    return Fitting(
        classes=known,
        solver=solver,
        settings=settings,
        data=data,
        held_out=None,
        watches=False,
        per_class=per_class,
        offset=0.0,
        calibrator=None,
        arguments={},
        rng=rng,
        dtype=X.dtype,
        mass=targets.mass(weights),
        growth=None if before is None else growth_to(known, before),
        published=MULTILABEL if several else {},
    )


def _refuse_balanced(class_weight: Any, several: bool) -> None:
    """Refuse class weights of a stream that depend on rows to come."""
    if isinstance(class_weight, str) and class_weight == "balanced":
        form = "a list with a dict {0: weight, 1: weight} for each label" if several else "a dict"
        raise ValueError(
            "class_weight='balanced' needs all labels at once and cannot be used in partial_fit; compute "
            f"weights with sklearn.utils.compute_class_weight and pass them as {form}"
        )


def given_validation(
    estimator: Described,
    X_val: MatrixLike | None,
    y_val: ArrayLike | None,
    sample_weight_val: ArrayLike | None,
    checked_y: Callable[[Any], NDArray] = validation_labels_of,
) -> PositiveRows | None:
    """The rows, labels and weights that the user holds out, or None."""
    if X_val is None or y_val is None:
        if not (X_val is None and y_val is None):
            missing = "X_val" if X_val is None else "y_val"
            raise ValueError(f"{missing} was not provided; X_val and y_val must be given together")
        if sample_weight_val is not None:
            raise ValueError("sample_weight_val is provided, but X_val and y_val were not")
        return None
    if estimator.early_stopping is False and estimator.calibration is None:
        raise ValueError(
            "X_val and y_val are given while early_stopping=False and calibration=None; use "
            "early_stopping=True or 'auto'"
        )
    return positive_rows(estimator._checked(X_val, reset=False), checked_y(y_val), sample_weight_val)
