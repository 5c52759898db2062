"""Names of parameters in other libraries, and the names here."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

INSTEAD = {
    "C": "alpha, which is 1 / (C * n_samples)",
    "Cs": "alphas, each 1 / (C * n_samples), of a class such as SoftmaxClassifierCV",
    "penalty": "alpha: the penalty is L2, and alpha=0 is none",
    "reg_lambda": "alpha",
    "weight_decay": "alpha",
    "l2": "alpha",
    "loss": "LinearClassifier(loss=...), or the class of the loss",
    "multi_class": 'SVMClassifier(multi_class=...), or LinearClassifier(loss="one-vs-rest")',
    "probability": 'calibration="platt", with early_stopping=True or X_val',
    "dual": 'solver="dual"',
    "normalize": "standardize",
    "eta0": "learning_rate",
    "lr": "learning_rate",
    "learning_rate_init": "learning_rate",
    "optimizer": "solver",
    "epochs": "max_iter",
    "n_epochs": "max_iter",
    "max_epochs": "max_iter",
    "patience": "n_iter_no_change",
    "seed": "random_state",
    "n_threads": "n_jobs",
}


def refuse_unknown(cls: type, declared: Iterable[str], given: Iterable[str]) -> None:
    """Refuse parameters that a class does not have, and suggest those that were meant."""
    declared = list(declared)
    for name in given:
        if name in declared:
            continue
        close = get_close_matches(name, declared, 1)
        meant = INSTEAD.get(name) or (close[0] if close else None)
        hint = f"did you mean {meant}? Its" if meant else "its"
        raise TypeError(
            f"{cls.__name__}.__init__() got an unexpected keyword argument {name!r}; {hint} parameters are "
            f"{sorted(declared)}"
        )


def suggested_parameters(model: Any, given: Iterable[str]) -> None:
    """The same for ``set_params``, as in a grid; names that resemble none are left to scikit-learn."""
    known = list(model.get_params(deep=False))
    for name in given:
        if "__" in name or name in known:
            continue
        close = get_close_matches(name, known, 1)
        if name in INSTEAD or close:
            raise ValueError(
                f"Invalid parameter {name!r} for estimator {model}; did you mean "
                f"{INSTEAD.get(name) or close[0]}? Valid parameters are: {sorted(known)}."
            )
