"""A learned linear map to few features, as a transformer."""

from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from linclf._data import scale
from linclf._data.labels import check_targets, labels_of
from linclf._data.rows import check_X
from linclf._estimator.declared import Declared, attribute, parameter
from linclf._estimator.suggestions import suggested_parameters
from linclf._training.blas import one_blas_thread
from linclf._training.model import row_blocks
from linclf._types import FloatArray, IntArray, LabelArray, Loss, Matrix, MatrixLike, typed
from linclf.embedding._names import criterion_for
from linclf.embedding._rows import Features, features_of
from linclf.embedding._start import start
from linclf.embedding._train import Rule, train
from linclf.embedding.center import Center
from linclf.embedding.contrastive import NTXent, SupCon
from linclf.optimizers import OPTIMIZERS, Averaged, Optimizer, optimizer_for

COPIED = 2**20  # values of rows that are centred at once
SAMPLE = 2**24  # values from which the start is computed


class LinearEmbedding(Declared, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""A linear map to few features, ``z = A (x - mean_)``, trained by a loss on z.

    Training minimises the mean loss by stochastic gradient steps, where the loss is one of

    - a loss of `linclf.losses`, such as "softmax", "cosface" or "arcface", of a linear classifier on z that
      is trained together with A;
    - "center", the softmax with a pull towards the centre of the class (`Center`);
    - "supcon", the supervised contrastive loss: rows of a class find each other in a batch (`SupCon`);
    - "nt-xent", the contrastive loss of SimCLR on two random views of a row, without labels (`NTXent`).

    Training starts at discriminant directions (of a sample, if X is large), followed by principal axes if
    there are more components than classes less one; without labels it starts at principal axes. The features
    are centred, and divided by their standard deviations, inside. Sparse rows are centred too, without
    becoming dense.

    For "cosface", "arcface" and the other losses on cosines, and for the contrastive losses, only the
    direction of z matters: compare rows by their cosine, or put a ``Normalizer`` after the embedding.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    sklearn.decomposition.PCA : Keeps the variance, without labels.
    sklearn.discriminant_analysis.LinearDiscriminantAnalysis : At most ``n_classes - 1`` components, in
        closed form.
    sklearn.neighbors.NeighborhoodComponentsAnalysis : Trained for nearest neighbours, in time quadratic in
        the rows.

    References
    ----------
    Wen et al., "A discriminative feature learning approach for deep face recognition", 2016. Khosla et al.,
    "Supervised contrastive learning", 2020. Chen et al., "A simple framework for contrastive learning of
    visual representations", 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from linclf import LinearEmbedding
    >>> X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), test_size=0.5, random_state=0)
    >>> for reduce in (PCA(n_components=2), LinearEmbedding(n_components=2, random_state=0)):
    ...     neighbours = make_pipeline(reduce, KNeighborsClassifier()).fit(X, y)
    ...     print(f"{neighbours.score(X_test, y_test):.1f}")
    0.6
    0.7
    """

    n_components: int = parameter(
        default=2,
        constraint=[Interval(Integral, 1, None, closed="left")],
        type="int >= 1",
        description="Number of features of z, at most that of x.",
    )
    loss: str | Loss | Center | NTXent | SupCon = parameter(
        default="softmax",
        constraint="no_validation",
        type="str or loss",
        description="""
        A name in `linclf.losses.LOSSES` or `linclf.embedding.OBJECTIVES`, or an object such as
        ``CosFace(margin=0.2)`` or ``SupCon(temperature=0.2)``.
        """,
    )
    alpha: float = parameter(
        default=1e-4,
        constraint=[Interval(Real, 0, None, closed="left")],
        type="float >= 0",
        description="""
        L2 penalty ``alpha/2 * |W|^2`` added to the mean loss, for the weights of the classifier, if there is
        one, and for ``A * standard deviation``. For losses on cosines it changes only the length of z and,
        through it, the speed of training.
        """,
    )
    standardize: bool = parameter(
        default=True,
        constraint=["boolean"],
        type="bool",
        description="""
        Whether the features are divided by their standard deviations in training; the map stays in the units
        of X. False divides all of them by the root mean square of these, for features of one unit, such as
        pixels: then those that vary more count more for principal axes and for the penalty.
        """,
    )
    solver: str | Optimizer = parameter(
        default="adam",
        constraint=[StrOptions(set(OPTIMIZERS)), *OPTIMIZERS.values(), Averaged],
        type="str or optimizer",
        description="""
        "adam", "rmsprop", "adagrad", "sgd", "momentum", "nesterov", or an object of `linclf.optimizers`. The
        last three need a numeric `learning_rate`.
        """,
    )
    learning_rate: float | Literal["auto"] = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        type='"auto" or float > 0',
        description="""
        Initial step size; it falls linearly to 0. "auto" is that of the optimizer (0.01 for "adam"), for A
        this times the root mean square of its weights at the start. A number is used for all weights, for
        those of A with features of standard deviation 1.
        """,
    )
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        type='"auto" or int >= 1',
        description="""
        Rows per mini-batch, at least 2 for contrastive losses, whose negatives are the other rows of the
        batch; "auto" is 256. An epoch is cut into as few batches as that allows, of equal size up to one row.
        """,
    )
    max_iter: int | Literal["auto"] = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        type='"auto" or int >= 1',
        description="""
        Number of passes over the rows. "auto" makes about 3,000 steps, in 10 to 300 passes.
        """,
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None,
        constraint=["random_state"],
        type="int, RandomState or None",
        description="Seed for the start, for the order of the rows, and for the views of NT-Xent.",
    )
    verbose: int = parameter(
        default=0,
        constraint=["verbose"],
        type="int",
        description="Whether to print a line for each epoch.",
    )
    components_: FloatArray = attribute(
        type="ndarray of shape (n_components, n_features)",
        description="The map A, in the units of X.",
    )
    mean_: FloatArray = attribute(
        type="ndarray of shape (n_features,)",
        description="Means of the features in the training rows.",
    )
    classes_: LabelArray = attribute(
        type="ndarray of shape (n_classes,)",
        description="The labels, sorted. Only for losses that use them.",
    )
    centers_: FloatArray = attribute(
        type="ndarray of shape (n_classes, n_components)",
        description="The centres of the classes. Only for the center loss.",
    )
    n_iter_: int = attribute(type="int", description="Number of epochs.")
    history_: dict[str, list[float]] = attribute(
        type="dict of lists",
        description="""
        Per epoch: "objective" (mean loss of the rows when visited, plus the penalty), "step" and "seconds"
        since the start.
        """,
    )
    n_features_in_: int = attribute(type="int", description="Number of features of x.")
    feature_names_in_: NDArray[np.object_] = attribute(
        type="ndarray of shape (n_features,)",
        description="Names of the features, if X has string column names.",
    )

    def set_params(self, **params: Any) -> Self:
        """Set parameters.

        Parameters
        ----------
        **params : dict
            Parameters and their values.

        Returns
        -------
        self
        """
        suggested_parameters(self, params)
        return super().set_params(**params)

    @typed(_fit_context(prefer_skip_nested_validation=True))
    def fit(self, X: MatrixLike, y: ArrayLike | None = None) -> Self:
        """Learn the map.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows; float32 and float64 are used as they are, float16 and bfloat16 become float32, and
            other types float64.
        y : array-like of shape (n_samples,), default=None
            Class labels, of two classes or more. Not used by "nt-xent".

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are more components than features, fewer than two rows or classes, no class with two rows
            for "supcon", or the data cannot be used.
        TypeError
            If `loss` is neither a name nor a loss.
        """
        before = dict(vars(self))
        try:
            with one_blas_thread():
                return self._fit(X, y)
        except BaseException:
            self.__dict__ = before  # pyright: ignore[reportAttributeAccessIssue]
            raise

    def _fit(self, X: MatrixLike, y: ArrayLike | None) -> Self:
        criterion, rng = criterion_for(self.loss), check_random_state(self.random_state)
        rows = self._checked(X, reset=True)
        rule = self._rule(criterion.least_batch)
        classes, index = self._labels(y, rows) if criterion.needs_labels else (None, None)
        K = 0 if classes is None else len(classes)
        features = features_of(rows, self.standardize)
        V = _started(features, index, K, self.n_components, rng)
        Z = np.concatenate([features.rows(ids).products(V) for ids in _parts(rows)])
        objective = criterion.objective(Z, index, K, rng)
        with np.errstate(over="ignore", invalid="ignore"):  # `train` checks what it has reached
            trained = train(features, objective, V, rule, rng)
        attributes = {
            "components_": (trained.V / features.spread).astype(rows.dtype),
            "mean_": features.mean.astype(rows.dtype),
            "history_": trained.history,
            "n_iter_": len(trained.history["objective"]),
            **objective.attributes(),
        }
        if classes is not None:
            attributes["classes_"] = classes
        kept = {name: value for name, value in vars(self).items() if name not in ("classes_", "centers_")}
        self.__dict__ = kept | attributes  # pyright: ignore[reportAttributeAccessIssue]
        return self

    def transform(self, X: MatrixLike) -> FloatArray:
        """Map rows to z.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_components)
            ``(X - mean_) @ components_.T``.
        """
        check_is_fitted(self)
        rows = self._checked(X, reset=False)
        A, mean = self.components_, self.mean_
        if sparse.issparse(rows):
            return rows @ A.T - A @ mean
        Z = np.empty((len(rows), len(A)), np.result_type(rows, A))
        for part in row_blocks(len(rows), rows.shape[1], COPIED):
            Z[part] = (rows[part] - mean) @ A.T
        return Z

    def _checked(self, X: MatrixLike, reset: bool) -> Matrix:
        rows = check_X(self, X, reset=reset)
        if not scale.is_ordinary(rows):
            scale.check_scale(rows, type(self).__name__, as_it_is=False)
        if reset and self.n_components > rows.shape[1]:
            raise ValueError(
                f"n_components={self.n_components} is more than the features of X, n_features = "
                f"{rows.shape[1]}; use at most as many components as features"
            )
        return rows

    def _rule(self, least_batch: int) -> Rule:
        if self.batch_size != "auto" and self.batch_size < least_batch:
            raise ValueError(
                f"batch_size={self.batch_size} with loss={self.loss!r}, for which the other rows of a batch "
                f"are the negatives; use {least_batch} or more, or 'auto'"
            )
        return Rule(
            optimizer_for(self.solver, False),
            self.learning_rate,
            self.batch_size,
            self.max_iter,
            float(self.alpha),
            self.verbose,
        )

    def _labels(self, y: ArrayLike | None, X: Matrix) -> tuple[LabelArray, IntArray]:
        """The sorted classes, and the index of the class of each row."""
        if y is None:
            raise ValueError(
                f"loss={self.loss!r} requires y to be passed, but the target y is None; pass class labels, "
                "or use loss='nt-xent', which needs none"
            )
        labels = check_targets(labels_of(y))
        check_consistent_length(X, labels)
        classes, index = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"y has one class, {classes.tolist()[0]!r}, and loss={self.loss!r} needs two or more; use "
                "loss='nt-xent', which needs no labels"
            )
        return classes, index

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = not (self.loss == "nt-xent" or isinstance(self.loss, NTXent))
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _started(
    features: Features, index: IntArray | None, n_classes: int, n_components: int, rng: np.random.RandomState
) -> FloatArray:
    """The weights at the start, from a sample of the rows."""
    n = features.X.shape[0]
    per_row = max(1, features.X.size // n)
    ids = np.sort(rng.permutation(n)[: SAMPLE // per_row])
    y = None if index is None else index[ids]
    V = start(features.rows(ids, np.float64), y, n_classes, n_components, rng)
    return np.ascontiguousarray(V, features.X.dtype)


def _parts(X: Matrix) -> list[IntArray]:
    """Row numbers, in parts that may be copied."""
    n, n_features = X.shape
    return [np.arange(n)[part] for part in row_blocks(n, n_features, COPIED)]
