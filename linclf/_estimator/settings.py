"""What training needs, from the parameters of an estimator."""

from joblib import effective_n_jobs

from linclf._training.settings import Settings
from linclf.optimizers import Still, resolve

TOL_SGD, TOL_LBFGS = 1e-6, 1e-4  # of the objective, of the gradient
STOCHASTIC = ("learning_rate", "schedule", "batch_size", "average")  # parameters that "lbfgs" does not have


def settings_of(estimator):
    """Checked where one parameter decides what another may be."""
    if estimator.schedule == "adaptive" and estimator.tol is None:
        raise ValueError("schedule='adaptive' reduces the step by tol, and tol=None; give a number")
    if estimator._adjustment() and not estimator.fit_intercept:
        raise ValueError(
            f"logit_adjustment={estimator.logit_adjustment!r} acts on the intercepts, and with "
            "fit_intercept=False there are none; use fit_intercept=True"
        )
    whole, tol = estimator.solver == "lbfgs", estimator.tol
    if whole:
        for name in STOCHASTIC:
            default = estimator._declared[name].default
            if getattr(estimator, name) != default:
                raise ValueError(
                    f"{name}={getattr(estimator, name)!r} has no meaning with solver='lbfgs', which "
                    f"takes its steps from line searches over all rows; leave it at {default!r}"
                )
    if tol == "auto":
        tol = TOL_LBFGS if whole else TOL_SGD
    return Settings(
        alpha=float(estimator.alpha),
        fit_intercept=estimator.fit_intercept,
        optimizer=Still() if whole else resolve(estimator.solver, estimator.average),
        learning_rate=estimator.learning_rate,
        schedule=estimator.schedule,
        batch_size=estimator.batch_size,
        max_iter=estimator.max_iter,
        tol=tol,
        n_iter_no_change=estimator.n_iter_no_change,
        shuffle=estimator.shuffle,
        n_jobs=effective_n_jobs(estimator.n_jobs),
        verbose=estimator.verbose,
    )
