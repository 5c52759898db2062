"""Cross-validated classifiers: each names the loss it stands for."""

from typing import Any, cast

from sklearn.model_selection import ParameterGrid

from linclf._data.targets import Indicators, Targets
from linclf._estimator.declared import attribute, parameter
from linclf._types import Loss
from linclf.classifiers import LinearClassifier, SoftmaxClassifier, SVMClassifier
from linclf.losses._names import LOSSES, loss_for, loss_of_labels
from linclf.tuning._cross_validated import CrossValidated
from linclf.tuning._paths import Candidate


class SoftmaxClassifierCV(CrossValidated, SoftmaxClassifier):
    """Multinomial logistic regression that chooses its penalty by cross-validation.

    In each fold, models are trained from the strongest penalty to the weakest, each starting from the last
    one. The penalty with the best mean score is then used to train on all rows. See `SoftmaxClassifier` for
    the formula.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    linclf.path : The weights along a path of penalties.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from linclf import SoftmaxClassifierCV
    >>> X, y = load_wine(return_X_y=True)
    >>> clf = SoftmaxClassifierCV(standardize=True, random_state=0).fit(X, y)
    >>> print(f"{clf.alpha_:.4f}, log loss {-clf.cv_results_['mean_test_score'].max():.2f}")
    0.0007, log loss 0.06
    """


class SVMClassifierCV(CrossValidated, SVMClassifier):
    """Linear support vector machine that chooses its penalty by cross-validation.

    See `SVMClassifier` for the formulas. As hinges have no probabilities, the penalty with the highest
    accuracy (or F1, for several labels a row) is chosen; of several, the strongest.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import SVMClassifierCV
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SVMClassifierCV(squared=True, alphas=10, random_state=0).fit(X, y)
    >>> print(clf.cv_results_["mean_test_score"].max().round(2))
    0.98
    """


class LinearClassifierCV(CrossValidated, LinearClassifier):
    """Linear classifier with any loss; chooses its penalty and parameters of the loss by cross-validation.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from linclf import LinearClassifierCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> clf = LinearClassifierCV(loss="focal", loss_grid={"gamma": [0.0, 1.0, 2.0]}, standardize=True)
    >>> clf.fit(X, y).loss_
    Focal(gamma=0.0)
    """

    loss_grid: dict[str, Any] | None = parameter(
        default=None,
        constraint=[dict, None],
        type="dict of lists or None",
        description="""
        Values of parameters of the loss to choose from, such as ``{"gamma": [0.0, 1.0, 2.0]}``; each
        combination has its own path of penalties.
        """,
    )

    loss_: Loss = attribute(type="loss", description="The loss that was trained, with the chosen parameters.")

    def _loss(self) -> str | Loss:
        return vars(self).get("loss_", self.loss)

    def _loss_to_fit(self) -> str | Loss:
        return self.loss

    def _candidates(self, y: Targets) -> list[Candidate]:
        loss: Any = LOSSES[self.loss]() if isinstance(self.loss, str) and self.loss in LOSSES else self.loss
        # two classes may be trained as another loss, but not two labels a row
        several = isinstance(y, Indicators)
        n_classes = max(y.n_classes, 3) if several else y.n_classes
        resolved = loss_for(self.loss, n_classes)
        unknown = sorted(set(self.loss_grid or {}) - set(resolved._fields))
        if unknown:
            raise ValueError(
                f"loss_grid has {unknown}, which are not parameters of {resolved!r}; these are "
                f"{list(resolved._fields)}"
            )
        candidates = []
        for params in ParameterGrid(self.loss_grid or {}):
            one = loss_for(loss._replace(**params), n_classes)
            trained = loss_of_labels(one) if several else one
            candidates.append(Candidate(params, cast("Loss", trained), {"loss_": one}))
        return candidates
