"""The models of a comparison: every loss of linclf, scikit-learn's rivals, and the user's models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Literal

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.pipeline import Pipeline

from linclf.classifiers import LinearClassifier
from linclf.heads import Cosine
from linclf.losses import LOSSES
from linclf.losses._registry import trait

BASELINE = "sklearn:DummyClassifier"
# measured in all splits before the others start, to show results early
FIRST = ("softmax", "sklearn:LogisticRegression", "sklearn:RidgeClassifier", BASELINE)
# for two classes, all losses in a group are the same problem
HINGES = ("weston-watkins", "crammer-singer", "one-vs-rest")
TWINS = (("softmax", "one-vs-rest-logistic"), HINGES, tuple(f"squared-{name}" for name in HINGES))
_ENOUGH = 10_000  # iterations; the defaults of rivals are 100 or 1,000


@dataclass(frozen=True)
class Candidate:
    """A model of a comparison.

    Attributes
    ----------
    name : str
    make : callable
        ``make(alpha, n_samples)`` is a new estimator with this penalty.
    origin : {"linclf", "sklearn", "yours"}
    has_penalty : bool
        Whether alpha changes what the model predicts.
    has_log_loss : bool
        Whether the log loss is meaningful for its probabilities: not if some can be 0.
    raw : bool
        Whether it gets the rows as the user passed them, neither encoded nor scaled.
    """

    name: str
    make: Callable[[float, int], Any]
    origin: Literal["linclf", "sklearn", "yours"]
    has_penalty: bool = True
    has_log_loss: bool = True
    raw: bool = False


def known_candidates(n_jobs: int | None = None, random_state: int = 0) -> dict[str, Candidate]:
    """The candidates by name: losses first, then rivals."""
    common: dict[str, Any] = {"n_jobs": n_jobs, "random_state": random_state}
    found = {
        name: Candidate(
            name,
            partial(_of_loss, name, common),
            "linclf",
            has_penalty=trait(loss, "head") is not Cosine,
            has_log_loss=trait(loss, "log_probabilities") is not None,
        )
        for name, loss in LOSSES.items()
    }
    for name, make in _rivals(common).items():
        name = f"sklearn:{name}"
        found[name] = Candidate(name, make, "sklearn", has_penalty=name != BASELINE)
    return found


def _of_loss(name: str, common: dict[str, Any], alpha: float, n_samples: int) -> LinearClassifier:
    return LinearClassifier(loss=name, alpha=alpha, **common)


def C_of(alpha: float, n_samples: int) -> float:
    """scikit-learn's C for the same penalty; infinite for alpha = 0."""
    return 1.0 / (alpha * n_samples) if alpha > 0 else np.inf


def _rivals(common: dict[str, Any]) -> dict[str, Callable[[float, int], Any]]:
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
    from sklearn.svm import LinearSVC

    seed = {"random_state": common["random_state"]}
    enough: dict[str, Any] = {"max_iter": _ENOUGH, **seed}
    return {
        "LogisticRegression": lambda alpha, n: LogisticRegression(C=C_of(alpha, n), **enough),
        "SGD-log_loss": lambda alpha, n: SGDClassifier(loss="log_loss", alpha=alpha, **common),
        "SGD-hinge": lambda alpha, n: SGDClassifier(loss="hinge", alpha=alpha, **common),
        "LinearSVC": lambda alpha, n: LinearSVC(C=C_of(alpha, n), **enough),
        # its squared loss has no factor 1/2 and is summed
        "RidgeClassifier": lambda alpha, n: RidgeClassifier(alpha=0.5 * alpha * n, **seed),
        "DummyClassifier": lambda alpha, n: DummyClassifier(strategy="prior"),
    }


def chosen(models: Any, n_jobs: int | None = None, random_state: int = 0) -> list[Candidate]:
    """The candidates for the argument ``models`` of `linclf.compare`.

    Raises
    ------
    TypeError, ValueError
        If an entry is neither a pattern that matches a name nor a classifier.

    Examples
    --------
    >>> from linclf._compare.candidates import chosen
    >>> [candidate.name for candidate in chosen(["sklearn:L*", "SOFTMAX"])]
    ['softmax', 'sklearn:LogisticRegression', 'sklearn:LinearSVC']
    """
    known = known_candidates(n_jobs, random_state)
    if models is None:
        return list(known.values())
    patterns, own = [], []
    for name, entry in _entries(models):
        if isinstance(entry, str):
            patterns.append(entry)
        else:
            own.append(_own(name, entry, {*known, *(candidate.name for candidate in own)}))
    for pattern in patterns:
        if not any(_matches(name, pattern) for name in known):
            raise ValueError(f"models: {pattern!r} matches no model; the models are {', '.join(known)}")
    listed = [each for name, each in known.items() if any(_matches(name, p) for p in patterns)]
    if not listed and not own:
        raise ValueError(f"models={models!r} names no model; the models are {', '.join(known)}")
    return listed + own


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name.lower(), pattern.lower())


def _entries(models: Any) -> list[tuple[str | None, Any]]:
    """Pairs of a name, or None, and a pattern or estimator."""
    if isinstance(models, Mapping):
        return list(models.items())
    if isinstance(models, str) or not isinstance(models, Sequence):
        models = [models]
    return [entry if isinstance(entry, tuple) and len(entry) == 2 else (None, entry) for entry in models]


def _own(name: str | None, estimator: Any, taken: set[str]) -> Candidate:
    """A candidate for the user's estimator, which is not changed."""
    if isinstance(estimator, type) or not hasattr(estimator, "fit") or not is_classifier(estimator):
        raise TypeError(
            f"models: {estimator!r} is neither a name nor a classifier; pass names such as 'softmax', "
            "estimators such as LinearSVC(), or (name, estimator)"
        )
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    base = name or type(last).__name__
    if name in taken:
        raise ValueError(f"models: the name {name!r} is taken; choose another")
    numbered = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    free = next(each for each in numbered if each not in taken)
    return Candidate(
        free,
        lambda alpha, n: clone(estimator),
        "yours",
        has_penalty=False,
        raw=isinstance(estimator, Pipeline),
    )


def without_twins(candidates: list[Candidate]) -> tuple[list[Candidate], dict[str, list[str]]]:
    """The candidates for two classes without duplicates, and the names that each stands for."""
    names = [candidate.name for candidate in candidates]
    stands_for: dict[str, list[str]] = {}
    for twins in TWINS:
        present = [name for name in names if name in twins]
        if len(present) > 1:
            stands_for[present[0]] = present[1:]
    dropped = {name for others in stands_for.values() for name in others}
    return [candidate for candidate in candidates if candidate.name not in dropped], stands_for
