"""The scores and the taxonomies by name. A new one is a file in this folder and a line here."""

from typing import Any, cast

from linclf._data.limits import check_limits
from linclf.conformal._interfaces import Score, Taxonomy
from linclf.conformal.aps import APS
from linclf.conformal.class_conditional import ClassConditional
from linclf.conformal.clustered import Clustered
from linclf.conformal.lac import LAC
from linclf.conformal.marginal import Marginal
from linclf.conformal.raps import RAPS

SCORES: dict[str, type[Any]] = {"lac": LAC, "aps": APS, "raps": RAPS}
TAXONOMIES: dict[str, type[Any]] = {
    "marginal": Marginal,
    "class": ClassConditional,
    "cluster": Clustered,
}


def score_for(score: str | Score) -> Score:
    """A score for a name or an object, with its parameters checked."""
    return cast("Score", _found(score, "conformity_score", SCORES, "of_classes(p, seed)"))


def taxonomy_for(taxonomy: str | Taxonomy) -> Taxonomy:
    """A taxonomy for a name or an object, with its parameters checked."""
    return cast("Taxonomy", _found(taxonomy, "taxonomy", TAXONOMIES, "assign(scores, codes, n_classes, rng)"))


def _found(given: Any, parameter: str, known: dict[str, type[Any]], method: str) -> Any:
    if isinstance(given, str):
        if given not in known:
            raise ValueError(f"{parameter}={given!r} is unknown; use one of {sorted(known)} or an object")
        return known[given]()
    if isinstance(given, type):
        raise TypeError(f"{parameter}={given!r} is a class; pass an object, {given.__name__}()")
    if not hasattr(given, method.partition("(")[0]):
        raise TypeError(f"{parameter}={given!r}: use one of {sorted(known)} or an object with {method}")
    if type(given) in known.values():  # others check themselves
        check_limits(given, given.limits)
    return given
