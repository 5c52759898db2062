"""The abstract base of all classifiers: scikit-learn's conventions around `linclf._training.train`."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils import Tags

from linclf._estimator.available import available, takes_streams
from linclf._estimator.calibrated import fitted_calibrator
from linclf._estimator.callbacks import FitCallbacks
from linclf._estimator.described import Described
from linclf._estimator.fitting import Fitting, Given, fitting_of, part_of, rows_of
from linclf._estimator.from_batches import fitting_of_batches
from linclf._estimator.known import Known, refuse_in_streams
from linclf._estimator.learnt import FROM_STREAM
from linclf._sources.batches import Batches
from linclf._training import memory
from linclf._training.blas import one_blas_thread
from linclf._training.growing import grow
from linclf._training.model import LinearModel
from linclf._training.monitor import Outcome
from linclf._training.present import revived
from linclf._training.step_rule import StepRule
from linclf._training.stream import Stream, rule_of
from linclf._training.train import outputs_of, train
from linclf._types import Loss, MatrixLike, typed
from linclf.heads import published_head
from linclf.losses._names import watched

CALLBACK_NOTES = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")
KEPT_PARTS = 1000  # parts in the history of a stream, which must not grow for ever


class BaseLinearClassifier(Described):
    """Fitting, shared by all classifiers; a subclass only names its loss."""

    _not_always: ClassVar[tuple[str, ...]] = (
        "constant_",
        "mean_",
        "spread_",
        "calibrator_",
        "optimality_gap_",
    )  # attributes that a fit may lack

    # ------------------------------------------------------------ what a subclass may change

    def _adapted(self, fitting: Fitting) -> Fitting:
        """The fitting, with its rows in the form to train on."""
        return fitting

    def _attributes(self, model: LinearModel, fitting: Fitting) -> dict:
        """The attributes to publish for a model, during training or after it."""
        model = model._replace(b=model.b - fitting.offset)
        if model.n_outputs == len(fitting.classes) == 2:
            model = model.one_of_two()
        model = model.rounded(fitting.dtype)
        published = {"classes_": fitting.classes, "coef_": model.W, "intercept_": model.b}
        return published | model.head.attributes() | fitting.published

    # ------------------------------------------------------------ fitting

    @typed(_fit_context(prefer_skip_nested_validation=True))
    def fit(
        self,
        X: MatrixLike | Batches,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: MatrixLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        offset_val: ArrayLike | None = None,
        coef_init: ArrayLike | None = None,
        intercept_init: ArrayLike | None = None,
        prior: Any = None,
    ) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Training rows; float32 and float64 are used as they are, float16 and bfloat16 become float32, and
            other types float64. `Batches` are read again for each pass, and contain labels and weights.
        y : array-like of shape (n_samples,), float array of shape (n_samples, n_classes), or an indicator
            Class labels, or one row of class probabilities per sample (soft labels). With soft labels the
            classes are 0 ... n_classes - 1 or, for a pandas, polars or Arrow table whose column names are all
            strings, these names, sorted. Integers or bools of shape (n_samples, n_labels), or a sparse matrix
            of 0 and 1, are an indicator: 1 for each label of a row. Only `LinearClassifier` and
            `SVMClassifier`, and their CV forms, take it, for losses that are a sum over the classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; 0 is the same as removing a row, and k as repeating it k times. The classes
            are those of y. If all rows of a class have weight 0, its probability is 0, its score lies below
            the mean of the others, and the other classes are trained as if it did not exist.
        X_val, y_val : array-like, default=None
            Validation set for early stopping, used instead of a part of X. In a Pipeline, X_val
            passes through the same steps as X with ``Pipeline(..., transform_input=["X_val"])``.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation set.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores, which are added to ``W x + b`` in training, in the shape of `decision_function`:
            (n_samples,) for two classes, (n_samples, n_labels) for several labels a row. They are not part of
            the model; pass those of other rows to `predict` and its relatives. Not for losses on cosines,
            ``solver="dual"`` or `Batches`. Stochastic steps start at the best intercepts besides them.
        offset_val : array-like, default=None
            The same for X_val.
        coef_init : array-like of the shape of `coef_`, default=None
            Weights from which training starts; 0 if only the intercepts are given. Exact solvers ignore
            weights with more than twice the objective of intercepts alone, if the loss is convex.
            ``solver="dual"`` has steps in the dual problem, which do not start from weights: it only compares
            them with its result. ``solver="auto"`` takes it for hinges with few rows.
        intercept_init : array-like of the shape of `intercept_`, default=None
            Intercepts from which training starts.
        prior : fitted linear classifier, default=None
            An earlier model with `coef_`, `intercept_` and `classes_`, of linclf or scikit-learn, for the
            classes and features of these rows. The penalty is then ``alpha/2 * |W - W0|^2`` with its
            weights W0, and training starts from these and the best intercepts besides them. With
            ``fit_intercept=False`` its intercepts are kept, and so are all weights of classes whose rows have
            weight 0; otherwise the probability of these is 0, as without a prior. It takes memory for a score
            per row and class.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data cannot be used; the message says why and what to do.
        """
        with self._unchanged_on_failure(), one_blas_thread():
            validation = X_val, y_val, sample_weight_val
            if prior is self:
                prior = copy(prior)  # what it knows of its columns is replaced by those of X
            known = Known(offset, offset_val, coef_init, intercept_init, prior)
            if isinstance(X, Batches):
                known.refuse_without_rows()
                return self._fit(fitting_of_batches(self, X, y, sample_weight, validation))
            rows = rows_of(self, (X, y, sample_weight), offset)
            return self._fit(fitting_of(self, rows, validation, known))

    def _fit(self, fitting: Fitting) -> Self:
        outcome, attributes, callbacks = self._trained(self._adapted(fitting))
        if fitting.calibrator is not None and fitting.held_out is not None:
            model, blocks = self._model(attributes), fitting.held_out.blocks(len(fitting.classes), np.inf)
            scores = np.concatenate([self._scores(model, X) for _, X in blocks])
            known = fitting.held_out.decision_offset
            if known is not None:
                scores += known
            attributes["calibrator_"] = fitted_calibrator(
                fitting.calibrator,
                scores,
                fitting.held_out,
                fitting.per_class,
                fitting.classes,
                fitting.present,
            )
        return self._finish(outcome, attributes, callbacks)

    def _finish(self, outcome: Outcome, attributes: dict, callbacks: FitCallbacks) -> Self:
        """Publish a fit, and notify the callbacks."""
        attributes["solver_"] = outcome.solver
        if outcome.gap is not None:
            attributes["optimality_gap_"] = outcome.gap
        self._publish(outcome.history, outcome.n_iter, attributes, gone=("_stream",))
        callbacks.finish(attributes)
        return self

    def _trained(self, fitting: Fitting) -> tuple[Outcome, dict, FitCallbacks]:
        """The trained model, the attributes to publish, and the callbacks that saw the training."""
        loss = self._trained_loss(fitting.data, self.warm_start)
        start = self._reached(fitting, loss) if self.warm_start else fitting.start
        if self.warm_start and start is not None and fitting.prior is None:
            self._refuse_intercepts(start, loss)
        return self._trained_from(start, fitting, loss)

    def _trained_from(
        self, start: LinearModel | None, fitting: Fitting, loss: Loss
    ) -> tuple[Outcome, dict, FitCallbacks]:
        fitting = fitting.with_data(fitting.data, fitting.held_out, self._published(loss))
        if self.has_callbacks:  # they see copies of this estimator, with the attributes of this fit only
            for name in self._not_always:
                vars(self).pop(name, None)
        callbacks = FitCallbacks(self, fitting.arguments, lambda model: self._attributes(model, fitting))
        outcome = train(
            fitting.data,
            loss,
            fitting.solver,
            fitting.settings,
            start=start,
            validation=fitting.validation(watched(loss)),
            sampling=self._sampling(loss, len(fitting.classes)),
            callbacks=callbacks,
            spread=fitting.spread,
            shards=fitting.shards,
            prior=fitting.prior,
            rng=fitting.rng,
        )
        return outcome, self._attributes(outcome.model, fitting), callbacks

    @typed(available(takes_streams))
    @typed(_fit_context(prefer_skip_nested_validation=True))
    def partial_fit(
        self,
        X: MatrixLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        **not_offered: Any,
    ) -> Self:
        """Train on the next part of a stream: one pass in the order given, in mini-batches.

        Not available with a `penalty` other than "l2", ``solver="newton"``, "lbfgs" or "dual", `calibration`,
        `logit_adjustment`, ``early_stopping=True`` or ``standardize=True``, which need all rows at once, or
        validation rows.

        The state of the optimizer is kept between calls. With a fixed ``batch_size``, a numeric
        ``learning_rate`` and a "constant" or "invscaling" schedule, the calls are therefore equivalent to the
        same batches in ``fit`` with ``shuffle=False``. With ``learning_rate="auto"``, the means and scales of
        the features are those of all rows seen so far. As a stream has no end, "linear" and "cosine"
        schedules become "invscaling", and "adaptive" becomes "constant".

        Parameters may be changed between calls. A new loss, solver or format of X, or a change of
        `learning_rate` between a number and "auto", keeps the weights but starts a new optimizer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows of this part.
        y : array-like of shape (n_samples,), float array of shape (n_samples, n_classes), or an indicator
            Their labels, class probabilities, or a column for each of several labels, as in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever occur; required in the first call. With ``on_new_class="add"``, labels
            of y that are new become classes in any call, and `classes` may be left out, or name some classes
            to start with. For an indicator it may be left out, as the classes are the numbers of its columns.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), default=None
            Known scores of these rows, as in `fit`; None adds nothing. With new classes they have a column
            for each class after this part. Steps start at 0, not at the best intercepts besides them.
        **not_offered : dict
            Other arguments of `fit` are refused, with an error that says what to do instead.

        Returns
        -------
        self : object
            The estimator after this part.

        Raises
        ------
        ValueError
            If y has labels that are not in `classes` without ``on_new_class="add"``, or the data cannot be
            used.
        TypeError
            If another argument of `fit` is given.
        """
        refuse_in_streams(not_offered)
        with self._unchanged_on_failure(), one_blas_thread():
            return self._partial_fit((X, y, sample_weight), classes, offset)

    def _partial_fit(self, given: Given, classes: ArrayLike | None, offset: ArrayLike | None) -> Self:
        first = not self._has("classes_")
        fitting = part_of(self, given, classes, first, offset)
        data, rule = fitting.data, rule_of(fitting.solver)
        loss = self._trained_loss(data, not first)
        stream, start = self._stream_for(fitting, loss, rule, first)
        history, n_iter = stream.train(data, start, fitting.rng), 1
        if not first:
            history = {
                name: (values + history.get(name, []))[-KEPT_PARTS:] for name, values in self.history_.items()
            }
            n_iter = self.n_iter_ + 1
        attributes = {"classes_": fitting.classes} | stream.head.attributes() | self._published(stream.loss)
        attributes |= fitting.published | {"_stream": stream}
        self._publish(history, n_iter, attributes, gone=FROM_STREAM)
        return self

    def _stream_for(
        self, fitting: Fitting, loss: Loss, rule: StepRule, first: bool
    ) -> tuple[Stream, LinearModel | None]:
        """The successor of the present stream, which is left unchanged, or a new stream and its start.

        A successor adopts parameters that have changed in between. If the loss, the optimizer, the
        intercept or the format of X has changed, a new stream starts from the published weights.
        """
        settings, data, growth = fitting.settings, fitting.data, fitting.growth
        kept = rule.optimizer, rule.automatic, settings.fit_intercept, *self._stream_key()
        key = self._loss_for(data.y, len(fitting.classes)), *kept
        stream = None if first else vars(self).get("_stream")
        if stream is not None and stream.continues((self._loss_for(data.y, stream.n_classes), *kept), data):
            if stream.copied_next or growth is not None:
                memory.check(fitting.solver, loss, data, [False, growth is not None])
            stream = stream.successor(rule, settings)
            if growth is not None:
                grow(stream, growth, loss, key, data, fitting.rng)
            return stream, None
        memory.check(fitting.solver, loss, data, [False, not first])
        start = None if first else self._reached(fitting, loss)
        if start is not None and growth is not None:
            start = growth.model(start, data, fitting.rng)
        sampling = self._sampling(loss, len(fitting.classes))
        if start is not None:
            self._refuse_intercepts(start, loss)
        return Stream(data, loss, rule, settings, start, sampling, key), start

    def _refuse_intercepts(self, start: LinearModel, loss: Loss) -> None:
        """Refuse to continue without the intercepts of the last fit, such as those of a prior."""
        if self.fit_intercept or self._sampling(loss, len(start.b)) is not None:
            return
        if start.head.equivariant and start.b.any():
            raise ValueError(
                f"the last fit has intercepts that reach {np.abs(start.b).max():.3g}, and continuing "
                "(warm_start=True or partial_fit) with fit_intercept=False would forget them; use "
                "fit_intercept=True, pass the prior again if they are from one, or start anew with "
                "warm_start=False"
            )

    @contextmanager
    def _unchanged_on_failure(self) -> Iterator[None]:
        """Restore all attributes if a fit fails, wherever it does; nothing changes them in place."""
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            # scikit-learn tears the callbacks down after this, and needs its notes about them
            noted = {name: value for name, value in vars(self).items() if name in CALLBACK_NOTES}
            self._set_attributes({**before, **noted})
            raise

    def _reached(self, fitting: Fitting, loss: Loss) -> LinearModel | None:
        """The model of the last fit, if there is one, from which training continues."""
        if not hasattr(self, "coef_"):
            return None
        classes, d = fitting.classes, fitting.data.X.shape[1]
        if fitting.growth is not None:
            classes = classes[fitting.growth.kept]
        K = len(classes)
        if not np.array_equal(self.classes_, classes) or self.coef_.shape[1] != d:
            last, now = (", ".join(map(str, some[:5].tolist())) for some in (self.classes_, classes))
            raise ValueError(
                "continuing (warm_start=True or partial_fit) needs the classes and features of the last "
                f"fit, {len(self.classes_)} classes ({last}) and {self.coef_.shape[1]} features; "
                f"got {K} ({now}) and {d}"
            )
        # weights are not converted: memory for float64 copies is checked later
        b = np.asarray(self.intercept_, np.float64)
        model = LinearModel(self.coef_, b, published_head(vars(self)))
        if len(model.W) < outputs_of(loss, K):
            model = model.two_of_one()
        return revived(model._replace(b=model.b + fitting.offset))

    def _publish(
        self, history: dict[str, list[float]], n_iter: int, attributes: dict, gone: tuple[str, ...]
    ) -> None:
        """Replace all attributes at once, as other threads may be predicting."""
        gone = (*self._not_always, *gone)
        kept = {name: value for name, value in vars(self).items() if name not in gone}
        self._set_attributes({**kept, **attributes, "n_iter_": n_iter, "history_": history})

    def _set_attributes(self, attributes: dict[str, Any]) -> None:
        self.__dict__ = attributes  # pyright: ignore[reportAttributeAccessIssue, reportGeneralTypeIssues]

    def __getstate__(self) -> dict[str, Any]:
        """All attributes, including those not computed yet, for copies and files."""
        return cast(dict[str, Any], super().__getstate__()) | self._learnt(lend=True)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
