"""Fits of rows that are not in memory: a first pass over them yields data, solver and settings."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from linclf._data.dataset import Dataset, dataset
from linclf._data.indicators import check_columns, label_weights, refuse_constant, validation_of
from linclf._data.labels import targets_of
from linclf._data.targets import Indicators, Labels, Probabilities, Targets
from linclf._data.weights import log_prior, weights_of_classes
from linclf._estimator.calibrated import checked_calibrator, label_calibrator
from linclf._estimator.described import Described
from linclf._estimator.fitting import MULTILABEL, Fitting, GivenValidation, given_validation
from linclf._estimator.settings import settings_of
from linclf._sources.batches import Batches
from linclf._training.shards import Elsewhere, Encoding, OnDisk, codes_of, merged, weighted_moments
from linclf._training.spread import measured_from, spread_from, warn_if_apart
from linclf._training.survey import Question, Some, Survey
from linclf._types import FloatArray
from linclf.losses._names import loss_for
from linclf.losses._registry import trait

NOT_IN_MEMORY = "needs all rows in memory, but Batches are not; pass arrays"


def fitting_elsewhere(
    estimator: Described, rows: Elsewhere, arguments: dict[str, Any], validation: GivenValidation
) -> Fitting:
    """Go through the rows once and check them; the data of the fitting are a sample.

    ``arguments`` are those of fit, for callbacks.
    """
    _refuse(estimator)
    several = rows.form.several
    if several:
        estimator._several_labels_loss()  # refuses what has one label a row
    head = trait(loss_for(estimator._loss(), 2), "head")
    if estimator.standardize and not head.equivariant:
        raise ValueError(
            "standardize=True with a loss on cosines trains on a standardised copy of the rows, but Batches "
            "are not in memory; pass Batches(...).map(scaler), or use another loss"
        )
    rng = check_random_state(estimator.random_state)
    solver, settings = settings_of(estimator)
    _note_features(estimator, rows.form.n_features, rows.names)
    held_out = given_validation(estimator, *validation, validation_of(several))
    share = estimator.validation_fraction if held_out is None and estimator.early_stopping is True else 0.0
    if held_out is None and not share and estimator.calibration is not None:
        raise ValueError(
            f"calibration={estimator.calibration!r} needs validation rows to be fitted on; pass X_val and "
            "y_val to fit, or use early_stopping=True"
        )
    apart = int(rng.randint(2**31)), float(share)
    seed = int(rng.randint(2**31))
    found = rows.survey(
        Question(type(estimator).__name__, not head.equivariant, rows.memory, apart, seed), settings.n_jobs
    )
    classes = found.classes
    mass, without, per_class, per_label, offset = found.mass, found.without, None, None, 0.0
    if without is not None:
        refuse_constant(without, mass)
        per_label = label_weights(estimator.class_weight, without, mass)
        if per_label is not None:
            without, mass = without * per_label[0], mass * per_label[1]
        calibrator = label_calibrator(estimator.calibration)
    else:
        # one row per class, with the total weight of the class
        y = Labels(np.arange(len(classes)), len(classes))
        per_class = weights_of_classes(estimator.class_weight, classes.tolist(), y, mass)
        loss = loss_for(estimator._loss(), len(classes))
        calibrator = checked_calibrator(estimator.calibration, loss, per_class, classes)
        mass = mass if per_class is None else mass * per_class
        adjustment = estimator._adjustment()
        if adjustment:
            offset = adjustment * log_prior(y, mass, loss._asdict()["label_smoothing"])
    if held_out is not None:
        X_val, y_val, weights_val = held_out[:3]
        check_columns(validation[1], classes, None, several)
        targets = _weighted(targets_of(y_val, classes, name="y_val"), per_label)
        watched = dataset(X_val, targets, weights_val, per_class)
    else:
        watched = None if found.held_out is None else _dataset(found.held_out, found, per_class, per_label)
    encoding = Encoding(found.n_rows, classes, found.lookup, per_class, apart, per_label, without)
    shards, dtype = rows.shards(encoding, mass, found.moments), rows.form.dtype
    if per_class is not None:  # they were not known in the first pass
        moments = shards.total(weighted_moments, merged, settings.n_jobs)
        shards = rows.shards(encoding, mass, found.moments if moments is None else moments)
    if held_out is not None and watched is not None and not watched.is_sparse and not rows.form.is_sparse:
        warn_if_apart(measured_from(shards.moments, dtype), watched)
    spread = spread_from(shards.moments, dtype, estimator.fit_intercept) if estimator.standardize else None
    return Fitting(
        classes=classes,
        solver=solver,
        settings=settings,
        data=_dataset(found.sample, found, per_class, per_label),
        held_out=watched,
        watches=estimator.early_stopping is not False,
        per_class=per_class,
        offset=offset,
        calibrator=calibrator,
        arguments=arguments,
        rng=rng,
        dtype=dtype,
        mass=found.mass,
        spread=spread,
        shards=shards,
        published=MULTILABEL if several else {},
    )


def fitting_of_batches(
    estimator: Described,
    batches: Batches,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    validation: GivenValidation,
) -> Fitting:
    """The fitting for batches, which contain labels and weights."""
    for name, value, of in (("y", y, "target"), ("sample_weight", sample_weight, "weight")):
        if value is not None:
            raise ValueError(f"{name} is given besides Batches, which have their own: Batches(..., {of}=...)")
    arguments = {"X": batches, "y": None, "metadata": None}
    return fitting_elsewhere(estimator, OnDisk(batches), arguments, validation)


def _refuse(estimator: Described) -> None:
    if not estimator._takes_batches():
        raise TypeError(f"{type(estimator).__name__} {NOT_IN_MEMORY}")
    if estimator.warm_start:
        raise ValueError(
            "warm_start=True starts from the last fit, but fit(Batches) from a sample; use False"
        )


def _note_features(estimator: Any, n_features: int, names: list[str] | None) -> None:
    """Set the attributes that scikit-learn sets for arrays and tables."""
    estimator.n_features_in_ = n_features
    vars(estimator).pop("feature_names_in_", None)
    if names is not None:
        estimator.feature_names_in_ = np.array(names, object)


def _weighted(y: Targets, per_label: tuple[FloatArray, FloatArray] | None) -> Targets:
    return y.weighted(per_label) if isinstance(y, Indicators) else y


def _dataset(some: Some, found: Survey, per_class: Any, per_label: Any) -> Dataset:
    if found.without is not None:
        y: Targets = Indicators(some.y).weighted(per_label)
    elif some.y.ndim == 2:
        y = Probabilities(np.asarray(some.y, np.float64))
    else:
        try:
            codes = codes_of(some.y, found.classes, found.lookup)
        except ValueError as fault:
            raise ValueError(
                "early_stopping=True holds out a class of which no row is left to train on; use a smaller "
                "validation_fraction, or pass X_val and y_val"
            ) from fault
        y = Labels(codes, len(found.classes))
    return dataset(some.X, y, some.weights, per_class)
