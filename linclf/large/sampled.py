"""Softmax trained against a sample of the classes."""

from numbers import Integral, Real
from typing import ClassVar, Literal

from scipy.special import logsumexp
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from linclf._estimator.declared import parameter
from linclf._types import FloatArray, Loss, MatrixLike
from linclf.large._base import BaseSparseUpdateClassifier
from linclf.large._candidates import SAMPLERS, Candidates, Draw


class BaseSampledClassifier(BaseSparseUpdateClassifier):
    """Softmax with a sample of the classes for each batch."""

    n_sampled: int = parameter(
        default=1024,
        constraint=[Interval(Integral, 1, None, closed="left")],
        type="int >= 1",
        description="""
        Number of classes drawn for each batch, with replacement; the rows of a batch share them. If it is
        n_classes or more, nothing is drawn, and this is the full softmax.
        """,
    )
    sampler: str = parameter(
        default="log-uniform",
        constraint=[StrOptions(set(SAMPLERS))],
        type='{"log-uniform", "unigram", "uniform"}',
        description="""
        The distribution to draw classes from: proportional to ``log((r + 2)/(r + 1))`` for frequency rank
        r = 0, 1, ... in y; proportional to the frequency to the `power`; or uniform.
        """,
    )
    power: float = parameter(
        default=0.75,
        constraint=[Interval(Real, 0, None, closed="left")],
        type="float >= 0",
        description='Exponent of the frequency, for "unigram" only.',
    )
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        description="""
        Number of rows that share the drawn classes. "auto" is 256, or 64 if X is sparse; if nothing is
        drawn, it is that of `SoftmaxClassifier`.
        """,
    )
    n_jobs: int | None = parameter(
        default=None,
        description="Number of threads for dense rows. The result does not depend on it.",
    )

    _contrast: ClassVar[bool]  # noise-contrastive estimation, else sampled softmax

    def _sampling(self, loss: Loss, n_classes: int) -> Candidates:
        if self.power != 0.75 and self.sampler != "unigram":
            raise ValueError(
                f"power={self.power!r} with sampler={self.sampler!r}, which does not use it; leave it "
                "at 0.75, or use sampler='unigram'"
            )
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        draw = Draw(self._contrast, self.n_sampled, self.sampler, float(self.power), seed)
        return Candidates(draw, n_classes)

    def _stream_key(self) -> tuple:
        return self.n_sampled, self.sampler, self.power


class SampledSoftmaxClassifier(BaseSampledClassifier):
    """Softmax trained with a sample of the classes in each step.

    The log-sum-exp is taken over the label and S classes drawn from q. For a drawn class,
    ``f_j - log(S q_j)`` replaces the score, so that the sum is an unbiased estimate of that over all
    classes; a drawn class that is the label is left out. The gradient tends to that of the full softmax
    as S grows. A step costs S scores, not K. Only training is sampled: probabilities are those of the
    full softmax.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    Bengio & Senecal, "Quick training of probabilistic neural nets by importance sampling", 2003.
    Jean et al., "On using very large target vocabulary for neural machine translation", 2015.
    Blanc & Rendle, "Adaptive sampled softmax with kernel based sampling", 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from linclf.large import SampledSoftmaxClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = SampledSoftmaxClassifier(n_sampled=5, random_state=0).fit(X[:1400], y[:1400])
    >>> float(clf.score(X[1400:], y[1400:])) > 0.85
    True
    """

    _contrast = False


class NCEClassifier(BaseSampledClassifier):
    """Softmax trained by telling labels from noise, with sums of exponentials near 1.

    For each row, S classes are drawn from q, and the scores are those of a logistic regression that
    tells the label from them,

        softplus(-(f_y - log(S q_y))) + sum_j c_j softplus(f_j - log(S q_j)),

    if class j was drawn c_j times. At the optimum ``exp(f)`` sums to 1 without normalisation
    (`log_partition` shows how closely), so ``exp(f_y)`` can serve as the probability of one class at the
    cost of one score. ``predict_proba`` normalises nevertheless.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    Gutmann & Hyvarinen, "Noise-contrastive estimation", 2010.
    Mnih & Teh, "A fast and simple algorithm for training neural probabilistic language models", 2012.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from linclf.large import NCEClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = NCEClassifier(n_sampled=100, alpha=1e-3, random_state=0).fit(X[:1400], y[:1400])
    >>> float(clf.score(X[1400:], y[1400:])) > 0.85
    True
    >>> bool(abs(clf.log_partition(X[1400:]).mean()) < 0.5)
    True
    """

    n_sampled: int = parameter(
        default=1024,
        description="""
        Number of classes drawn for each batch, with replacement; the rows of a batch share them. If it is
        n_classes or more, nothing is drawn, and the expectation over draws is used.
        """,
    )

    _contrast = True

    def log_partition(self, X: MatrixLike) -> FloatArray:
        """``log(sum(exp(f)))`` of each row: 0 if the scores already are log probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        log_z : ndarray of shape (n_samples,)
            Logarithms of the sums.

        Raises
        ------
        ValueError
            For two classes, as only the difference of their scores is kept.
        """
        check_is_fitted(self)
        if len(self.classes_) == 2:
            raise ValueError(
                "log_partition needs a score of each class, but of two classes only the difference is kept"
            )
        return self._by_blocks(X, lambda scores: logsumexp(scores, axis=1))
