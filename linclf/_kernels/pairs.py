"""Inner products and sums of the vectors that L-BFGS remembers, each read from memory once."""

from linclf._numba import compiled_fast, kernel

BLOCK = 2048  # entries that stay in the first-level cache; their products are summed in the vectors' dtype


@compiled_fast
def _dot(x, y):
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@compiled_fast
def _add(share, x, y):
    for i in range(x.size):
        y[i] += share * x[i]


@kernel
def inner_products(vectors, x, y, sums):
    """Add vectors[i] . x and vectors[i] . y to sums[0, i] and sums[1, i], which are float64."""
    for start in range(0, x.size, BLOCK):
        near, other = x[start : start + BLOCK], y[start : start + BLOCK]
        for i in range(vectors.shape[0]):
            part = vectors[i, start : start + BLOCK]
            sums[0, i] += _dot(part, near)
            sums[1, i] += _dot(part, other)


@kernel
def combination(vectors, shares, x, share, out):
    """out = share x + sum_i shares[i] vectors[i]."""
    for start in range(0, x.size, BLOCK):
        near, total = x[start : start + BLOCK], out[start : start + BLOCK]
        for i in range(near.size):
            total[i] = share * near[i]
        for i in range(vectors.shape[0]):
            _add(shares[i], vectors[i, start : start + BLOCK], total)
