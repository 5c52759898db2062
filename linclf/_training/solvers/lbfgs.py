r"""L-BFGS for smooth losses, in coordinates in which the Hessian is nearly a multiple of the identity.

With rows z in training coordinates (the constant included), the Hessian of the objective for one
class, averaged over the classes, is

    M = mean_i h_i z_i z_i' + penalty,      h_i = trace of the Hessian of row i's loss / K.

SciPy's L-BFGS runs in ``U = V L`` with ``M = L L'``: a Cholesky factor for dense rows of up to
`CHOLESKY` features, else the diagonal. M is taken from a sample of the rows, first at the start, where
all h are alike. Once a rough solution is known (found on the sample, where the data are much larger)
they are not: rows that are classified with confidence hardly count, and M is taken again there.
The objective is unchanged, only the path to it.
"""

import time
import warnings

import numpy as np
from scipy import sparse
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from linclf import _storage as _rows
from linclf._training import objective as _objective
from linclf._training.train import OVERFLOW, Outcome, Watch, report
from linclf.heads import Cosine
from linclf.losses._registry import row_losses, trait

CHOLESKY = 4096  # features up to which the Hessian is factored
SAMPLE, FEWEST = 4, 1000  # rows of the sample: a multiple of the features, and the least
ROUGH, ROUGH_ITERATIONS = 0.1, 30  # relative gradient norm, or iterations, before M is taken again
LEAST = 1e-3  # curvature that every row has in M, as a share of the loss's
DIRECTIONS = 16  # in which the curvature of a loss is measured, at most
CHUNK = 256  # rows of the sample that are copied at once


def check_smooth(loss):
    if not trait(loss, "smooth"):
        raise ValueError(
            f"solver='lbfgs' needs a smooth loss, and {loss!r} has kinks; use solver='sgd', or the squared "
            "form of the loss"
        )


def train(session, problem, max_iter, validation, rng, callbacks=None):
    """Minimise the objective of a problem that the session has prepared."""
    run = _Run(session, problem, max_iter, validation, callbacks)
    everything = session.rows
    size = max(SAMPLE * run.shape[1], FEWEST)
    sample = np.sort(rng.choice(everything, size, replace=False)) if size < run.n else everything
    tol = session.settings.tol or 0.0
    if not run.V.any():
        run.minimise(sample if 4 * size < run.n else everything, sample, ROUGH_ITERATIONS, max(tol, ROUGH))
    if not run.finished:
        run.minimise(everything, sample, max_iter, tol)
    return run.outcome()


