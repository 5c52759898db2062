"""Classifiers for Dask collections, derived from the classifiers of linclf."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context, clone
from sklearn.utils.validation import check_is_fitted

from linclf._estimator.available import available, has_probabilities
from linclf._estimator.base import BaseLinearClassifier
from linclf._estimator.declared import parameter
from linclf._estimator.from_batches import fitting_elsewhere
from linclf._training.blas import one_blas_thread
from linclf._types import typed
from linclf.dask._partitions import local, names_of, partitions_of
from linclf.dask._shards import OnWorkers
from linclf.dask._waiting import client_for

DOCUMENTATION = """{first}

    `linclf.{name}` on a Dask cluster: the rows stay with the workers, each iteration is a pass over them,
    and the sums of the partitions are added in a fixed order. The model does not depend on the number of
    workers, and is as accurate as one fitted to all rows in memory.

    Parameters
    ----------
    {{parameters}}

    Attributes
    ----------
    {{attributes}}

    See Also
    --------
    linclf.{name} : The same for rows in memory, with the formula.
    """


class Distributed(BaseLinearClassifier):
    """Fitting and predicting with Dask collections."""

    client: Any = parameter(
        default=None,
        constraint="no_validation",
        type="distributed.Client or None",
        description="The cluster. None is the current client. It is left out of pickles.",
    )

    _local: ClassVar[type[BaseLinearClassifier]]

    @typed(_fit_context(prefer_skip_nested_validation=True))
    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        classes: ArrayLike | None = None,
        **not_offered: Any,
    ) -> Self:
        """Fit the classifier; only a sample and sums leave the workers.

        Parameters
        ----------
        X : dask array, dask DataFrame or list of delayed parts
            Training rows, dense or in CSR blocks. Each partition must fit into the memory of a worker.
        y : dask array, dask Series or list of delayed parts
            Class labels, rows of class probabilities, or indicators of several labels, in the same
            partitions.
        sample_weight : dask array, dask Series or list of delayed parts, default=None
            Non-negative weights.
        X_val, y_val : array-like or collection, default=None
            Rows for early stopping, which are moved to the client.
        sample_weight_val : array-like or collection, default=None
            Their weights.
        classes : array-like, default=None
            The classes, if y must have exactly these.
        **not_offered : dict
            Other arguments of the classifiers for rows in memory, such as `offset`, are refused.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the rows are invalid; the message names the partition.
        RuntimeError
            If no worker is left.
        """
        _refuse(not_offered)
        with self._unchanged_on_failure(), one_blas_thread():
            client = client_for(self.client)
            rows = OnWorkers(client, partitions_of(X, y, sample_weight), names_of(X))
            with rows:
                validation = local(X_val), local(y_val), local(sample_weight_val)
                fitting = fitting_elsewhere(self, rows, {"X": X, "y": y, "metadata": None}, validation)
                if classes is not None and not np.array_equal(np.sort(np.asarray(classes)), fitting.classes):
                    raise ValueError(
                        f"classes={classes!r}, and y has {fitting.classes.tolist()}; leave it out if all "
                        "of y counts"
                    )
                return self._fit(fitting)

    def to_local(self) -> BaseLinearClassifier:
        """The classifier of linclf with the same parameters, fitted if this one is.

        Returns
        -------
        estimator : classifier of linclf
            For rows in memory, and for saving to files.
        """
        parameters = {name: value for name, value in self.get_params().items() if name != "client"}
        other = self._local(**parameters)
        fitted = {name: value for name, value in vars(self).items() if name not in self.get_params()}
        vars(other).update(fitted)
        return other

    def decision_function(self, X: Any, **not_offered: Any) -> Any:
        """Scores of each class, lazily."""
        _refuse(not_offered)
        return self._lazily("decision_function", X)

    def predict(self, X: Any, **not_offered: Any) -> Any:
        """Class with the highest score, lazily."""
        _refuse(not_offered)
        return self._lazily("predict", X)

    def predict_topk(self, X: Any, k: int, **not_offered: Any) -> Any:
        """The k classes with the highest scores, lazily."""
        _refuse(not_offered)
        return self._lazily("predict_topk", X, k)

    @typed(available(has_probabilities))
    def predict_proba(self, X: Any, **not_offered: Any) -> Any:
        """Class probabilities, lazily."""
        _refuse(not_offered)
        return self._lazily("predict_proba", X)

    @typed(available(has_probabilities))
    def predict_log_proba(self, X: Any, **not_offered: Any) -> Any:
        """Logarithms of class probabilities, lazily."""
        _refuse(not_offered)
        return self._lazily("predict_log_proba", X)

    def _lazily(self, name: str, X: Any, *arguments: Any) -> Any:
        """Apply a method of the local classifier to each partition."""
        check_is_fitted(self)
        method = partial(getattr(self.to_local(), name), **dict(zip(("k",), arguments, strict=False)))
        if not hasattr(X, "dask"):
            return method(X)
        if not hasattr(X, "chunks"):
            nothing = method(X._meta_nonempty)[:0]
            return X.map_partitions(partial(_of_partition, method, nothing), meta=nothing)
        found = method(np.zeros((1, X.shape[1]), X.dtype))
        X, function = X.rechunk({1: -1}), partial(_of_partition, method, found[:0])
        if found.ndim == 1:
            return X.map_blocks(function, drop_axis=1, dtype=found.dtype, meta=found[:0])
        chunks = X.chunks[0], (found.shape[1],)
        return X.map_blocks(function, chunks=chunks, dtype=found.dtype, meta=found[:0])

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"client": None}

    def __sklearn_clone__(self) -> Self:
        """Clone with the same client, which cannot be copied."""
        parameters: dict[str, Any] = self.get_params(deep=False)
        client = parameters.pop("client")
        copies: dict[str, Any] = {name: clone(value, safe=False) for name, value in parameters.items()}
        return type(self)(client=client, **copies)


def _refuse(arguments: dict[str, Any]) -> None:
    """Refuse arguments that are only for rows in memory."""
    if arguments:
        raise TypeError(
            f"{next(iter(arguments))} is no argument for Dask collections; fit the classifier of the same "
            "name in linclf to arrays, or predict arrays with to_local()"
        )


def _of_partition(method: Callable[[Any], Any], nothing: Any, rows: Any) -> Any:
    """Apply a method to rows; it would refuse an empty partition."""
    return method(rows) if rows.shape[0] else nothing


def distributed(of: type[BaseLinearClassifier]) -> type[Distributed]:
    """The classifier of linclf with `client`."""
    first = (of.__doc__ or "").partition("\n")[0]
    name = of.__name__
    return type(
        name,
        (Distributed, of),
        {
            "__doc__": DOCUMENTATION.format(first=first, name=name),
            "__module__": "linclf.dask",
            "_local": of,
        },
    )
