"""Types that many files name."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
Matrix = NDArray[np.floating[Any]] | csr_array
