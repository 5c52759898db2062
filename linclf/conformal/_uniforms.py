"""The random number of a row: a hash of its probabilities.

A score with such a number depends on the row and the seed alone, so that the guarantee holds as for any fixed
score, and predicting again, in another order or row by row, gives the same sets. Numbers drawn for each call
would have to be the same for the first row of every call, or differ from call to call.
"""

import numpy as np

from linclf._types import FloatArray


def uniforms(p: FloatArray, seed: int) -> FloatArray:
    """Numbers (n,) in [0, 1) for probabilities (n, K).

    Only the leading 11 bits of each probability count, because the last ones depend on the rows with which a
    row is predicted.
    """
    draws = np.random.RandomState(seed).randint(0, 2**64, size=p.shape[1], dtype=np.uint64)
    bits = np.ascontiguousarray(p, np.float32).view(np.uint32) >> np.uint32(12)
    mixed = (bits * (draws | np.uint64(1))).sum(axis=1)  # modulo 2^64
    # the last steps of SplitMix64, after which every bit depends on all
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53
