"""The penalty paths of a part, one for each loss, and the scores along them."""

import copy
from typing import Any, NamedTuple, Self

import numpy as np

from linclf._estimator.base import BaseLinearClassifier
from linclf._training.model import LinearModel
from linclf._training.path import path
from linclf._types import FloatArray, IntArray, Loss
from linclf.tuning._parts import Part
from linclf.tuning._scoring import Metric


class Candidate(NamedTuple):
    """A loss, the parameters in which it differs from others, and attributes to publish if it is chosen."""

    params: dict[str, Any]
    loss: Loss
    attributes: dict[str, Any]


class PartPath(NamedTuple):
    """Scores and their standard errors (n_losses, n_alphas), models, and warnings from training."""

    scores: FloatArray
    errors: FloatArray
    models: list[list[LinearModel]]
    warnings: list[str]

    def merged(self, other: Self, order: IntArray) -> Self:
        """Merged with the penalties of another path, in the given order of both together."""
        scores = np.concatenate([self.scores, other.scores], axis=1)[:, order]
        errors = np.concatenate([self.errors, other.errors], axis=1)[:, order]
        both = [a + b for a, b in zip(self.models, other.models, strict=True)]
        models = [[one[j] for j in order] if one else [] for one in both]
        return type(self)(scores, errors, models, self.warnings + other.warnings)


def path_of_part(
    estimator: BaseLinearClassifier,
    part: Part,
    candidates: list[Candidate],
    alphas: FloatArray,
    metric: Metric,
    name: str,
    keep: bool,
) -> PartPath:
    """Train with each loss and penalty on the training rows of a part, and score on its held-out rows.

    Models are stored only if ``keep`` is true.
    """
    fitting, shape = part.fitting, (len(candidates), len(alphas))
    result = PartPath(np.empty(shape), np.empty(shape), [], [])
    for i, candidate in enumerate(candidates):
        there = fitting.with_data(fitting.data, None, estimator._published(candidate.loss))
        # the same for each loss, whichever thread comes first
        rng = copy.deepcopy(fitting.rng)
        outcomes = path(
            fitting.task(), candidate.loss, fitting.solver, fitting.settings, alphas.tolist(), rng
        )
        result.models.append([])
        for j, (alpha, outcome) in enumerate(zip(alphas, outcomes, strict=True)):
            attributes = estimator._attributes(outcome.model, there) | candidate.attributes
            score = metric.score(estimator, attributes, candidate.loss, part.held_out)
            result.scores[i, j], result.errors[i, j] = score
            result.warnings.extend(f"{name}, alpha={alpha:.3g}: {text}" for text in outcome.warnings)
            if keep:
                result.models[i].append(outcome.model)
            if fitting.settings.verbose:
                where = f"{name}, penalty {j + 1}/{len(alphas)}"
                print(f"{where}: alpha {alpha:.3g}, {metric.name} {score.mean:.6g}")
    return result
