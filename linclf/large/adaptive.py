"""Softmax in a head of frequent classes and tails of rare ones: each part is a separate softmax."""

from collections.abc import Iterable
from numbers import Real
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions

from linclf._estimator.available import available
from linclf._estimator.callbacks import FitCallbacks
from linclf._estimator.declared import attribute, not_offered, parameter
from linclf._estimator.fitting import Fitting
from linclf._estimator.predicting import Model
from linclf._training import memory
from linclf._training.model import LinearModel
from linclf._training.monitor import Outcome
from linclf._types import FloatArray, IntArray, Matrix, MatrixLike, typed
from linclf.large import _cutoffs
from linclf.large._base import BaseLargeClassifier, seen_through
from linclf.large._clusters import ClusteredModel, Clusters
from linclf.large._parts import Parts


def no_streams(self: Any) -> NoReturn:
    raise AttributeError(
        f"{type(self).__name__} has no partial_fit: the frequent classes are only known when all rows are; "
        "use fit, or SampledSoftmaxClassifier or SoftmaxClassifier for streams"
    )


class AdaptiveSoftmaxClassifier(BaseLargeClassifier):
    """Adaptive softmax: frequent classes learn from every row, rare ones only from the rows of their tail.

    The classes are sorted by their number of training rows and cut into a head and tails. With
    ``h(.|x)`` the softmax over the classes of the head and one output for each tail, and ``t_c`` that
    over the classes of tail c,

        p(y|x) = h(y|x) in the head,    p(y|x) = h(tail c|x) * t_c(y|x) in tail c,

    is a true distribution with exact probabilities. Training minimises ``-mean(log p(y|x)) + alpha/2 |W|^2``,
    with W the weights of all parts. This objective separates: the head is a softmax problem with all rows,
    and each tail is one with its own few rows. So each part is trained like a `SoftmaxClassifier`. Without
    tails, as with 1,000 classes or fewer, this is `SoftmaxClassifier`.

    A tail is only one linear score in the head, so the model is not the full softmax. It works well if
    frequencies differ much, as in natural language, and can be far worse if they do not.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    Notes
    -----
    With tails, the scores of ``decision_function`` are the logarithms of the probabilities. ``max_iter`` and
    ``batch_size`` apply to each part; "auto" is the value for one softmax of all rows, but if that has
    mini-batches, a small tail has at least four. Each part stops on its own, according to its validation
    rows. Callbacks see the epochs of the head, then of each tail, with the current state of the whole model
    (parts that are not trained yet have zero weights); a callback that asks to stop ends the current part.
    With ``warm_start=True`` the clusters are those of the last fit, even if `cutoffs` or the frequencies
    have changed.

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
    >>> clf.head_.W.shape, [tail.W.shape for tail in clf.tails_]
    ((7, 16), [(15, 16), (20, 16)])
    >>> bool(np.allclose(clf.predict_proba(X).sum(axis=1), 1)), bool(clf.score(X, y) > 0.9)
    (True, True)
    """

    cutoffs: Literal["auto"] | Iterable[int] = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), "array-like"],
        type='"auto" or list of int',
        description="""
        Increasing ranks in the order of frequency, each between 1 and n_classes - 1: the head has the
        ``cutoffs[0]`` most frequent classes, and a tail begins at each cut-off. "auto" chooses up to three
        that need the fewest multiplications per row, with at least half of the rows in the head. It chooses
        none if they save less than a factor of 1.3 over the full softmax, or for 1,000 classes or fewer.
        A tail of one class joins the part before it.
        """,
    )
    reduction: float | None = parameter(
        default=None,
        constraint=[Interval(Real, 1, None, closed="neither"), None],
        type="float > 1 or None",
        description="""
        Tail c = 1, 2, ... sees ``n_features / reduction**c`` features (at least 1): the directions in
        which the means of its classes differ most. It is then faster and has fewer weights.
        """,
    )
    rank: int | None = parameter(
        default=None,
        description="""
        As for `SampledSoftmaxClassifier`: head and tails see at most `rank` directions of the features.
        """,
    )
    on_new_class: str = not_offered()  # it has no partial_fit
    alpha: float = parameter(
        default=1e-8,
        description="L2 penalty ``alpha/2 |W|^2`` on the mean loss. Intercepts are not penalised.",
    )
    cutoffs_: IntArray = attribute(
        type="ndarray of shape (n_tails,)",
        description="Ranks at which the tails begin; empty without tails.",
    )
    order_: IntArray = attribute(
        type="ndarray of shape (n_classes,)",
        description="Indices into ``classes_``, by decreasing frequency (the sum of the sample weights).",
    )
    head_: LinearModel = attribute(
        type="LinearModel",
        description="""
        Weights ``W`` and intercepts ``b``, fitted on all rows; its outputs are the ranks
        ``0 ... cutoffs_[0] - 1``, then one for each tail. For two outputs, only their difference is stored.
        Only with tails.
        """,
    )
    tails_: list[LinearModel] = attribute(
        type="list of LinearModel",
        description="""
        Tail c is fitted on its rows; its outputs are the ranks from ``cutoffs_[c]`` on.
        """,
    )
    projections_: list[np.ndarray | None] = attribute(
        type="list of ndarray of shape (n_features, n_reduced) or None",
        description="""
        Matrices by which the rows are multiplied before each tail; None if it sees the features. Only
        with tails.
        """,
    )
    coef_: FloatArray = attribute(
        description="""
        Weights, as in `SoftmaxClassifier`. Only without tails, as otherwise each part has its own.
        """
    )
    intercept_: FloatArray = attribute(description="Intercepts. Only without tails.")
    history_: dict[str, list[float]] = attribute(
        description="""
        Per epoch: "objective" and, with early stopping, "validation_loss" of the whole model (but no
        "validation_score"), to which a part that has ended contributes its last value; "seconds" of all
        parts; and "step" or "gradient_norm" of the head.
        """
    )
    n_iter_: int = attribute(description="Number of epochs of the part that has run longest.")
    projection_: FloatArray = attribute(
        description="If `rank` is not None: head and tails see ``X @ projection_.T``."
    )

    @typed(available(no_streams))
    def partial_fit(
        self,
        X: MatrixLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        offset: ArrayLike | None = None,
        **not_offered: Any,
    ) -> NoReturn:
        """Not available: the frequent classes are only known when all rows are."""
        no_streams(self)

    # ------------------------------------------------------------ fitting

    _soft_as_copies = False
    _not_always = (*BaseLargeClassifier._not_always, "coef_", "intercept_", "head_", "projections_")

    def _trained(self, fitting: Fitting) -> tuple[Outcome, dict, FitCallbacks]:
        reached = self._model_of_parts(vars(self)) if self.warm_start and self._has("head_") else None
        clusters = self._clusters(fitting)
        if not len(clusters.cutoffs):
            nothing = {"order_": clusters.order, "cutoffs_": clusters.cutoffs, "tails_": []}
            return super()._trained(fitting.with_data(fitting.data, fitting.held_out, nothing))
        if self.reduction is None:  # else tails need far less
            memory.check(fitting.solver, self._loss(), fitting.data, [False, reached is not None])
        parts = Parts(fitting, clusters, reached, self.reduction)
        callbacks = FitCallbacks(self, fitting.arguments, lambda _: parts.attributes())
        parts.train(callbacks)
        return parts.outcome(), parts.attributes(), callbacks

    def _clusters(self, fitting: Fitting) -> Clusters:
        if self.warm_start and self._has("classes_"):
            known, d = self.head_.W if len(self.cutoffs_) else self.coef_, fitting.data.X.shape[1]
            if not np.array_equal(self.classes_, fitting.classes) or known.shape[1] != d:
                raise ValueError(
                    "continuing (warm_start=True) needs the classes and features of the last fit, "
                    f"{len(self.classes_)} classes and {known.shape[1]} features; got {len(fitting.classes)} "
                    f"and {d}"
                )
            return Clusters(self.order_, self.cutoffs_)
        frequencies, per_class = fitting.mass, fitting.per_class
        if per_class is not None:  # classes that are not trained are the rarest
            frequencies = np.where(per_class > 0, frequencies, 0)
        order = np.argsort(-frequencies, kind="stable")
        return Clusters(order, self._cutoffs(frequencies[order]))

    def _cutoffs(self, frequencies: FloatArray) -> IntArray:
        """Ranks at which the tails begin, for sorted frequencies."""
        if isinstance(self.cutoffs, str):
            chosen = _cutoffs.automatic(frequencies, 1 / (self.reduction or 1))
        else:
            chosen = _cutoffs.checked(self.cutoffs, len(frequencies))
        return np.array(_cutoffs.merged(chosen, frequencies), np.int64)

    # ------------------------------------------------------------ predicting

    def _model_of_parts(self, attributes: dict) -> ClusteredModel:
        clusters = Clusters(attributes["order_"], attributes["cutoffs_"])
        parts = [attributes["head_"], *attributes["tails_"]]
        return ClusteredModel(clusters, parts, attributes["projections_"])

    def _model(self, attributes: dict) -> Model:
        """The model; with tails, its scores are logarithms of the probabilities."""
        if not len(attributes["cutoffs_"]):
            return super()._model(attributes)
        return seen_through(self._model_of_parts(attributes), attributes.get("projection_"))

    def _probability_of(
        self, model: Model, X: Matrix, index: IntArray, known: FloatArray | None = None
    ) -> FloatArray:
        if not len(self.cutoffs_) or self._is_calibrated:
            return super()._probability_of(model, X, index, known)
        self._loss_and_columns(np.zeros((0, len(self.classes_))))  # refuses a new `calibration`
        return np.exp(self._model_of_parts(vars(self)).scores_of(self._seen(X), index))
