"""Hierarchical softmax: a tree of binary decisions."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from linclf._data.dataset import Dataset
from linclf._data.limits import is_integer
from linclf._estimator.declared import attribute, not_offered, parameter
from linclf._estimator.known import refuse
from linclf._estimator.predicting import Model
from linclf._sources.batches import Batches
from linclf._training.model import LinearModel, decisions, row_blocks
from linclf._types import FloatArray, IntArray, LabelArray, Loss, Matrix, MatrixLike
from linclf.heads import Linear
from linclf.large import _search, _tree
from linclf.large._base import BaseSparseUpdateClassifier, seen_through
from linclf.large._paths import Paths


class HierarchicalSoftmaxClassifier(BaseSparseUpdateClassifier):
    """Softmax as a tree of binary decisions: the cost of a step or of one probability is O(log K).

    Each inner node of a tree over the classes has one score, and

        p(y|x) = prod_{nodes t on the path to y} sigmoid(s_ty f_t),    s_ty = +1 left, -1 right,

    is a true distribution. Training reads and changes only the nodes on the path to the label. The nodes
    are independent logistic regressions, so the model is not the full softmax: its quality depends on
    whether a linear score can separate the classes on the two sides of each node. "huffman" minimises the
    cost and ignores this; codes that put similar classes together take it into account.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    Notes
    -----
    Training visits one row at a time, on one thread; up to 1,024 rows are trained with the full gradient,
    as elsewhere. ``decision_function`` returns the logarithms of the probabilities (for two classes, the log
    odds).

    References
    ----------
    Morin & Bengio, "Hierarchical probabilistic neural network language model", 2005.
    Mikolov et al., "Distributed representations of words and phrases and their compositionality", 2013.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf.large import HierarchicalSoftmaxClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = HierarchicalSoftmaxClassifier(tree=["0", "10", "11"], random_state=0).fit(X, y)
    >>> clf.tree_.depths
    array([1, 2, 2])
    >>> float(clf.score(X, y)) > 0.95
    True
    """

    tree: str | Sequence[Any] | np.ndarray = parameter(
        default="huffman",
        constraint=[StrOptions({"huffman", "balanced"}), "array-like"],
        type='{"huffman", "balanced"} or array-like of codes',
        description="""
        "huffman" has frequent classes near the root, "balanced" cuts the sorted classes in halves. Codes
        give the path to each class, in the order of ``classes_``: strings such as "010" (0 is left), or
        rows of 0 and 1 padded with -1. ``partial_fit`` and ``warm_start`` keep the tree of the first fit.
        """,
    )
    beam_width: int | None = parameter(
        default=None,
        constraint=[Interval(Integral, 1, None, closed="left"), None],
        type="int >= 1 or None",
        description="""
        How `predict` and `predict_topk` search. None computes all probabilities; otherwise only the best
        `beam_width` nodes of each level are followed (1 is greedy), at a cost of ``beam_width * log(K)``
        scores. Probabilities are exact in either case.
        """,
    )
    batch_size: int | Literal["auto"] = not_offered()  # one row at a time
    optimality_gap_: float = not_offered()  # there is none for a tree
    n_jobs: int | None = not_offered()
    on_new_class: str = not_offered()  # the tree is for the classes of the first part
    tree_: _tree.Tree = attribute(
        type="Tree",
        description="""
        The tree, with ``children`` (K - 1, 2), the root first: the number of a node, or K - 1 plus the index
        of a class; and with the ``codes`` and ``depths`` of the classes.
        """,
    )
    coef_: FloatArray = attribute(
        type="ndarray of shape (n_classes - 1, n_features)",
        description="Weights of the nodes. With `rank`, of the projected features.",
    )
    intercept_: FloatArray = attribute(
        type="ndarray of shape (n_classes - 1,)",
        description="Intercepts of the nodes.",
    )

    def _trained_loss(self, data: Dataset, goes_on: bool) -> _tree.Tree:
        return self.tree_ if goes_on and self._has("tree_") else self._grown(data)

    def _grown(self, data: Dataset) -> _tree.Tree:
        n_classes = data.y.n_classes
        if not isinstance(self.tree, str):
            return _tree.tree_of(_tree.from_codes(self.tree, np.arange(n_classes)))
        if self.tree == "balanced":
            return _tree.tree_of(_tree.balanced(n_classes))
        return _tree.tree_of(_tree.huffman(data.y.mass(data.weights)))

    def _sampling(self, loss: Any, n_classes: int) -> Paths:
        return Paths(loss)

    def _published(self, loss: Loss) -> dict:
        return {"tree_": loss}

    # ------------------------------------------------------------ predicting

    def _model(self, attributes: dict) -> Model:
        nodes = LinearModel(attributes["coef_"], attributes["intercept_"], Linear())
        return seen_through(TreeModel(nodes, attributes["tree_"]), attributes.get("projection_"))

    def _probability_of(
        self, model: Model, X: Matrix, index: IntArray, known: FloatArray | None = None
    ) -> FloatArray:
        paths = index.shape[1] * self.tree_.depths.mean()
        all_nodes = paths > len(self.coef_) or not index.size  # they then cost no more
        if self._is_calibrated or all_nodes:
            return super()._probability_of(model, X, index, known)
        self._loss_and_columns(np.zeros((0, len(self.classes_))))  # refuses a new `calibration`
        X, p = self._seen(X), np.empty(index.shape, X.dtype)
        for part in row_blocks(len(index), index.shape[1] * self.tree_.depths.max(), _search.VALUES):
            of = _search.log_probability_of(self.tree_, X[part], self.coef_, self.intercept_, index[part])
            p[part] = np.exp(of)
        return p

    def predict(self, X: MatrixLike | Batches, *, offset: ArrayLike | None = None) -> LabelArray:
        """The most probable class, or the one that a beam of `beam_width` finds.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Rows to classify; Batches only with ``beam_width=None``.
        offset : None
            Refused otherwise: scores are those of nodes, to which no offset of classes can be added.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels from ``classes_``.
        """
        if self.beam_width is None:
            return super().predict(X, offset=offset)
        return self.predict_topk(X, 1, offset=offset)[:, 0]

    def predict_topk(self, X: MatrixLike | Batches, k: int, *, offset: ArrayLike | None = None) -> LabelArray:
        """The k most probable classes, or the best k that a beam of `beam_width` >= k finds.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), or Batches
            Rows to classify; Batches only with ``beam_width=None``.
        k : int in 1 ... n_classes
            Number of classes to return.
        offset : None
            Refused otherwise, as in `predict`.

        Returns
        -------
        labels : ndarray of shape (n_samples, k)
            Labels from ``classes_``, best first.

        Raises
        ------
        ValueError
            If k is not an integer between 1 and the number of classes, or larger than `beam_width`.
        """
        if self.beam_width is None:
            return super().predict_topk(X, k, offset=offset)
        check_is_fitted(self)
        if offset is not None:
            refuse(self, "offset", len(self.classes_))
        if self._is_calibrated:
            raise ValueError(
                f"beam_width={self.beam_width} cannot search by calibrated probabilities, which need all "
                "scores; use beam_width=None"
            )
        most = min(self.beam_width, len(self.classes_))
        if not (is_integer(k) and 1 <= k <= most):
            raise ValueError(
                f"k={k!r} must be an integer between 1 and {most}, the smaller of beam_width and the number "
                "of classes; use a larger beam_width, or None"
            )
        rows = self._seen(self._checked(X, reset=False))
        found = [
            _search.beam(self.tree_, rows[part], self.coef_, self.intercept_, self.beam_width)[0][:, :k]
            for part in row_blocks(rows.shape[0], self.beam_width, _search.VALUES)
        ]
        return self.classes_[np.concatenate(found)]


class TreeModel(NamedTuple):
    """Scores of the nodes of a tree, turned into those of the classes."""

    nodes: LinearModel
    tree: _tree.Tree

    def scores(self, X: Matrix) -> FloatArray:
        return decisions(self.nodes.scores(X), self.tree)

    def laid_out_for(self, X: Matrix) -> Self:
        return self._replace(nodes=self.nodes.laid_out_for(X))
