"""Models along a path of penalties by adelie, in an environment of its own: adelie needs NumPy < 2.

Run it as ``python -I adelie_script.py INPUT.npz OUTPUT.npz``; it imports NumPy, SciPy and adelie only.
`benchmarks/peers/adelie_process.py` writes the input, starts it and reads the output.

For K > 2 classes adelie minimises

    1/K * sum_i w_i loss_i(W, b) + lmda * sum_g omega_g (a |W_g|_2 + (1 - a)/2 |W_g|_2^2),   sum_i w_i = 1,

and for two classes the same without the 1/K. Its groups g are the features, with the weights of all classes,
and omega_g is sqrt(K) by default. So our objective

    sum_i w_i loss_i(W, b) + alpha (l1_ratio * R(W) + (1 - l1_ratio)/2 |W|^2)

is lmda = alpha / K (alpha for two classes), a = l1_ratio and omega = 1, with the groups of adelie if R sums
the norms of features. If R is the sum of absolute values, each weight is a group. `grpnet` cannot express
that for more than two classes, so the state that it would create is created here.
`tests/oracles/test_sparse_weights.py` checks that the optima are those of our objective.
"""

import sys
import time

import adelie as ad
import numpy as np
from scipy import sparse


def main(source, target):
    with np.load(source) as given:
        given = dict(given)
    shape, y, w = given["shape"], given["y"], given["sample_weight"]
    if "X" in given:
        X = np.asfortranarray(given["X"], dtype=np.float64)
    else:
        X = sparse.csr_matrix((given["data"], given["indices"], given["indptr"]), shape=shape).tocsc()
    settings = {
        "alpha": float(given["l1_ratio"]),
        "tol": float(given["tol"]),
        "irls_tol": float(given["tol"]),
        "n_threads": int(given["n_threads"]),
        "early_exit": False,  # the whole path, however much of the deviance is explained
        "intercept": True,
    }
    n_classes = int(y.max()) + 1
    alphas = given["alphas"] if n_classes == 2 else given["alphas"] / n_classes
    started = time.perf_counter()
    if sparse.issparse(X):
        X = ad.matrix.sparse(X, method="naive", n_threads=settings["n_threads"])
    else:
        X = ad.matrix.dense(X, method="naive", n_threads=settings["n_threads"])
    if n_classes == 2:
        state = binomial(X, y, w, alphas, settings)
    else:
        state = multinomial(X, y, w, alphas, settings, bool(given["grouped"]))
    seconds = time.perf_counter() - started
    order = np.argsort(-np.asarray(state.lmdas))  # adelie sorts its path, as ours is
    betas = sparse.csr_matrix(state.betas)[order]
    np.savez(
        target,
        seconds=seconds,
        alphas=np.asarray(state.lmdas)[order] * (1 if n_classes == 2 else n_classes),
        data=betas.data,
        indices=betas.indices,
        indptr=betas.indptr,
        intercepts=np.asarray(state.intercepts, dtype=np.float64).reshape(len(order), -1)[order],
        error=str(getattr(state, "error", "") or ""),
    )


def binomial(X, y, w, alphas, settings):
    """One weight vector; groups of one feature, so the default omega is 1."""
    glm = ad.glm.binomial(y.astype(np.float64), weights=w)
    return ad.grpnet(X, glm, lmda_path=alphas, progress_bar=False, **settings)


def multinomial(X, y, w, alphas, settings, grouped):
    glm = ad.glm.multinomial(np.asfortranarray(np.eye(int(y.max()) + 1)[y], dtype=np.float64), weights=w)
    if grouped:
        ones = np.ones(X.cols())
        return ad.grpnet(X, glm, penalty=ones, lmda_path=alphas, progress_bar=False, **settings)
    n, n_classes = glm.y.shape
    n_weights = (X.cols() + 1) * n_classes  # the intercepts first, which are not penalised
    omega = np.ones(n_weights)
    omega[:n_classes] = 0
    eta, residual = np.zeros((n, n_classes)), np.empty((n, n_classes))
    glm.gradient(eta, residual)
    expanded = ad.matrix.concatenate(
        [
            ad.matrix.kronecker_eye(np.ones((n, 1)), n_classes, n_threads=settings["n_threads"]),
            ad.matrix.kronecker_eye(X, n_classes, n_threads=settings["n_threads"]),
        ],
        axis=1,
        n_threads=settings["n_threads"],
    )
    gradient = np.empty(n_weights)
    expanded.mul(residual.ravel(), np.ones(eta.size), gradient)
    free = np.arange(n_classes)
    active = np.empty(n_weights, dtype=int)
    active[:n_classes] = free
    state = ad.state.multiglm_naive(
        X=X,
        glm=glm,
        constraints=None,
        groups=np.arange(n_weights),
        group_sizes=np.ones(n_weights, dtype=int),
        penalty=omega,
        offsets=np.zeros((n, n_classes)),
        lmda_path=alphas,
        lmda=np.inf,
        screen_set=free,
        screen_beta=np.zeros(n_classes),
        screen_is_active=np.ones(n_classes, dtype=bool),
        active_set_size=n_classes,
        active_set=active,
        grad=gradient,
        eta=eta.ravel(),
        resid=residual.ravel(),
        loss_full=glm.loss_full(),
        **settings,
    )
    return state.solve(progress_bar=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
