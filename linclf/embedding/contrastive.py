"""Contrastive losses: each row has to pick its partners out of the batch."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.utils._param_validation import Interval

from linclf._types import FloatArray, IntArray
from linclf.embedding._classified import along_sphere, normalised
from linclf.embedding._objective import Plain
from linclf.embedding._rows import Rows
from linclf.functional import log_softmax, nt_xent

_TEMPERATURE = Interval(Real, 0, None, closed="neither")


class NTXent(NamedTuple):
    r"""NT-Xent, the loss of SimCLR, on two random views of each row; labels are not used.

    A view drops a share of the features: in dense rows they get their means, and in sparse rows stored values
    become 0. Each view has to pick the other view of its row out of all views of the batch, by cosine:
    `linclf.functional.nt_xent`.

    Parameters
    ----------
    temperature : float > 0, default=0.5
        Divisor of the cosines.
    dropout : float in (0, 1), default=0.2
        Probability with which each feature is dropped.

    References
    ----------
    Chen et al., "A simple framework for contrastive learning of visual representations", 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from linclf import LinearEmbedding
    >>> from linclf.embedding import NTXent
    >>> X, _ = load_digits(return_X_y=True)
    >>> LinearEmbedding(n_components=8, loss=NTXent(dropout=0.3), random_state=0).fit_transform(X).shape
    (1797, 8)
    """

    temperature: float = 0.5
    dropout: float = 0.2
    limits = {"temperature": _TEMPERATURE, "dropout": Interval(Real, 0, 1, closed="neither")}
    needs_labels = False
    least_batch = 2

    def objective(self, Z: FloatArray, y: IntArray, n_classes: int, rng: np.random.RandomState) -> "TwoViews":
        return TwoViews(self, Z)


class TwoViews(Plain):
    def __init__(self, loss: NTXent, Z: FloatArray) -> None:
        if len(Z) < 2:
            raise ValueError(f"loss={loss!r} needs two rows or more, and X has n_samples = {len(Z)}")
        super().__init__(len(Z), Z.dtype)
        self.loss = loss

    def views(self, rows: Rows, rng: np.random.RandomState) -> Rows:
        return rows.dropped_twice(self.loss.dropout, rng)

    def gradient(self, Z: FloatArray, ids: IntArray) -> tuple[float, FloatArray, FloatArray]:
        n = len(ids)
        value, (first, second) = nt_xent(Z[:n], Z[n:], self.loss.temperature)
        return value, np.concatenate([first, second]), self.head


class SupCon(NamedTuple):
    r"""The supervised contrastive loss, with the sum over the partners outside of the logarithm.

    For cosines ``c_ij`` of the rows of a batch, the partners ``P(i)`` of row i are the other rows of its
    class: ``mean_i mean_{p in P(i)} -log(exp(c_ip / T) / sum_{j != i} exp(c_ij / T))``. The mean over i is
    that of the rows that have a partner. Batches are filled with pairs of rows of a class, so that rows of
    rare classes have one.

    Parameters
    ----------
    temperature : float > 0, default=0.2
        Divisor of the cosines.

    References
    ----------
    Khosla et al., "Supervised contrastive learning", 2020, equation 2.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from linclf import LinearEmbedding
    >>> from linclf.embedding import SupCon
    >>> X, y = load_digits(return_X_y=True)
    >>> embedding = LinearEmbedding(n_components=8, loss=SupCon(temperature=0.5), random_state=0)
    >>> embedding.fit_transform(X, y).shape
    (1797, 8)
    """

    temperature: float = 0.2
    limits = {"temperature": _TEMPERATURE}
    needs_labels = True
    least_batch = 2

    def objective(self, Z: FloatArray, y: IntArray, n_classes: int, rng: np.random.RandomState) -> "Partners":
        return Partners(self, Z, y)


class Partners(Plain):
    def __init__(self, loss: SupCon, Z: FloatArray, y: IntArray) -> None:
        if np.bincount(y).max() < 2:
            raise ValueError(
                f"loss={loss!r} needs a class of two rows or more, and all of the {len(y)} rows of y have "
                "different labels; use loss='nt-xent', which needs no labels"
            )
        super().__init__(len(Z), Z.dtype)
        self.loss, self.y = loss, y

    def order(self, rng: np.random.RandomState) -> IntArray:
        """Random pairs of rows of one class in random order, and at the end the rows that are left."""
        ids = rng.permutation(self.n_rows)
        ids = ids[np.argsort(self.y[ids], kind="stable")]
        counts = np.bincount(self.y)
        rank = np.arange(self.n_rows) - np.repeat(np.cumsum(counts) - counts, counts)
        paired = rank < np.repeat(counts // 2 * 2, counts)
        pairs = ids[paired].reshape(-1, 2)
        return np.concatenate([pairs[rng.permutation(len(pairs))].ravel(), rng.permutation(ids[~paired])])

    def gradient(self, Z: FloatArray, ids: IntArray) -> tuple[float, FloatArray, FloatArray]:
        value, G = supervised_contrastive(Z, self.y[ids], self.loss.temperature)
        return value, G, self.head


def supervised_contrastive(Z: FloatArray, y: IntArray, temperature: float) -> tuple[float, FloatArray]:
    """The value of `SupCon` for a batch, and its gradient with respect to Z."""
    rows, inverse = normalised(Z)
    partners = (y[:, None] == y).astype(Z.dtype)
    np.fill_diagonal(partners, 0)
    counts = partners.sum(axis=1)
    has = counts > 0
    if not has.any():
        return 0.0, np.zeros_like(Z)
    partners /= np.maximum(counts, 1)[:, None]
    scores = rows @ rows.T / Z.dtype.type(temperature)
    np.fill_diagonal(scores, -np.inf)
    logs = log_softmax(scores)
    np.fill_diagonal(logs, 0)
    value = -float((partners * logs).sum(axis=1)[has].mean(dtype=np.float64))
    G = np.exp(logs)
    np.fill_diagonal(G, 0)
    G = (G - partners) * has[:, None] / Z.dtype.type(has.sum() * temperature)
    return value, along_sphere((G + G.T) @ rows, rows, inverse)
