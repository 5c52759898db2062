"""Softmax trained against a sample of the classes."""

from numbers import Integral, Real
from typing import ClassVar

from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from linclf._data.types import FloatArray, Loss, Matrix
from linclf._estimator.documentation import documented
from linclf.large._base import BaseLargeClassifier
from linclf.large._candidates import SAMPLERS, Candidates, Draw
from linclf.optimizers import OPTIMIZERS

CONSTRAINTS = {
    **BaseLargeClassifier._parameter_constraints,
    "solver": [StrOptions(set(OPTIMIZERS)), *OPTIMIZERS.values()],
    "n_sampled": [Interval(Integral, 1, None, closed="left")],
    "sampler": [StrOptions(set(SAMPLERS))],
    "power": [Interval(Real, 0, None, closed="left")],
}


class _BaseSampledClassifier(BaseLargeClassifier):
    """Training against classes that are drawn."""

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


@documented
class SampledSoftmaxClassifier(_BaseSampledClassifier):
    """Softmax that meets a sample of the classes in each step.

    The logarithm of the sum of exponentials is taken over the label and S classes drawn from q, with
    ``f_j - log(S q_j)`` in the place of the score of a class drawn, so that the sum estimates that over
    all classes without bias; a class drawn that is the label is left out. Its gradient tends to that of
    the full softmax as S grows. A step costs S, not K. Only training is sampled: probabilities are
    those of the full softmax.

    Parameters
    ----------
    n_sampled : int >= 1, default=1024
        Classes drawn for each batch, with replacement; the rows of a batch share them. From
        n_classes on nothing is drawn, and this is the full softmax.
    sampler : {"log-uniform", "unigram", "uniform"}, default="log-uniform"
        What classes are drawn from: ``log((r + 2)/(r + 1))`` at rank r of their frequency in y, 0
        first; their frequency to the `power`; or all alike.
    power : float >= 0, default=0.75
        Of the frequency, for "unigram" only.
    rank : int or None, default=None
        A low-rank head ``coef_ @ projection_``: the features are projected to at most `rank`
        directions in which the classes differ, found before training, and the rest works on those.
        For sparse rows, whose weights would be features x classes. 64 to 128 lose little; far fewer
        than classes lose much. Not for ``partial_fit``.
    alpha : float >= 0, default=1e-8
        L2 penalty ``alpha/2 * |coef_|^2`` on the mean loss, of which each of K classes has about one
        Kth: what 1e-4 is to 10 classes is 1e-7 to 10,000. In a batch it acts on the classes met, in
        proportion.
    solver : str or optimizer, default="sgd"
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", or an object of
        `linclf.optimizers`. What it keeps for a weight changes only in steps that touch the weight.
    batch_size : "auto" or int >= 1, default="auto"
        Rows that share the classes drawn. "auto" is 256, or 64 where X is sparse; where nothing is
        drawn, as for `SoftmaxClassifier`.
    n_jobs : int or None, default=None
        Threads for dense rows. The result does not depend on it.
    {common parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; one row for two classes. With `rank`, of the projected features.
    projection_ : ndarray of shape (min(rank, n_classes, n_features), n_features)
        Where `rank` is not None.
    {common attributes}

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

    _parameter_constraints: dict = CONSTRAINTS
    average = False  # of weights that most steps do not touch: not offered

    def __init__(
        self,
        *,
        n_sampled=1024,
        sampler="log-uniform",
        power=0.75,
        rank=None,
        alpha=1e-8,
        fit_intercept=True,
        solver="sgd",
        learning_rate="auto",
        schedule="linear",
        batch_size="auto",
        max_iter="auto",
        tol="auto",
        n_iter_no_change=5,
        early_stopping="auto",
        validation_fraction=0.1,
        calibration=None,
        shuffle=True,
        class_weight=None,
        warm_start=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self._store(locals())

    _contrast = False


@documented
class NCEClassifier(_BaseSampledClassifier):
    """Softmax trained by telling labels from noise, with sums of exponentials near 1.

    For each row, S classes are drawn from q, and the scores are those of a logistic regression that
    tells the label from them,

        softplus(-(f_y - log(S q_y))) + sum_j c_j softplus(f_j - log(S q_j)),

    with c_j how often class j was drawn. At its optimum ``exp(f)`` sums to 1 by itself
    (`log_partition` says how nearly), so that ``exp(f_y)`` may be used for the probability of one class
    at the cost of one score. ``predict_proba`` normalises nevertheless.

    Parameters
    ----------
    n_sampled : int >= 1, default=1024
        Classes drawn for each batch, with replacement; the rows of a batch share them. From
        n_classes on nothing is drawn, and their expectation is taken.
    sampler : {"log-uniform", "unigram", "uniform"}, default="log-uniform"
        What classes are drawn from: ``log((r + 2)/(r + 1))`` at rank r of their frequency in y, 0
        first; their frequency to the `power`; or all alike.
    power : float >= 0, default=0.75
        Of the frequency, for "unigram" only.
    rank : int or None, default=None
        A low-rank head ``coef_ @ projection_``: the features are projected to at most `rank`
        directions in which the classes differ, found before training, and the rest works on those.
        For sparse rows, whose weights would be features x classes. 64 to 128 lose little; far fewer
        than classes lose much. Not for ``partial_fit``.
    alpha : float >= 0, default=1e-8
        L2 penalty ``alpha/2 * |coef_|^2`` on the mean loss, of which each of K classes has about one
        Kth: what 1e-4 is to 10 classes is 1e-7 to 10,000. In a batch it acts on the classes met, in
        proportion.
    solver : str or optimizer, default="sgd"
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", or an object of
        `linclf.optimizers`. What it keeps for a weight changes only in steps that touch the weight.
    batch_size : "auto" or int >= 1, default="auto"
        Rows that share the classes drawn. "auto" is 256, or 64 where X is sparse; where nothing is
        drawn, as for `SoftmaxClassifier`.
    n_jobs : int or None, default=None
        Threads for dense rows. The result does not depend on it.
    {common parameters}

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; one row for two classes. With `rank`, of the projected features.
    projection_ : ndarray of shape (min(rank, n_classes, n_features), n_features)
        Where `rank` is not None.
    {common attributes}

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

    _parameter_constraints: dict = CONSTRAINTS
    average = False  # of weights that most steps do not touch: not offered

    def __init__(
        self,
        *,
        n_sampled=1024,
        sampler="log-uniform",
        power=0.75,
        rank=None,
        alpha=1e-8,
        fit_intercept=True,
        solver="sgd",
        learning_rate="auto",
        schedule="linear",
        batch_size="auto",
        max_iter="auto",
        tol="auto",
        n_iter_no_change=5,
        early_stopping="auto",
        validation_fraction=0.1,
        calibration=None,
        shuffle=True,
        class_weight=None,
        warm_start=False,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self._store(locals())

    _contrast = True

    def log_partition(self, X: ArrayLike | Matrix) -> FloatArray:
        """``log(sum(exp(f)))`` of each row: 0 where the scores are log-probabilities as they are.

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
            For two classes: what is published is the difference of their scores.
        """
        check_is_fitted(self)
        if len(self.classes_) == 2:
            raise ValueError(
                "log_partition needs a score of each class, and of two classes only the difference is kept"
            )
        return self._by_blocks(X, lambda scores: logsumexp(scores, axis=1))
