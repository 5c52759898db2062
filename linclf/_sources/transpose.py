"""Columns to rows: files hold one column after the other, kernels want rows."""

from linclf._numba import kernel

TILE = 32  # rows whose cache lines are filled before the next ones


@kernel
def fill_rows(columns, rows):
    n_rows, n_columns = rows.shape
    for start in range(0, n_rows, TILE):
        stop = min(start + TILE, n_rows)
        for j in range(n_columns):
            for i in range(start, stop):
                rows[i, j] = columns[j, i]
