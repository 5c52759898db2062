"""A callback for users: a function that is called after each epoch."""

from collections.abc import Callable
from typing import Any


class EpochCallback:
    """Call a function after each epoch of a fit, or after each iteration of a solver without epochs.

    Pass it to ``set_callbacks``, which all classifiers have with scikit-learn 1.9 and later: to report a
    score, to stop by a custom rule, or to end the trials of a search that lag behind.

    Parameters
    ----------
    function : callable
        Called as ``function(epoch, classifier)``, with the number of the epoch, from 0, and a copy of the
        classifier that has the weights reached. Training stops if it returns True. An exception ends the
        fit, and leaves the classifier as it was before.

    See Also
    --------
    sklearn.callback.ProgressBar : Progress of a fit.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from linclf import EpochCallback, SoftmaxClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> def report(iteration, classifier):
    ...     score = classifier.score(X, y)
    ...     print(f"iteration {iteration}: accuracy {score:.3f}")
    ...     return score > 0.95
    >>> callback = EpochCallback(report)
    >>> clf = SoftmaxClassifier(solver="newton").set_callbacks(callback).fit(X, y)
    iteration 0: accuracy 0.847
    iteration 1: accuracy 0.920
    iteration 2: accuracy 0.973
    """

    def __init__(self, function: Callable[[int, Any], object]) -> None:
        if not callable(function):
            raise TypeError(f"function={function!r}: pass a function of the epoch and the classifier")
        self.function = function

    def setup(self, estimator: Any, context: Any) -> None:
        """Do nothing: a fit begins.

        Parameters
        ----------
        estimator, context
            As scikit-learn passes them.
        """

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing: a fit has ended.

        Parameters
        ----------
        estimator, context
            As scikit-learn passes them.
        """

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Do nothing: an epoch begins.

        Parameters
        ----------
        estimator, context
            As scikit-learn passes them.
        """

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any) -> bool:
        """Call the function if this is the end of an epoch.

        Parameters
        ----------
        estimator, context, fitted_estimator
            As scikit-learn passes them.

        Returns
        -------
        stop : bool
            Whether training should stop.
        """
        return context.task_name == "epoch" and bool(self.function(context.task_id, fitted_estimator))
