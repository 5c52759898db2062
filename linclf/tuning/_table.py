"""Scores of every loss, penalty and part, and the choice based on them."""

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

from linclf._types import FloatArray


class Table(NamedTuple):
    """Scores (n_parts, n_losses, n_alphas), penalties from strong to weak, parameters of the losses.

    ``errors`` are standard errors over the rows of a part, for the case of a single part.
    """

    scores: FloatArray
    errors: FloatArray
    alphas: FloatArray
    params: list[dict[str, Any]]

    @property
    def mean(self) -> FloatArray:
        return self.scores.mean(axis=0)

    @property
    def error(self) -> FloatArray:
        """Standard error of the mean."""
        if len(self.scores) == 1:
            return self.errors[0]
        return self.scores.std(axis=0, ddof=1) / np.sqrt(len(self.scores))

    def chosen(self, rule: str) -> tuple[int, int]:
        """Indices of the chosen loss and penalty; of equal scores, the strongest penalty."""
        mean, error = self.mean, self.error
        loss, alpha = np.unravel_index(mean.argmax(), mean.shape)
        if rule == "1se":
            if not np.isfinite(error[loss, alpha]):
                raise ValueError(
                    "rule='1se' needs the standard error of a mean, and a scorer on a single set of rows has "
                    "none; use rule='best', or folds"
                )
            alpha = np.argmax(mean[loss] >= mean[loss, alpha] - error[loss, alpha])
        return int(loss), int(alpha)

    def results(self) -> dict[str, Any]:
        """The results in the form of GridSearchCV, with a row for each loss and penalty."""
        mean, n_losses = self.mean, len(self.params)
        tried = [{"alpha": float(alpha), **params} for params in self.params for alpha in self.alphas]
        found: dict[str, Any] = {"params": tried, "param_alpha": np.tile(self.alphas, n_losses)}
        for name in self.params[0]:
            found[f"param_{name}"] = np.repeat([params[name] for params in self.params], len(self.alphas))
        found |= {f"split{number}_test_score": part.ravel() for number, part in enumerate(self.scores)}
        found |= {"mean_test_score": mean.ravel(), "standard_error": self.error.ravel()}
        return found | {"rank_test_score": rankdata(-mean.ravel(), method="min").astype(np.int32)}
