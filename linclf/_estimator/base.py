"""The abstract base of all classifiers: scikit-learn's conventions around `_training`."""

import copy
from abc import ABC, abstractmethod
from contextlib import contextmanager

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from linclf._data import validation as _validation
from linclf._estimator.available import takes_streams
from linclf._estimator.calibrated import checked_calibrator, fitted_calibrator
from linclf._estimator.callbacks import EpochCallbacks
from linclf._estimator.parameters import CommonParameters
from linclf._estimator.predicting import PredictingMixin
from linclf._estimator.settings import settings_of
from linclf._training import memory as _memory
from linclf._training import train as _training
from linclf._training.blas import one_blas_thread
from linclf._training.published import class_means, decisions, fitted, scores_of
from linclf._training.session import Session
from linclf._training.solvers import lbfgs as _lbfgs
from linclf.heads import Cosine
from linclf.losses._names import resolve, watched

CALLBACK_NOTES = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")
KEPT_PARTS = 1000  # of a stream, whose history must not grow for ever


class BaseLinearClassifier(
    CommonParameters, PredictingMixin, CallbackSupportMixin, ClassifierMixin, BaseEstimator, ABC
):
    """Fitting and predicting, shared by all classifiers; a subclass only says which loss."""

    @abstractmethod
    def _loss(self):
        """The loss object or its name, from the parameters."""

    def _adjustment(self):
        """Factor of the logarithms of the class shares that are added to the scores in training."""
        return 0.0

    def _new_session(self, settings, data, n_classes, go_on):
        """The problem to train, from the start or from what has been published (``go_on``)."""
        return Session(settings, resolve(self._loss(), n_classes), data, n_classes)

    def _adapted(self, data, held_out, n_classes):
        """Both in the form to train on, and the projection of their features if there is one."""
        return data, held_out, None

    def _fitted(self, W, b, classes, session):
        """The attributes that predicting needs, from published weights."""
        return fitted(W, b, classes, session)

    def _check_memory(self, settings, data, n_classes, watches=False):
        """Refuse what does not fit into memory, before anything large is made."""
        loss, goes_on = resolve(self._loss(), n_classes), hasattr(self, "coef_")
        _memory.check_training(settings, loss, data.X, n_classes, self.solver, (watches, goes_on))

    # ------------------------------------------------------------ fitting

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
        """Fit the classifier.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows; float32 and float64 are used as they are, other types become float64.
        y : array-like of shape (n_samples,) or float array of shape (n_samples, n_classes)
            Class labels, or a row of class probabilities for each sample (soft labels); the
            classes are then 0 ... n_classes - 1.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; 0 is the same as removing a row, k as repeating it k times.
        X_val, y_val : array-like, default=None
            Validation set for early stopping, used instead of a part of X. In a Pipeline, X_val
            goes through the same steps as X with ``Pipeline(..., transform_input=["X_val"])``.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation set.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data are not usable; the message says which and what to do.
        """
        with self._unchanged_on_failure(), one_blas_thread():
            return self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)

    def _fit(self, X, y, sample_weight, X_val, y_val, sample_weight_val):
        rng = check_random_state(self.random_state)
        X = _validation.check_X(self, X, reset=True)
        y = _validation.check_y(y)
        X, y, weights = _validation.positive_rows(X, y, sample_weight)
        classes = _validation.classes_of(y)
        settings = settings_of(self)
        per_class = _validation.weights_of_classes(self.class_weight, classes, y, weights)
        loss = resolve(self._loss(), len(classes))
        calibrator = checked_calibrator(self.calibration, loss, per_class, classes)
        held_out = _validation.given_validation(self, X_val, y_val, sample_weight_val)
        data = _validation.data_for(X, y, weights, classes, per_class)
        log_prior = None
        if self._adjustment():
            log_prior = _validation.log_prior(data, classes, loss.label_smoothing)
        validation = None
        if held_out is not None:
            held_out = _validation.data_for(*held_out, classes, per_class)
        elif self.early_stopping is True:
            data, held_out = _validation.split(data, self.validation_fraction, rng)
        elif self.calibration is not None:
            raise ValueError(
                f"calibration={self.calibration!r} needs validation rows to be fitted on; pass X_val and "
                "y_val to fit, or use early_stopping=True"
            )
        whole = data
        data, held_out, projection = self._adapted(data, held_out, len(classes))
        watches = held_out is not None and self.early_stopping is not False
        self._check_memory(settings, data, len(classes), watches)
        session = self._new_session(settings, data, len(classes), self.warm_start)
        session.projection = projection
        solve = _training.train
        if self.solver == "lbfgs":
            _lbfgs.check_smooth(session.loss)
            solve = _lbfgs.train
        if self._adjustment():
            session.offset = self._adjustment() * log_prior
        W, b = self._start(session, data, classes, rng)
        if watches:
            validation = _training.Validation(
                held_out.X, held_out.y, held_out.weights, session.head, watched(session.loss)
            )
        problem = session.prepare(data, W, b)
        epochs = _training.epochs_for(settings.max_iter, len(session.rows), session)
        context = self._init_callback_context(max_subtasks=epochs)
        watched_by_callbacks = hasattr(self, "_skl_callbacks")
        if watched_by_callbacks and whole.rows is not None:
            X, weights = whole.X[whole.rows], whole.weights[whole.rows]
            y = whole.y[whole.rows] if whole.y.ndim == 2 else classes[whole.y[whole.rows]]
        labels = y if y.ndim == 1 else classes[y.argmax(axis=1)]
        metadata = None if sample_weight is None else {"sample_weight": weights}
        arguments = {"X": X, "y": labels, "metadata": metadata}
        context.call_on_fit_task_begin(estimator=self, **arguments)
        callbacks = EpochCallbacks(self, context, classes, arguments) if watched_by_callbacks else None
        outcome = solve(session, problem, epochs, validation, rng, callbacks)
        if validation is None:
            _training.warn_of_separable(session, data, outcome)
        attributes = self._fitted(outcome.W, outcome.b, classes, session)
        if calibrator is not None:
            scores = scores_of(held_out.X, attributes["coef_"], attributes["intercept_"], session.head)
            scores = decisions(scores, session.loss)
            attributes["calibrator_"] = fitted_calibrator(calibrator, scores, held_out, per_class, classes)
        self._publish(outcome, attributes)
        vars(self).pop("_session", None)
        context.call_on_fit_task_end(
            estimator=self,
            reconstruction_attributes=lambda: attributes,
            **arguments,
        )
        return self

    @available_if(takes_streams)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train on the next part of a stream: one pass in the order given, in mini-batches.

        Not for ``solver="lbfgs"``, a `calibration` or a `logit_adjustment`, which need all rows at
        once, or validation rows.

        The optimizer's state is kept between calls, so that with a fixed ``batch_size``, a numeric
        ``learning_rate`` and a "constant" or "invscaling" schedule the calls equal the same batches
        inside ``fit`` with ``shuffle=False``. With ``learning_rate="auto"`` the features' means and scales
        are those of all rows seen so far. A stream has no end: "linear" and "cosine" schedules
        become "invscaling", and "adaptive" is "constant". Parameters may be changed between calls;
        another loss, solver or format of X starts from the weights reached, with a new optimizer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows of this part.
        y : array-like of shape (n_samples,) or float array of shape (n_samples, n_classes)
            Their labels or class probabilities.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        self : object
            The estimator after this part.
        """
        first = not hasattr(self, "classes_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        with self._unchanged_on_failure(), one_blas_thread():
            return self._partial_fit(X, y, classes, sample_weight, first)

    def _partial_fit(self, X, y, classes, sample_weight, first):
        known = self.classes_ if classes is None else _validation.known_classes(classes)
        if not first and not np.array_equal(known, self.classes_):
            raise ValueError(f"classes={classes!r} is not the same as on the first call: {self.classes_!r}")
        X = _validation.check_X(self, X, reset=first)
        y = _validation.check_y(y)
        X, y, weights = _validation.positive_rows(X, y, sample_weight, alone=False)
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all labels at once and cannot be used in partial_fit; compute "
                "weights with sklearn.utils.compute_class_weight and pass them as a dict"
            )
        if self.early_stopping is True:
            raise ValueError("early_stopping=True needs all rows at once and cannot be used in partial_fit")
        per_class = _validation.weights_of_classes(self.class_weight, known, y, weights)
        data = _validation.data_for(X, y, weights, known, per_class)
        session = self._session_for(data, len(known))
        W, b = self._start(session, data, known, check_random_state(self.random_state), go_on=not first)
        outcome = _training.train_part(session, data, W, b)
        if not first:
            history = {
                name: (values + outcome.history.get(name, []))[-KEPT_PARTS:]
                for name, values in self.history_.items()
            }
            outcome = outcome._replace(history=history, n_iter=self.n_iter_ + 1)
        self._publish(outcome, self._fitted(outcome.W, outcome.b, known, session))
        self._session = session
        return self

    def _session_for(self, data, n_classes):
        """The session to go on with: a copy, so that a failed part changes nothing.

        It takes over parameters that have been changed since; where the loss, the optimizer, the
        intercept or the format of X are others, a new one starts from the published weights.
        """
        settings = settings_of(self)
        drawn = [getattr(self, name) for name in ("n_sampled", "sampler", "power") if hasattr(self, name)]
        kind = (resolve(self._loss(), n_classes), settings.optimizer, settings.fit_intercept, *drawn)
        self._check_memory(settings, data, n_classes)
        session = copy.deepcopy(vars(self).get("_session")) if hasattr(self, "classes_") else None
        if session is not None and _same(session.kind, kind) and session.is_sparse == sparse.issparse(data.X):
            session.settings = settings
            return session
        session = self._new_session(settings, data, n_classes, hasattr(self, "classes_"))
        session.kind = kind
        return session

    @contextmanager
    def _unchanged_on_failure(self):
        """All attributes as they were, whatever stops a fit and wherever: nothing changes them in place."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            # scikit-learn takes callbacks down after this, and needs what it has noted of them
            noted = {name: value for name, value in vars(self).items() if name in CALLBACK_NOTES}
            self.__dict__ = {**before, **noted}
            raise

    def _start(self, session, data, classes, rng, go_on=False):
        """Published weights to start from: those of the last fit, zero, or class means for cosines."""
        K, d = len(classes), data.X.shape[1]
        if (go_on or self.warm_start) and hasattr(self, "coef_"):
            if not np.array_equal(self.classes_, classes) or self.coef_.shape[1] != d:
                raise ValueError(
                    "going on (warm_start=True or partial_fit) needs the classes and features of the last "
                    f"fit, {len(self.classes_)} classes and {self.coef_.shape[1]} features; got {K} and {d}"
                )
            if hasattr(self, "projection_") != (session.projection is not None):
                raise ValueError(
                    f"rank={self.rank!r} is not that of the last fit, whose weights are of other features; "
                    "keep rank, or start anew with warm_start=False"
                )
            if hasattr(self, "constant_") and isinstance(session.head, Cosine):
                session.head = Cosine(self.constant_)
            W, b = self.coef_.astype(np.float64), np.asarray(self.intercept_, np.float64)
            if len(W) < session.n_classes:  # the difference of two
                W, b = np.vstack([-W, W]) / 2, np.append(-b, b) / 2
            return W, b + session.offset
        if isinstance(session.head, Cosine):
            return class_means(data, K, rng)
        return np.zeros((session.n_classes, d)), np.zeros(session.n_classes)

    def _publish(self, outcome, attributes):
        for name in ("constant_", "calibrator_", "projection_"):
            vars(self).pop(name, None)
        for name, value in attributes.items():
            setattr(self, name, value)
        self.n_iter_ = outcome.n_iter
        self.history_ = outcome.history

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _same(a, b):
    """Equal, and of the same classes: tuples of two classes with the same numbers are equal to Python."""
    if isinstance(a, tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(_same, a, b))
    return type(a) is type(b) and a == b
