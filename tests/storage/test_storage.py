"""Every storage of rows: each verb by NumPy, epochs by naive training, both heads by finite differences."""

import naive
import numpy as np
import pytest
from cases import OPTIMIZER_CASES, default_run, table
from numba import njit
from scipy import sparse
from scipy.special import expit, log_softmax

from linclf import SoftmaxClassifier
from linclf._kernels import epoch as _epoch
from linclf._kernels.dual import mean_squares
from linclf._kernels.problem import Problem, State, Steps, buffers_for
from linclf._storage import CSR, Copied, InPlace, read_only, sparse_storage, verbs
from linclf._storage.dense import fill_square_norms
from linclf._training.gradients import mean_gradient
from linclf._training.threads import threads
from linclf.heads import Cosine, Linear
from linclf.losses import CosFace, Softmax
from linclf.optimizers import SGD, Adam, Averaged, Momentum

FORMATS = {
    "in-place-float64": (InPlace, np.float64, None),
    "in-place-float32": (InPlace, np.float32, None),
    "copied-float64": (Copied, np.float64, None),
    "copied-float32": (Copied, np.float32, None),
    "csr-float64-int32": (CSR, np.float64, np.int32),
    "csr-float64-int64": (CSR, np.float64, np.int64),
    "csr-float32-int32": (CSR, np.float32, np.int32),
}
# rows in the block, features, classes, value of the constant feature
SIZES = [(1, 5, 2, 1.0), (3, 1, 3, 0.0), (7, 11, 40, 2.0), (8, 5, 6, 1.0), (9, 17, 2, 0.5), (21, 3, 7, 1.0)]
BY_SIZE = pytest.mark.parametrize(("n", "d", "n_classes", "constant"), SIZES)


