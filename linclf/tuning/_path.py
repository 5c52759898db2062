"""The weights along a path of penalties."""

import warnings
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.fitting import fitting_of, rows_of
from linclf._estimator.known import Known
from linclf._training import path as training
from linclf._training.blas import one_blas_thread
from linclf._types import FloatArray, LabelArray, MatrixLike
from linclf.classifiers import SoftmaxClassifier
from linclf.losses._registry import trait
from linclf.tuning._alphas import alphas_of, checked_alphas


class Path(NamedTuple):
    """Result of `path`: penalties, weights, intercepts, and the objectives reached.

    Attributes
    ----------
    alphas : ndarray of shape (n_alphas,)
        The penalties, the strongest first.
    coefs : ndarray of shape (n_alphas, 1 or n_classes, n_features)
        ``coef_`` for each of them.
    intercepts : ndarray of shape (n_alphas, 1 or n_classes)
        ``intercept_`` for each of them.
    objectives : ndarray of shape (n_alphas,)
        Mean loss plus penalty.
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    """

    alphas: FloatArray
    coefs: FloatArray
    intercepts: FloatArray
    objectives: FloatArray
    classes: LabelArray


def path(
    X: MatrixLike,
    y: ArrayLike,
    alphas: int | ArrayLike = 20,
    *,
    estimator: BaseLinearClassifier | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    prior: Any = None,
) -> Path:
    """Train with many penalties, from strong to weak, each starting from the last model.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Training rows.
    y : array-like of shape (n_samples,), float array of shape (n_samples, n_classes), or an indicator
        Class labels, a row of class probabilities for each sample, or a column of 0 and 1 for each of several
        labels.
    alphas : int or array-like of float > 0, default=20
        The penalties. An integer is the size of a logarithmic grid over eight decades (more if dense columns
        vary unequally), from the penalty at which weights lower the objective by 1 % at most.
    estimator : classifier of linclf, default=None
        The classifier with the loss and parameters to train with. Its ``alpha`` is ignored, and it is not
        changed. None means ``SoftmaxClassifier()``.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.
    offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
        Known scores of the rows, as in `SoftmaxClassifier.fit`.
    prior : fitted linear classifier, default=None
        An earlier model, from which each penalty is measured, as in `SoftmaxClassifier.fit`. The strongest
        penalty then gives nearly its weights.

    Returns
    -------
    Path
        A named tuple ``(alphas, coefs, intercepts, objectives, classes)``.

    Raises
    ------
    ValueError
        If the data or the penalties cannot be used; the message says why and what to do.

    Warns
    -----
    ConvergenceWarning
        If some of the models may be far from their minimum.

    See Also
    --------
    linclf.SoftmaxClassifierCV : Chooses one of the penalties.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import path
    >>> found = path(*load_iris(return_X_y=True), alphas=[1.0, 1e-2, 1e-4])
    >>> abs(found.coefs).max(axis=(1, 2)).round(1)
    array([0.4, 2.4, 7.1])
    """
    model = _checked(SoftmaxClassifier() if estimator is None else estimator)
    with one_blas_thread():
        model.alpha = 1.0  # the penalties are alphas, also for a prior
        rows = rows_of(model, (X, y, sample_weight), offset)
        fitting = fitting_of(model, rows, (None, None, None), Known(offset, prior=prior))
        loss, task = model._loss_for(fitting.data.y, len(fitting.classes)), fitting.task()
        if trait(loss, "head").bounded:
            raise ValueError(f"{loss!r} is a loss on cosines, to which the penalty means nothing")
        given = checked_alphas(alphas) if isinstance(alphas, str) else alphas
        penalties = alphas_of(given, task, [loss], fitting.settings)
        followed = training.path(
            task, loss, fitting.solver, fitting.settings, penalties.tolist(), fitting.rng
        )
        outcomes = list(followed)
    far = [(alpha, one.warnings[0]) for alpha, one in zip(penalties, outcomes, strict=True) if one.warnings]
    if far:
        warnings.warn(
            f"{len(far)} of {len(penalties)} models may be far from their minimum, the first one with "
            f"alpha={far[0][0]:.3g}: {far[0][1]}",
            ConvergenceWarning,
            stacklevel=2,
        )
    models = [model._attributes(outcome.model, fitting) for outcome in outcomes]
    return Path(
        penalties,
        np.array([one["coef_"] for one in models]),
        np.array([one["intercept_"] for one in models]),
        np.array([outcome.history["objective"][-1] for outcome in outcomes]),
        fitting.classes,
    )


def _checked(estimator: Any) -> BaseLinearClassifier:
    """A copy of an estimator, which has to train one model on all rows."""
    plain = isinstance(estimator, BaseLinearClassifier)
    if not plain or type(estimator)._trained is not BaseLinearClassifier._trained:
        raise TypeError(f"estimator={estimator!r} has no path; pass a classifier such as SoftmaxClassifier()")
    for name, value in (("early_stopping", True), ("calibration", None), ("warm_start", True)):
        given = getattr(estimator, name)
        if (given is value) == (value is True):
            raise ValueError(f"{name}={given!r} means nothing for a path; leave it at its default")
    estimator._validate_params()
    return cast("BaseLinearClassifier", clone(estimator))
