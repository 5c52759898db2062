"""A held-out set, and the loss and accuracy of a model on it."""

from typing import NamedTuple

import numpy as np

from linclf._data.dataset import Dataset
from linclf._storage import read_only
from linclf._training.model import LinearModel, row_blocks
from linclf._types import FloatArray, Loss
from linclf.losses._registry import row_losses, trait

MEASURED, COPIED = 2**22, 2**18  # scores of validation rows at once, and of those copied in float64
SUMMED = 4096  # rows whose losses are added up at once


class Validation(NamedTuple):
    """Rows that are not trained on, and the loss that is watched on them.

    If the loss has a method ``class_scores``, the scores (n, n_classes) that it returns decide.
    """

    data: Dataset
    loss: Loss

    def measure(self, model: LinearModel) -> tuple[float, float]:
        """(mean loss, accuracy), in blocks of rows: memory does not grow with rows times classes."""
        y, weights = self.data.counted
        n, model = len(weights), model.laid_out_for(self.data.X)
        values, right = np.empty(n), np.empty(n, bool)
        class_scores, offset = trait(self.loss, "class_scores"), self.data.counted_offset
        for part, X in self.data.blocks(len(model.W), MEASURED):
            scores = model.scores(X)
            if offset is not None:
                scores += offset[part]
            ranking = scores if class_scores is None else class_scores(scores)
            right[part] = y.take(part).hits(ranking)
            self._losses(scores, y.array[part], values[part])
        # parts of a fixed size, so that a sum does not depend on the blocks
        parts = row_blocks(n, 1, SUMMED)
        loss = sum(float(weights[part] @ values[part]) for part in parts) / weights.sum()
        return loss, float(np.average(right, weights=weights))

    def _losses(self, scores: FloatArray, y: np.ndarray, values: FloatArray) -> None:
        """Losses in float64, of a few rows at a time, since the kernel overwrites a copy of the scores."""
        for part in row_blocks(len(scores), scores.shape[1], COPIED):
            block = np.array(scores[part], np.float64, order="C")
            row_losses(self.loss, block, read_only(y[part]), values[part])
