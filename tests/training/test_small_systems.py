"""A system of equations for each row, compared with NumPy's solution."""

import numpy as np
import pytest

from linclf._kernels.small_systems import solve_of_rows


@pytest.mark.parametrize("n_classes", [1, 2, 5])
def test_solutions_are_those_of_numpy(n_classes):
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(2, 7, n_classes, n_classes))
    R = rng.normal(size=(7, n_classes))
    expected = np.linalg.solve(np.eye(n_classes) - A @ B, R[:, :, None])[:, :, 0]
    solve_of_rows(A, B, R, np.empty((n_classes, n_classes)))
    np.testing.assert_allclose(R, expected, rtol=1e-9)


def test_a_pivot_of_zero():
    """``I - A B`` is [[0, 1], [1, 0]]."""
    A = np.array([[[1.0, -1.0], [-1.0, 1.0]]])
    R = np.array([[2.0, 3.0]])
    solve_of_rows(A, np.eye(2)[None], R, np.empty((2, 2)))
    np.testing.assert_allclose(R, [[3.0, 2.0]])
