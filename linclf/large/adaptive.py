"""Softmax in a head of frequent classes and tails of rare ones: each part is a `SoftmaxClassifier`."""

import copy
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from linclf._data import validation as _validation
from linclf._data.dataset import Data
from linclf._estimator.calibrated import checked_calibrator, fitted_calibrator
from linclf._estimator.declared import attribute, parameter
from linclf._estimator.settings import settings_of
from linclf._training.train import Outcome
from linclf.classifiers import SoftmaxClassifier
from linclf.large import _cutoffs
from linclf.large._base import BaseLargeClassifier
from linclf.large._cutoffs import Clusters, Epochs, Parts, laid_out, log_probabilities, projected


def no_streams(self):
    raise AttributeError(
        f"{type(self).__name__} has no partial_fit: which classes are frequent is known when all rows are; "
        "use fit, or SampledSoftmaxClassifier or SoftmaxClassifier for streams"
    )


class AdaptiveSoftmaxClassifier(BaseLargeClassifier):
    """Adaptive softmax: frequent classes are scored for every row, rare ones only where they may be.

    The classes are sorted by how many training rows they have and cut into a head and tails. With
    ``h(.|x)`` the softmax over the classes of the head and one output for each tail, and ``t_c`` that
    over the classes of tail c,

        p(y|x) = h(y|x) in the head,    p(y|x) = h(tail c|x) * t_c(y|x) in tail c,

    a true distribution with exact probabilities. ``-mean(log p(y|x)) + alpha/2 |W|^2``, W the weights
    of all parts, is minimised. It separates: the head is a softmax problem of all rows, and each tail
    one of its own rows, which are few. So each part is fitted as a `SoftmaxClassifier`. Without tails,
    as with 1,000 classes or fewer, this is `SoftmaxClassifier`.

    A tail is one linear score in the head, so the model is another one than the full softmax: it fits
    where frequencies differ much, as in natural language, and can be far worse where they do not.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    Notes
    -----
    With tails the scores of ``decision_function`` are the logarithms of the probabilities. ``max_iter`` and
    ``batch_size`` are those of each part, "auto" as for all rows in one softmax; where that has
    mini-batches, a small tail has four at least. Each part stops by itself, by the validation rows that
    belong to it. Callbacks see the epochs of the head, then of each tail, with the whole as it is then
    (parts still to come have zero weights); one that asks to stop ends the part in training. With
    ``warm_start=True`` the clusters stay those of the last fit, whatever `cutoffs` is and however
    frequencies change.

    References
    ----------
    Grave et al., "Efficient softmax approximation for GPUs", 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.large import AdaptiveSoftmaxClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.minimum(rng.zipf(1.5, 2000), 40)  # class 1 is the most frequent
    >>> X = rng.normal(size=(40, 16))[y - 1] + 0.3 * rng.normal(size=(2000, 16))
    >>> clf = AdaptiveSoftmaxClassifier(cutoffs=[5, 20], random_state=0).fit(X, y)
    >>> clf.head_.coef_.shape, [tail.coef_.shape for tail in clf.tails_]
    ((7, 16), [(15, 16), (20, 16)])
    >>> bool(np.allclose(clf.predict_proba(X).sum(axis=1), 1)), bool(clf.score(X, y) > 0.9)
    (True, True)
    """

    cutoffs: Any = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), "array-like"],
        type='"auto" or list of int',
        description="""
        Ranks in the order of frequency, increasing, each between 1 and n_classes - 1: the head has
        the ``cutoffs[0]`` most frequent classes, and a tail begins at each. "auto" are up to three
        that need the fewest multiplications for a row while half of the rows are in the head, or none,
        where that is not 1.3 times fewer than for the full softmax or there are 1,000 classes or fewer.
        A tail of one class joins the part before it.
        """,
    )
    reduction: float | None = parameter(
        default=None,
        constraint=[Interval(Real, 1, None, closed="neither"), None],
        type="float > 1 or None",
        description="""
        Tail c = 1, 2, ... sees ``n_features / reduction**c`` features (1 at least): the directions in
        which the means of its classes differ most. It is then faster and has fewer weights.
        """,
    )
    rank: int | None = parameter(
        default=None,
        description="""
        As for `SampledSoftmaxClassifier`: head and tails see at most `rank` directions of the features.
        """,
    )
    alpha: float = parameter(
        default=1e-8,
        description="L2 penalty ``alpha/2 |W|^2`` on the mean loss. Intercepts are not penalised.",
    )
    cutoffs_: np.ndarray = attribute(
        type="ndarray of shape (n_tails,)",
        description="Ranks at which the tails begin; empty where there is none.",
    )
    order_: np.ndarray = attribute(
        type="ndarray of shape (n_classes,)",
        description="Indices into ``classes_``, by decreasing frequency (the sum of the sample weights).",
    )
    head_: SoftmaxClassifier = attribute(
        type="SoftmaxClassifier",
        description="""
        Fitted on all rows; its classes are the ranks ``0 ... cutoffs_[0] - 1``, then one for each
        tail. Only with tails.
        """,
    )
    tails_: list[SoftmaxClassifier] = attribute(
        type="list of SoftmaxClassifier",
        description="""
        Tail c is fitted on its rows; its classes are ranks from ``cutoffs_[c]`` on, counted from 0.
        """,
    )
    projections_: list[np.ndarray | None] = attribute(
        type="list of ndarray of shape (n_features, n_reduced) or None",
        description="""
        What the rows are multiplied with before a tail; None where it sees the features. Only with
        tails.
        """,
    )
    coef_: np.ndarray = attribute(
        description="""
        Weights, as of `SoftmaxClassifier`; only without tails: with them, each part has its own.
        """
    )
    intercept_: np.ndarray = attribute(description="Intercepts, only without tails.")
    history_: dict[str, list[Any]] = attribute(
        description="""
        Per epoch: "objective", of the whole, with early stopping "validation_loss" (but no
        "validation_score"), where a part that has ended counts with its last value; "seconds", of all
        parts; and "step" or "gradient_norm" of the head. The parts have theirs.
        """
    )
    n_iter_: int = attribute(description="Epochs of the part that has made the most.")
    projection_: np.ndarray = attribute(
        description="Where `rank` is not None: what head and tails see is ``X @ projection_.T``."
    )

    @available_if(no_streams)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Not available: which classes are frequent is known when all rows are."""

    # ------------------------------------------------------------ fitting

    def _fit(self, X, y, sample_weight, X_val, y_val, sample_weight_val):
        rows, y = _validation.check_X(self, X, reset=True), _validation.check_y(y)
        rows, targets, weights = _validation.positive_rows(rows, y, sample_weight)
        classes = _validation.classes_of(targets)
        per_class = _validation.weights_of_classes(self.class_weight, classes, targets, weights)
        clusters = self._clusters(rows, targets, weights, classes, per_class)
        if not len(clusters.cutoffs):
            super()._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)
            self.order_ = clusters.order
            return self
        settings, rng = settings_of(self), check_random_state(self.random_state)
        calibrator = checked_calibrator(self.calibration, self._loss(), per_class, classes)
        held_out = _validation.given_validation(self, X_val, y_val, sample_weight_val)
        data = _validation.data_for(rows, targets, weights, classes, per_class)
        if held_out is not None:
            held_out = _validation.data_for(*held_out, classes, per_class)
        elif self.early_stopping is True:
            data, held_out = _validation.split(data, self.validation_fraction, rng)
            data = Data(data.X[data.rows], data.y[data.rows], data.weights[data.rows])
        elif calibrator is not None:
            raise ValueError(
                f"calibration={self.calibration!r} needs validation rows to be fitted on; pass X_val and "
                "y_val to fit, or use early_stopping=True"
            )
        labels = classes[data.y if data.y.ndim == 1 else data.y.argmax(axis=1)]
        metadata = None if sample_weight is None else {"sample_weight": data.weights}
        arguments = {"X": data.X, "y": labels, "metadata": metadata}
        data, held_out, projection = self._adapted(data, held_out, len(classes))
        if self.reduction is None:  # else tails need far less
            self._check_memory(settings, data, len(classes))
        parts = Parts(self, clusters, data, projection, None if self.early_stopping is False else held_out)
        epochs = parts.epochs(settings)
        context = self._init_callback_context(max_subtasks=epochs * (1 + len(clusters.cutoffs)))
        context.call_on_fit_task_begin(estimator=self, **arguments)
        watched = hasattr(self, "_skl_callbacks")
        relay = Epochs(self, context, arguments, parts, classes) if watched else None
        parts.fit(epochs, rng, relay)
        attributes = {"classes_": classes, **parts.attributes()}
        if calibrator is not None:
            scores = clusters.log_probabilities(held_out.X, parts.models, parts.projections)
            attributes["calibrator_"] = fitted_calibrator(calibrator, scores, held_out, per_class, classes)
        n_iter = max(model.n_iter_ for model in parts.models)
        self._publish(Outcome(None, None, parts.history(n_iter), n_iter), attributes)
        context.call_on_fit_task_end(
            estimator=self, reconstruction_attributes=lambda: attributes, **arguments
        )
        return self

    _soft_as_copies = False

    def _clusters(self, X, y, weights, classes, per_class):
        if self.warm_start and hasattr(self, "classes_"):
            known = self.head_.coef_ if len(self.cutoffs_) else self.coef_
            known = getattr(self, "projection_", known)
            if not np.array_equal(self.classes_, classes) or known.shape[1] != X.shape[1]:
                raise ValueError(
                    "going on (warm_start=True) needs the classes and features of the last fit, "
                    f"{len(self.classes_)} classes and {known.shape[1]} features; got {len(classes)} and "
                    f"{X.shape[1]}"
                )
            return Clusters(self.order_, self.cutoffs_)
        index = _validation.encode(y, classes)
        frequencies = weights @ y if y.ndim == 2 else np.bincount(index, weights, len(classes))
        if per_class is not None:  # a class that is not trained on is the rarest
            frequencies = np.where(per_class > 0, frequencies, 0)
        order = np.argsort(-frequencies, kind="stable")
        return Clusters(order, self._cutoffs(frequencies[order]))

    def _cutoffs(self, frequencies):
        """Ranks at which the tails begin, for sorted frequencies."""
        if isinstance(self.cutoffs, str):
            chosen = _cutoffs.automatic(frequencies, 1 / (self.reduction or 1))
        else:
            chosen = _cutoffs.checked(self.cutoffs, len(frequencies))
        return np.array(_cutoffs.merged(chosen, frequencies), np.int64)

    def _fitted(self, W, b, classes, session):
        """Without tails."""
        nothing = {"cutoffs_": np.zeros(0, np.int64), "tails_": []}
        return super()._fitted(W, b, classes, session) | nothing

    def _publish(self, outcome, attributes):
        for name in ("coef_", "intercept_", "head_", "projections_"):
            vars(self).pop(name, None)
        super()._publish(outcome, attributes)

    # ------------------------------------------------------------ predicting

    def _scores(self, rows):
        """Logarithms of the probabilities; without tails, scores."""
        if not len(self.cutoffs_):
            return super()._scores(rows)
        clusters = Clusters(self.order_, self.cutoffs_)
        return clusters.log_probabilities(self._features(rows), [self.head_, *self.tails_], self.projections_)

    def _probability_of(self, rows, index):
        """The tails are scored for the rows that ask for a class of them."""
        if not len(self.cutoffs_) or hasattr(self, "calibrator_"):
            return super()._probability_of(rows, index)
        clusters = Clusters(self.order_, self.cutoffs_)
        rows, ranks, first = self._features(rows), clusters.ranks[index], clusters.cutoffs[0]
        self._loss_and_columns(np.zeros((0, len(ranks))))  # refuses where `calibration` is new
        head = log_probabilities(self.head_, rows)
        log_p = np.take_along_axis(head, np.minimum(ranks, first - 1), axis=1)
        for c, (start, end) in enumerate(clusters.edges):
            here = (ranks >= start) & (ranks < end)
            asked = np.flatnonzero(here.any(axis=1))
            if not asked.size:
                continue
            tail = log_probabilities(self.tails_[c], projected(rows[asked], self.projections_[c]))
            tail += head[asked, first + c, None]
            found = np.take_along_axis(tail, np.clip(ranks[asked] - start, 0, end - start - 1), axis=1)
            log_p[asked] = np.where(here[asked], found, log_p[asked])
        return np.exp(log_p)

    def _blocks(self, rows, limit):
        blocks, model = super()._blocks(rows, limit)
        if len(blocks) > 1 and len(self.cutoffs_) and sparse.issparse(rows):
            model = copy.copy(self)
            model.head_ = laid_out(self.head_, rows)
            pairs = zip(self.tails_, self.projections_, strict=True)
            model.tails_ = [laid_out(tail, rows) if P is None else tail for tail, P in pairs]
        return blocks, model