class _Run:
    def __init__(self, session, problem, max_iter, validation, callbacks):
        self.session, self.validation, self.callbacks = session, validation, callbacks
        self.max_iter, self.n = max_iter, len(session.rows)
        if isinstance(session.head, Cosine):
            # cosines do not change with the length of the weights: a penalty on it has no minimum
            problem = problem._replace(penalty=np.zeros_like(problem.penalty))
        self.problem = problem
        self.V = self.weights_of(session.state.V).astype(np.float64)
        self.shape = self.V.shape
        self.penalty = problem.penalty.astype(np.float64)
        self.history = {"objective": [], "gradient_norm": [], "seconds": []}
        if validation is not None:
            self.history |= {"validation_loss": [], "validation_score": []}
        settings = session.settings
        self.watch, self.best = Watch(settings.tol, settings.n_iter_no_change), (np.inf, None, None)
        self.finished, self.norm, self.distance = False, np.inf, np.inf
        self.started = time.perf_counter()
        # zero weights have no cosines: there the start is the measure
        start = self.V if isinstance(session.head, Cosine) else np.zeros(self.shape)
        norm = np.linalg.norm(self.value_and_gradient(start, session.rows)[1])
        # where labels and features have nothing to do with each other, rounding is all there is
        self.scale = norm if norm > 10 * np.finfo(session.dtype).eps else np.inf

    def weights_of(self, V):
        """Classes first, or back to the layout of the rows."""
        return V.T if self.session.is_sparse else V

    def value_and_gradient(self, V, ids):
        """Mean loss of rows ``ids`` plus the penalty."""
        session = self.session
        stored = np.ascontiguousarray(self.weights_of(V), dtype=session.dtype)
        n_pieces = session.n_pieces(self.problem, len(ids))
        with _objective.threads(session.settings.n_jobs, n_pieces) as pool:
            loss, G = _objective.gradient(
                self.problem,
                stored,
                lambda: session.buffers(self.problem),
                ids,
                n_pieces,
                (0.0, np.inf),
                pool,
            )
        value = loss / len(ids) + 0.5 * float(np.einsum("ij,ij,j->", V, V, self.penalty))
        return value, self.weights_of(G) + self.penalty * V

    def minimise(self, ids, sample, max_iter, tol):
        """Run L-BFGS on rows ``ids`` from self.V to the best weights found, which are left there."""
        whole = len(ids) == self.n
        left = min(max_iter, self.max_iter - len(self.history["objective"])) if whole else max_iter
        if not left:
            return
        factor, seen = _Factor(self, sample), {}

        def value_and_gradient(u):
            if not np.array_equal(seen.get("u"), u):  # the last evaluation is asked for again
                V = factor.weights(u.reshape(self.shape))
                value, G = self.value_and_gradient(V, ids)
                seen.update(u=u.copy(), V=V, value=value, gradient=factor.gradient(G).ravel())
                seen["norm"] = float(np.linalg.norm(G) / self.scale)
            return seen["value"], seen["gradient"]

        def reached(u):
            value, _ = value_and_gradient(u)
            self.V, self.norm = seen["V"], seen["norm"]
            self.finished = whole and self.norm <= (self.session.settings.tol or 0.0)
            return value, self.norm <= tol

        def after_iteration(intermediate_result):
            value, enough = reached(intermediate_result.x)
            if whole and self.record(value):
                self.finished = True
            if enough or self.finished:
                raise StopIteration

        start = factor.coordinates(self.V).ravel()
        value, enough = reached(start)
        if enough:
            if whole and not self.history["objective"]:
                self.record(value)
            return
        options = {"maxiter": left, "maxfun": 20 * left, "ftol": 0.0, "gtol": 0.0}
        with np.errstate(over="ignore", invalid="ignore"):  # which is looked at when all is done
            result = minimize(
                value_and_gradient,
                start,
                method="L-BFGS-B",
                jac=True,
                callback=after_iteration,
                options=options,
            )
        # what the last quadratic model says is left
        self.distance = 0.5 * float(result.jac @ result.hess_inv.matvec(result.jac))

    def record(self, value):
        """Keep what a user may want to see of an iteration; returns whether to stop."""
        session, history = self.session, self.history
        if self.callbacks is not None:
            self.callbacks.begin()
        session.state.V[:] = self.weights_of(self.V)
        history["objective"].append(float(value))
        history["gradient_norm"].append(self.norm)
        stop = False
        if self.validation is not None:
            W, b = session.published()
            loss, score = self.validation.measure(W, b)
            history["validation_loss"].append(loss)
            history["validation_score"].append(score)
            if loss < self.best[0]:
                self.best = loss, W, b
            stop = self.watch.stalled(loss)
        history["seconds"].append(time.perf_counter() - self.started)
        report(session.settings.verbose, "iteration", self.max_iter, history)
        return stop | (self.callbacks is not None and bool(self.callbacks.end(session)))

    def outcome(self):
        """The weights reached, with a warning where they are not what was asked for."""
        self.session.state.V[:] = self.weights_of(self.V)
        tol, iterations = self.session.settings.tol, len(self.history["objective"])
        W, b = self.session.published() if self.best[1] is None else self.best[1:]
        if not (np.isfinite(W).all() and np.isfinite(b).all() and np.isfinite(self.norm)):
            raise ValueError(OVERFLOW)
        if not self.finished and tol is not None:
            why, remedy = "the line search found no lower point in the precision of X", "raise tol"
            if iterations >= self.max_iter:
                why, remedy = f"max_iter={self.max_iter} iterations were not enough", "raise max_iter or tol"
            start = "the start" if isinstance(self.session.head, Cosine) else "zero weights"
            warnings.warn(
                f"{why}: the gradient norm is {self.norm:.1e} of that at {start} (tol={tol}), and the "
                f"objective is estimated to be {self.distance:.1e} above its minimum; {remedy}",
                ConvergenceWarning,
                stacklevel=2,
            )
        return Outcome(W, b, self.history, max(iterations, 1))