def sparse_matrix(n, d, seed=0):
    """Random numbers, a third of them zero, and a row of zeros."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * (rng.random((n, d)) < 2 / 3)
    X[n // 2] = 0
    return X


def rows_of(format_name, X, centre=0.0, factor=1.0):
    """The rows in the form for kernels, and X in float64 as the kernels see it."""
    kind, dtype, index = FORMATS[format_name]
    X = X.astype(dtype)
    if kind is CSR:
        matrix = sparse.csr_array(X)
        matrix.indices, matrix.indptr = matrix.indices.astype(index), matrix.indptr.astype(index)
        rows = sparse_storage(matrix, 0.0, np.zeros(0, np.int64))
        return rows, X.astype(np.float64)
    centre, factor = np.full(X.shape[1], centre, dtype), np.full(X.shape[1], factor, dtype)
    arrays, square_norms = (read_only(X), centre, factor), np.empty(len(X), dtype)
    fill_square_norms(*arrays, square_norms)
    return kind(*arrays, square_norms), (X.astype(np.float64) - centre) * factor


def stored(rows, W, dtype=np.float64):
    """A copy of weights (K, d + 1), or of a gradient, in the layout of the rows."""
    return np.array(W.T if isinstance(rows, CSR) else W, dtype, order="C")


def classes_first(rows, V):
    return V.T if isinstance(rows, CSR) else V


def penalised(rows, alphas, dtype=np.float64):
    """Rows and their penalty per feature; CSR lists the features that differ from the first."""
    if isinstance(rows, CSR):
        rows = rows._replace(shared_penalty=float(alphas[0]), exceptions=np.flatnonzero(alphas != alphas[0]))
    return rows, np.append(alphas, 0).astype(dtype)


def close(actual, desired, dtype):
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    atol = max(tolerance * np.abs(desired).max(), np.finfo(dtype).tiny)
    np.testing.assert_allclose(actual, desired, rtol=tolerance, atol=atol)


# ---------------------------------------------------------------- verbs


@njit(error_model="numpy")
def products_and_gradient(rows, constant, ids, block, V, S, G, norms):
    """S holds score gradients on entry and products on return; G gets the gradient, twice."""
    verbs.square_norms(rows, V, norms)
    verbs.gather(rows, constant, ids, block)
    block.S[:] = 0
    block.S[: ids.size] = S
    verbs.gradient(rows, constant, ids, block, G, True)
    verbs.gradient(rows, constant, ids, block, G, False)
    verbs.unfold(rows, G)
    verbs.fold(rows, V, block)
    verbs.products(rows, constant, ids, ids[::-1], V, block)
    S[:] = block.S[: ids.size]


@njit(error_model="numpy")
def least_squares_steps(rows, constant, ids, block, V, steps, penalty):
    """Plain SGD on ``sum_i |V x_i|^2 / 2``; its score gradients are the products themselves."""
    verbs.fold(rows, V, block)
    for step in steps:
        verbs.gather(rows, constant, ids, block)
        verbs.products(rows, constant, ids, ids[:0], V, block)
        verbs.descend(rows, constant, ids, block, V, step, penalty)
    verbs.settle(rows, V, block)


@pytest.mark.parametrize(
    "format_name",
    default_run(
        [name for name in FORMATS if name != "csr-float64-int32"],
        kept=["in-place-float64", "in-place-float32", "copied-float32", "csr-float32-int32"],
    ),
)
@BY_SIZE
def test_products_and_gradients_equal_numpy(format_name, n, d, n_classes, constant):
    dtype, rng = FORMATS[format_name][1], np.random.default_rng(1)
    rows, X = rows_of(format_name, sparse_matrix(n + 5, d), centre=0.25, factor=1.5)
    W = rng.normal(size=(n_classes, d + 1)).astype(dtype)
    G = rng.normal(size=(n_classes, d + 1)).astype(dtype)
    gradient = rng.normal(size=(n, n_classes)).astype(dtype)
    ids = rng.permutation(n + 5)[:n]
    Z = np.column_stack([X, np.full(n + 5, constant)])[ids]

    block = rows.block(n, d, n_classes, dtype)
    ours, norms, S = stored(rows, G, dtype), np.empty(n_classes, dtype), gradient.copy()
    products_and_gradient(rows, constant, ids, block, stored(rows, W, dtype), S, ours, norms)
    close(S, Z @ W.T, dtype)
    close(block.square_norms[:n], (Z**2).sum(axis=1), dtype)
    close(norms, (W.astype(np.float64) ** 2).sum(axis=1), dtype)
    close(classes_first(rows, ours), 2 * gradient.T.astype(np.float64) @ Z, dtype)


@BY_SIZE
def test_descend_equals_numpy(n, d, n_classes, constant):
    """Penalties from none to one that shrinks by 1e4 per step, so that CSR must settle in between.

    In float64 the direct epochs below test the same.
    """
    dtype, rng = np.float32, np.random.default_rng(1)
    rows, X = rows_of("csr-float32-int32", sparse_matrix(n + 5, d))
    ids, steps = rng.permutation(n + 5)[:n], np.full(12, 0.005)
    Z = np.column_stack([X, np.full(n + 5, constant)])[ids]
    for alpha in (0.0, 2.0, 2e6):
        alphas = np.where(np.arange(d) % 3 == 1, 0.3 * alpha + 0.1, alpha)
        W = rng.normal(size=(n_classes, d + 1))
        shrink = 1 / (1 + steps[0] * np.append(alphas, 0))
        V, block = stored(rows, W, dtype), rows.block(n, d, n_classes, dtype)
        rows, penalty = penalised(rows, alphas, dtype)
        least_squares_steps(rows, constant, ids, block, V, steps, penalty)
        for step in steps:
            W = (W - step * (Z @ W.T).T @ Z) * shrink
        close(classes_first(rows, V)[:, -1], W[:, -1], dtype)
        close(classes_first(rows, V)[:, :-1], W[:, :-1], dtype)


@pytest.mark.parametrize("format_name", FORMATS)
@BY_SIZE
def test_two_scores_of_one_product(format_name, n, d, n_classes, constant):
    """One vector of weights acts as two of opposite sign: same loss, half the difference of gradients."""
    dtype, rng = FORMATS[format_name][1], np.random.default_rng(1)
    rows, X = rows_of(format_name, sparse_matrix(n + 5, d), centre=0.25, factor=1.5)
    y, weights = rng.integers(0, 2, n + 5), rng.uniform(0, 2, n + 5)
    v = rng.normal(size=(1, d + 1)).astype(dtype)
    V, ids = stored(rows, v, dtype), rng.permutation(n + 5)[:n]
    head, penalty = Linear(constant, copies=2), np.zeros(d + 1, dtype)
    problem = Problem(rows, head, Softmax(), read_only(y), read_only(weights), penalty)
    state = State(V, np.ones_like(V), np.zeros((len(V), 0, V.shape[1]), dtype), np.zeros(1, np.int64))
    buffers = buffers_for(problem, V, min(n, 6))  # in blocks, the last one smaller
    value = _epoch.batch_gradient(problem, state, buffers, ids, 0.0, np.inf)

    Z = np.column_stack([X, np.full(n + 5, constant)])[ids]
    margin = np.where(y[ids] == 1, 1, -1) * 2 * (Z @ v[0].astype(np.float64))  # of the true class
    close(value, weights[ids] @ np.logaddexp(0, -margin), dtype)
    slope = -np.where(y[ids] == 1, 1, -1) * expit(-margin) * weights[ids] / n
    close(classes_first(rows, state.G)[0], slope @ Z, dtype)


@pytest.mark.parametrize("format_name", ["in-place-float64", "copied-float64", "csr-float64-int32"])
def test_steps_with_two_scores_of_one_product(format_name):
    """Plain SGD directly on the weights, compared with NumPy batch by batch."""
    rng, n, d = np.random.default_rng(1), 21, 5
    rows, X = rows_of(format_name, sparse_matrix(n, d), centre=0.25, factor=1.5)
    rows, penalty = penalised(rows, np.full(d, 0.3))
    y, v, steps = rng.integers(0, 2, n), rng.normal(size=d + 1), np.full(6, 0.1)
    V, ones = stored(rows, v[None]), read_only(np.ones(n))
    problem = Problem(rows, Linear(1.5, copies=2), Softmax(), read_only(y), ones, penalty)
    state = State(V, np.zeros_like(V), np.zeros((len(V), 0, V.shape[1])), np.zeros(1, np.int64))
    buffers = buffers_for(problem, V, 4)
    total, _ = _epoch.epoch_direct(problem, state, buffers, np.arange(n), Steps(4, steps, np.inf))
    Z, sign, losses = np.column_stack([X, np.full(n, 1.5)]), np.where(y == 1, 1, -1), 0.0
    for start, step in zip(range(0, n, 4), steps, strict=True):
        part = slice(start, start + 4)
        margin = sign[part] * 2 * (Z[part] @ v)
        losses += np.logaddexp(0, -margin).sum()
        slope = -sign[part] * expit(-margin) / len(margin)
        v = (v - step * (slope @ Z[part])) / (1 + step * penalty)
    assert total == pytest.approx(losses, rel=1e-12)
    np.testing.assert_allclose(classes_first(rows, state.V)[0], v, rtol=1e-11, atol=1e-13)


# ---------------------------------------------------------------- epochs


class Run:
    """One epoch of softmax regression on 53 rows in any format, also by `naive.train`."""

    n, d, n_classes, constant = 53, 6, 4, 1.5
    alphas = np.array([0.05, 0.05, 0.4, 0.05, 0.001, 0.05])

    def __init__(self, batch, row_limit=np.inf, decay=0.5):
        rng = np.random.default_rng(2)
        self.X, self.batch, self.row_limit = sparse_matrix(self.n, self.d), batch, row_limit
        self.y, weights = rng.integers(0, self.n_classes, self.n), rng.uniform(0, 2, self.n)
        self.weights = weights / weights.mean()
        self.steps = 0.3 * decay ** np.linspace(0, 1, -(-self.n // batch))
        self.W = rng.normal(size=(self.n_classes, self.d + 1)) / 3
        self.centre, self.factor = rng.normal(size=self.d), np.logspace(-0.5, 0.5, self.d)

    def naive(self, optimizer):
        """On the same rows as `kernel`: those of X, for any storage."""
        Z = np.column_stack([self.X, np.full(self.n, self.constant)])
        penalty = np.append(self.alphas, 0)
        return naive.train(
            optimizer, self.W, Z, self.y, self.weights, self.steps, self.batch, penalty, self.row_limit
        )

    def kernel(self, format_name, optimizer=None):
        """Weights, averages if any, loss sum and mean of the first batch; None means the direct optimizer."""
        X, coordinates = self.X, (0.0, 1.0)
        if FORMATS[format_name][0] is not CSR:  # stored in other units, around another point
            X, coordinates = self.X / self.factor + self.centre, (self.centre, self.factor)
        rows, penalty = penalised(rows_of(format_name, X, *coordinates)[0], self.alphas)
        V = stored(rows, self.W)
        slots = np.zeros((len(V), optimizer.n_slots if optimizer else 0, V.shape[1]))
        state = State(V, np.zeros_like(V), slots, np.zeros(1, np.int64))
        y, weights = read_only(self.y), read_only(self.weights)
        problem = Problem(rows, Linear(self.constant), Softmax(), y, weights, penalty)
        buffers = buffers_for(problem, V, self.batch)
        plan, order = Steps(self.batch, self.steps, self.row_limit), np.arange(self.n)
        if optimizer is None:
            total, first = _epoch.epoch_direct(problem, state, buffers, order, plan)
        else:
            total, first = _epoch.epoch(problem, state, optimizer, buffers, order, plan)
        assert state.n_steps[0] == len(self.steps)
        average = classes_first(rows, slots[:, -1]) if isinstance(optimizer, Averaged) else None
        return classes_first(rows, V), average, total, first


PATHS = pytest.mark.parametrize("format_name", ["in-place-float64", "copied-float64", "csr-float64-int32"])


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize("row_limit", [np.inf, 0.1])
@pytest.mark.parametrize(
    ("format_name", "optimizer"),
    [
        ("csr-float64-int32", None),
        ("in-place-float64", None),
        ("copied-float64", None),
        ("csr-float64-int32", SGD()),
        ("in-place-float64", SGD()),
    ],
    ids=["csr-direct", "in-place-direct", "copied-direct", "csr", "in-place"],
)
def test_plain_epoch_equals_naive_training(format_name, optimizer, batch, row_limit):
    run = Run(batch, row_limit)
    W, _, losses = run.naive(naive.sgd)
    V, _, total, first = run.kernel(format_name, optimizer)
    np.testing.assert_allclose(V, W, rtol=1e-10, atol=1e-12)
    assert total == pytest.approx(losses.sum(), rel=1e-12)
    assert first == pytest.approx(losses[:batch].sum() / run.weights[:batch].sum(), rel=1e-12)


@table(OPTIMIZER_CASES)
def test_epoch_equals_naive_training(case):
    """For every optimizer."""
    assert_epoch_equals_naive_training("copied-float64", case)


@table([case for case in OPTIMIZER_CASES if type(case.optimizer) in (SGD, Adam)])
def test_sparse_epoch_equals_naive_training(case):
    assert_epoch_equals_naive_training("csr-float64-int32", case)


def assert_epoch_equals_naive_training(format_name, case):
    run = Run(20)
    W, _, losses = run.naive(case.step)
    V, _, total, first = run.kernel(format_name, case.optimizer)
    np.testing.assert_allclose(V, W, rtol=1e-9, atol=1e-11)
    assert total == pytest.approx(losses.sum(), rel=1e-12)
    assert first == pytest.approx(losses[:20].sum() / run.weights[:20].sum(), rel=1e-12)


@PATHS
def test_epoch_averages_the_path(format_name):
    run, case = Run(7), next(case for case in OPTIMIZER_CASES if type(case.optimizer) is Momentum)
    W, path, _ = run.naive(case.step)
    V, average, _, _ = run.kernel(format_name, Averaged(case.optimizer))
    np.testing.assert_allclose(V, W, rtol=1e-9, atol=1e-11)
    expected = np.average(path, axis=0, weights=np.arange(1, len(path) + 1))
    np.testing.assert_allclose(average, expected, rtol=1e-9, atol=1e-11)


def test_read_only_arrays_share_a_signature_with_writable_ones():
    X = sparse_matrix(300, 4)
    y = np.arange(300) % 3
    for make in (np.array, sparse.csr_array):
        counts, fits = [], []
        for writable in (True, False):
            data, target = make(X), y.copy()
            for array in (data.data, data.indices, data.indptr) if sparse.issparse(data) else (data,):
                array.flags.writeable = writable
            target.flags.writeable = writable
            fits.append(
                SoftmaxClassifier(learning_rate=0.1, max_iter=1, random_state=0).fit(data, target).coef_
            )
            counts.append((len(_epoch.epoch_direct.signatures), len(_epoch.epoch.signatures)))
        assert counts[0] == counts[1]
        assert max(counts[0]) > 0
        np.testing.assert_array_equal(fits[0], fits[1])


# ---------------------------------------------------------------- gradients


def collected(rows, head, loss, W, y, weights, buffer_rows=8):
    """Loss sum and gradient (K, d + 1), collected in blocks of a few rows."""
    V = stored(rows, W)
    state = State(V, np.full_like(V, np.nan), np.zeros((len(V), 0, V.shape[1])), np.zeros(1, np.int64))
    problem = Problem(rows, head, loss, read_only(y), read_only(weights), np.zeros(W.shape[1]))
    buffers = buffers_for(problem, V, buffer_rows)
    total = _epoch.batch_gradient(problem, state, buffers, np.arange(len(y)), 0.0, np.inf)
    return total, classes_first(rows, state.G) * len(y)


def cosine_objective(W, X, constant, y, weights, loss):
    C = naive.cosine_scores(W, np.column_stack([X, np.full(len(X), constant)]))
    return sum(w * naive.cosface(c, k, *loss) for w, c, k in zip(weights, C, y, strict=True))


@PATHS
@pytest.mark.parametrize("constant", [0.0, 0.7])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_cosine_gradient_equals_differences(format_name, constant, n_classes):
    """Through both normalisations, with weights of very different norms and a row of zeros."""
    rng, n, d = np.random.default_rng(3), 19, 4
    rows, X = rows_of(format_name, sparse_matrix(n, d))
    W = rng.normal(size=(n_classes, d + 1)) * np.logspace(-1, 1, n_classes)[:, None]
    y, weights, loss = rng.integers(0, n_classes, n), rng.uniform(0.1, 2, n), CosFace(5.0, 0.3)

    total, gradient = collected(rows, Cosine(constant), loss, W, y, weights)
    arguments = X, constant, y, weights, loss
    assert total == pytest.approx(cosine_objective(W, *arguments), rel=1e-12)
    expected = naive.central_gradient(lambda W: cosine_objective(W, *arguments), W)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())
    # the loss does not depend on the norm of w_k, so its gradient is orthogonal to w_k
    assert np.abs((gradient * W).sum(axis=1)).max() <= 1e-12 * np.abs(gradient).max()


@PATHS
def test_zero_rows_and_zero_weights_have_cosine_zero(format_name):
    rng, loss = np.random.default_rng(3), CosFace(5.0, 0.3)
    rows, X = rows_of(format_name, np.vstack([np.zeros((2, 4)), sparse_matrix(9, 4)]))
    W, y, weights = rng.normal(size=(3, 5)), rng.integers(0, 3, 11), np.ones(11)
    W[1] = 0
    total, gradient = collected(rows, Cosine(0.0), loss, W, y, weights)
    assert total == pytest.approx(cosine_objective(W, X, 0.0, y, weights, loss), rel=1e-12)
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient[1], 0)
    # zero rows do not contribute: the gradient is that of the others
    rows, _ = rows_of(format_name, X[2:])
    others = collected(rows, Cosine(0.0), loss, W, y[2:], weights[2:])[1]
    np.testing.assert_allclose(gradient, others, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n_classes", [3, 33])
def test_threaded_gradient_is_the_same_for_any_number_of_threads(n_classes):
    rng, n, d = np.random.default_rng(4), 12_006, 3
    rows, X = rows_of(("in-place" if n_classes == 3 else "copied") + "-float64", rng.normal(size=(n, d)))
    y, weights = rng.integers(0, n_classes, n), rng.uniform(0, 2, n)
    problem = Problem(rows, Linear(1.0), Softmax(), read_only(y), read_only(weights), np.zeros(1))
    V, ids = rng.normal(size=(n_classes, d + 1)), rng.permutation(n)

    def gradient(n_jobs):
        with threads(n_jobs, 7) as pool:
            assert (pool is None) == (n_jobs == 1)
            return mean_gradient(problem, V, ids, 7, pool)

    total, G = gradient(1)
    for n_jobs in (2, 3):
        again, G_again = gradient(n_jobs)
        assert again == total
        np.testing.assert_array_equal(G_again, G)
    Z = np.column_stack([X, np.ones(n)])
    log_p = log_softmax(Z @ V.T, axis=1)
    residual = (np.exp(log_p) - np.eye(n_classes)[y]) * (weights / n)[:, None]
    assert total == pytest.approx(-weights @ log_p[np.arange(n), y], rel=1e-11)
    np.testing.assert_allclose(G, residual.T @ Z, rtol=1e-10, atol=1e-14)


# ---------------------------------------------------------------- where arrays lie


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [3, 4, 5, 8, 17, 64])
def test_a_row_is_the_same_wherever_its_buffer_lies(width, dtype):
    """Just behind the centre, another version of a loop took over, which summed in another order."""
    rng = np.random.default_rng(0)
    X, shares = rng.normal(size=(50, width)).astype(dtype), rng.dirichlet(np.ones(50))
    arena = np.zeros(3 * width + 512)
    centre = arena[:width].view(dtype)[:width]
    centre[:] = X.mean(axis=0)
    ones = np.ones(width, dtype)
    storage = Copied(X, read_only(centre), read_only(ones), np.zeros(50, dtype))
    found = set()
    for gap in range(0, 512 - width, 2):
        z = arena[width + gap : 2 * width + gap]
        found.add(mean_squares(storage, np.arange(50), shares, z))
    (square,) = found
    difference = X.astype(np.float64) - centre
    assert square == pytest.approx(shares @ (difference**2).sum(axis=1), rel=1e-12)
