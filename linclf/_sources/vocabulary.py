"""Numbers for labels that are not numbers, the same in each pass."""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linclf._data.indicators import indicator_of, is_indicator
from linclf._data.labels import labels_of
from linclf._types import IntArray


class Vocabulary:
    """Labels in the order of their first occurrence."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}
        self.lock = threading.Lock()

    def codes(self, labels: NDArray[Any]) -> IntArray:
        """The number of each label; new ones get the next numbers."""
        values, inverse = np.unique(labels_of(labels, "target"), return_inverse=True)
        return self.of_values(values)[inverse]

    def numbered(self, y: Any) -> NDArray[Any]:
        """Labels as numbers; probabilities and indicators of several labels stay numbers."""
        if sparse.issparse(y):
            return (indicator_of(y) > 0).astype(np.int8)
        y = np.asarray(y)
        return self.codes(y) if y.dtype.kind in "OSUT" and not is_indicator(y) else y

    def of_values(self, values: NDArray[Any]) -> IntArray:
        """The same for a few labels that are already checked."""
        with self.lock:
            numbers = [self.numbers.setdefault(value, len(self.numbers)) for value in values.tolist()]
        return np.array(numbers, np.int64)

    def labels(self, codes: IntArray) -> NDArray[Any]:
        """The labels for some numbers."""
        known = list(self.numbers)
        return labels_of([known[code] for code in codes.tolist()], "target")
