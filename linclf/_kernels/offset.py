"""Known scores of rows: they are added to the products of rows with weights."""

from linclf._numba import bare


@bare
def add_offset(problem, ids, block):
    """Add the offset of some rows to their products in block.S, if the problem has one."""
    offset, S = problem.offset, block.S
    if offset.size > 0:
        for k in range(offset.shape[1]):
            for r in range(ids.size):
                S[r, k] += offset[ids[r], k]