class _Factor:
    """L with ``M = L L'``, and the way between weights V and coordinates ``U = V L``."""

    def __init__(self, run, sample):
        self.session, self.problem, self.V = run.session, run.problem, run.V
        n_features, n_rows = run.shape[1], len(self.problem.targets.weights)
        self.diagonal = self.session.is_sparse or n_features > CHOLESKY
        if isinstance(self.session.head, Cosine):
            self.diagonal, self.L = True, np.ones(n_features)
            return
        M, mass, n_classes = 0.0, 0.0, len(self.V)
        floor = LEAST * self.session.curvature / n_classes
        for start in range(0, len(sample), CHUNK):
            ids = sample[start : start + CHUNK]
            Z, weights = self.rows(ids, n_rows), self.problem.targets.weights[ids]
            h = row_curvature(self.problem.loss, Z @ self.V.T, self.problem.targets.y[ids])
            h = (h + floor) * weights
            M = M + self.second_moments(Z, h)
            mass += weights.sum()
        M /= mass
        if self.diagonal:
            M += run.penalty
            self.L = np.sqrt(M + 1e-9 * (M.max() or 1.0))
        else:
            M[np.diag_indices(n_features)] += run.penalty + 1e-10 * (np.trace(M) / n_features or 1.0)
            self.L = np.linalg.cholesky(M)

    def rows(self, ids, n_rows):
        """Rows in training coordinates, float64, with the constant."""
        rows, constant = self.problem.rows, np.full((len(ids), 1), self.session.head.intercept)
        if isinstance(rows, _rows.CSR):
            X = sparse.csr_array((rows.data, rows.indices, rows.indptr), shape=(n_rows, self.V.shape[1] - 1))
            return sparse.hstack([X[ids].astype(np.float64), constant], format="csr")
        return np.hstack([(rows.X[ids] - rows.centre) * rows.factor.astype(np.float64), constant])

    def second_moments(self, Z, h):
        if self.diagonal:
            return Z.power(2).T @ h if sparse.issparse(Z) else (Z * Z).T @ h
        Z *= np.sqrt(h)[:, None]
        return Z.T @ Z

    def weights(self, U):
        if self.diagonal:
            return U / self.L
        return solve_triangular(self.L, U.T, lower=True, trans="T", check_finite=False).T

    def gradient(self, G):
        if self.diagonal:
            return G / self.L
        return solve_triangular(self.L, G.T, lower=True, check_finite=False).T

    def coordinates(self, V):
        return V * self.L if self.diagonal else V @ self.L


def row_curvature(loss, scores, y):
    """Mean diagonal of the Hessian of the loss of each row, from differences of its gradient.

    For many classes it is estimated from directions of signs (Hutchinson 1989), the same for all rows
    so that their order does not matter.
    """
    n_classes, h = scores.shape[1], 1e-6
    directions = np.eye(n_classes)
    if n_classes > DIRECTIONS:
        directions = np.random.default_rng(0).choice([-1.0, 1.0], (DIRECTIONS, n_classes))
    y, values = _rows.read_only(y), np.empty(len(scores))

    def gradients(scores):
        row_losses(loss, scores, y, values)
        return scores

    base, total = gradients(scores.copy()), 0.0
    for direction in directions:
        total = total + (gradients(scores + h * direction) - base) @ direction / h
    return np.maximum(total, 0) / (directions**2).sum()
