"""Contrastive losses: softmax cross-entropy for picking the partner out of a batch."""

import numpy as np
from numpy.typing import ArrayLike

from linclf._types import FloatArray, IntArray
from linclf.functional._inputs import as_floats, positive, same_shape
from linclf.functional.maps import log_softmax


def info_nce(
    queries: ArrayLike, keys: ArrayLike, temperature: float = 0.1
) -> tuple[float, tuple[FloatArray, FloatArray]]:
    r"""InfoNCE, ``mean_i -log softmax(q_i^T k_j / T)_{j=i}``, and its gradients.

    Row i of the keys is the positive of query i, and all other rows are its negatives. Dot products are
    not normalised: for cosines, pass rows of length 1.

    Parameters
    ----------
    queries : array-like of shape (n, d)
    keys : array-like of shape (m, d), m >= n
        Keys from row n on are negatives for all queries.
    temperature : float > 0, default=0.1
        Divisor of the dot products.

    Returns
    -------
    value : float
    gradients : tuple of ndarray
        With respect to the queries and the keys, in their shapes.

    Raises
    ------
    ValueError
        If the shapes do not fit or the temperature is not finite and positive.
    TypeError
        If an argument does not hold real numbers.

    References
    ----------
    van den Oord, Li & Vinyals, "Representation learning with contrastive predictive coding", 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.functional import info_nce
    >>> value, (grad_queries, grad_keys) = info_nce(np.eye(2), np.eye(2), temperature=1.0)
    >>> round(value, 4)
    0.3133
    >>> grad_queries.round(4)
    array([[-0.1345,  0.1345],
           [ 0.1345, -0.1345]])
    """
    Q, K = _rows(queries, "queries"), _rows(keys, "keys")
    if Q.shape[1] != K.shape[1] or len(K) < len(Q):
        raise ValueError(
            f"queries has shape {Q.shape} and keys {K.shape}: pass equally many features, and a key for "
            "each query"
        )
    temperature = positive(temperature, "temperature", np.result_type(Q, K).type)
    value, G = _pick(Q @ K.T, np.arange(len(Q)), temperature)
    return value, (G @ K, G.T @ Q)


def nt_xent(
    first: ArrayLike, second: ArrayLike, temperature: float = 0.5
) -> tuple[float, tuple[FloatArray, FloatArray]]:
    r"""NT-Xent, the loss of SimCLR, and its gradients.

    Each of the 2n rows of both arrays has to pick its partner among all other rows by cosine:
    ``mean_i -log(exp(c_ip / T) / sum_{j != i} exp(c_ij / T))``, where p is row i of the other array.

    Parameters
    ----------
    first, second : array-like of shape (n, d)
        Two views of n objects. A row of zeros has cosine 0 with all others, and gradient 0.
    temperature : float > 0, default=0.5
        Divisor of the cosines.

    Returns
    -------
    value : float
    gradients : tuple of ndarray
        With respect to the first and the second rows, in their shapes.

    Raises
    ------
    ValueError
        If the shapes differ or the temperature is not finite and positive.
    TypeError
        If an argument does not hold real numbers.

    References
    ----------
    Sohn, "Improved deep metric learning with multi-class n-pair loss objective", 2016.
    Chen et al., "A simple framework for contrastive learning of visual representations", 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from linclf.functional import nt_xent
    >>> value, (grad_first, grad_second) = nt_xent(np.eye(2), 3 * np.eye(2), temperature=1.0)
    >>> round(value, 4)
    0.5514
    >>> grad_first.round(4)
    array([[0.    , 0.2119],
           [0.2119, 0.    ]])
    """
    A, B = _rows(first, "first"), _rows(second, "second")
    same_shape(A, B, ("first", "second"))
    temperature = positive(temperature, "temperature", np.result_type(A, B).type)
    n = len(A)
    rows = np.concatenate([A, B])
    # divide by the largest entry first: squares may overflow even if lengths do not
    largest = np.abs(rows).max(axis=1, keepdims=True)
    Z = np.divide(rows, largest, out=np.zeros_like(rows), where=largest != 0)
    lengths = np.sqrt(np.einsum("ij,ij->i", Z, Z))[:, None]
    Z = np.divide(Z, lengths, out=Z, where=largest != 0)
    cosines = Z @ Z.T
    np.fill_diagonal(cosines, -np.inf)
    value, G = _pick(cosines, np.roll(np.arange(2 * n), n), temperature)
    gradient = (G + G.T) @ Z
    gradient -= np.einsum("ij,ij->i", gradient, Z)[:, None] * Z
    # two divisions: the product of the lengths may overflow
    for divisor in (lengths, largest):
        gradient = np.divide(gradient, divisor, out=np.zeros_like(gradient), where=largest != 0)
    return value, (gradient[:n], gradient[n:])


def _rows(array: ArrayLike, name: str) -> FloatArray:
    array = as_floats(array, name)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name} has shape {array.shape}: pass rows of features, at least one of each")
    return array


def _pick(scores: FloatArray, right: IntArray, temperature: float) -> tuple[float, FloatArray]:
    """Mean of ``-log softmax(scores / T)`` at one column per row, and its gradient."""
    rows = np.arange(len(scores))
    scores /= scores.dtype.type(temperature)
    logs = log_softmax(scores, out=scores)
    value = -float(np.mean(logs[rows, right], dtype=np.float64))
    with np.errstate(under="ignore"):
        G = np.exp(logs, out=logs)
    G[rows, right] -= 1
    G /= G.dtype.type(len(G) * temperature)
    return value + 0.0, G
