"""Table of the parameters and fitted attributes that classifiers share."""

from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from linclf._estimator.declared import Declared, attribute, parameter
from linclf._training.schedules import SCHEDULES
from linclf._training.solvers import EXACT
from linclf._types import FloatArray, LabelArray
from linclf.calibration import CALIBRATORS
from linclf.calibration._base import Calibrator
from linclf.optimizers import OPTIMIZERS, Averaged, Optimizer

PENALTIES = "l2", "l1", "elasticnet", "group"


class CommonParameters(Declared):
    """Parameters and attributes of every classifier, unless it declares otherwise."""

    alpha: float = parameter(
        default=1e-4,
        constraint=[Interval(Real, 0, None, closed="left")],
        type="float >= 0",
        description="""
        The strength of the penalty, by default ``alpha/2 * |coef_|^2`` added to the mean loss; C of
        LogisticRegression is ``1 / (alpha * n_samples)``. The intercept is not penalised.
        """,
    )
    penalty: str = parameter(
        default="l2",
        constraint=[StrOptions(set(PENALTIES))],
        type='{"l2", "l1", "elasticnet", "group"}',
        description="""
        What is added to the mean loss: ``alpha * (r * N + (1 - r)/2 * |coef_|^2)``. "l2" has r = 0. The norm
        N is the sum of ``|coef_|`` for "l1" (r = 1) and "elasticnet" (r = `l1_ratio`), which makes weights
        exactly 0. For "group" it is the sum over the features of the length of their weights for all classes,
        which become 0 together. All but "l2" need all rows in memory, and linear scores.
        """,
    )
    l1_ratio: float | None = parameter(
        default=None,
        constraint=[Interval(Real, 0, 1, closed="both"), None],
        type="float in [0, 1] or None",
        description="""
        The share r of the norm in the penalty, for "elasticnet" (None means 0.5) and "group" (None means 1).
        """,
    )
    standardize: bool = parameter(
        default=False,
        constraint=["boolean"],
        type="bool",
        description="""
        Whether to penalise ``coef_ * standard deviation`` of the columns, as if a StandardScaler came before
        the classifier; the model stays in the units of X. The deviations are those of the training rows, with
        their sample and class weights. Sparse columns are never centred: root mean squares are used for them.
        A numeric `learning_rate` is then in these units too, and cosines are those of standardised rows. Not
        available in ``partial_fit``.
        """,
    )
    fit_intercept: bool = parameter(
        default=True,
        constraint=["boolean"],
        type="bool",
        description="Whether to fit an intercept.",
    )
    solver: str | Optimizer = parameter(
        default="auto",
        constraint=[StrOptions({"auto", *OPTIMIZERS, *EXACT}), *OPTIMIZERS.values(), Averaged],
        type="str or optimizer",
        description="""
        "auto", "newton", "lbfgs", "newton-cd", "dual", "sgd", "momentum", "nesterov", "adagrad", "rmsprop",
        "adam", or an object of `linclf.optimizers`, such as ``Adam(beta1=0.8)``. Newton's method and L-BFGS
        find the minimum of a smooth loss, using all rows in each step, "newton-cd" that with a penalty other
        than "l2". "dual" finds that of a hinge loss that is not squared, and needs alpha > 0 and a label for
        each row. "auto" chooses "newton" for small tables and for few features, up to 128 classes, "lbfgs"
        for all larger ones, "newton-cd" for smooth losses with another penalty, and "dual" for such hinges if
        rows times classes are at most 65,536. It chooses "sgd" for other losses with kinks or on cosines,
        with validation rows, in ``partial_fit``, if one of `learning_rate`, `schedule`, `batch_size`,
        `average` and `shuffle` is given, and if a pass over the rows takes seconds.
        """,
    )
    learning_rate: float | Literal["auto"] = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        type='"auto" or float > 0',
        description="""
        Initial step size. "auto" derives it from the data, trains on centred and scaled features if X
        is dense (the model and its penalty stay in the units of X), scales down sparse columns that
        outweigh all others, and adds Nesterov momentum to plain "sgd" if one batch holds all rows
        and the loss is smooth. A number is used as it is, in the units of X, without these changes.
        """,
        with_exact='Not for "newton", "lbfgs", "dual" and "newton-cd"; if it is given, "auto" chooses "sgd".',
    )
    schedule: str = parameter(
        default="linear",
        constraint=[StrOptions(set(SCHEDULES))],
        type='{"constant", "linear", "cosine", "invscaling", "adaptive"}',
        description="""
        How the step size changes: "linear" and "cosine" fall to 0 at the last epoch, "invscaling" is
        ``t**-0.25`` at step t, and "adaptive" divides it by 5 whenever the objective stalls.
        """,
        with_exact='Not for "newton", "lbfgs", "dual" and "newton-cd"; if it is given, "auto" chooses "sgd".',
    )
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        type='"auto" or int >= 1',
        description="""
        Rows per mini-batch. "auto" is all rows if ``fit`` gets up to 1,024 (64 for losses with kinks, that
        is, hinges that are not squared). Otherwise it is, for plain "sgd", 8 if X is sparse, 16 if it is
        dense, 64 for 32 classes or more, and 256 if the weights do not fit into the cache; for other
        optimizers, 64 or 256.
        """,
        with_exact='Not for "newton", "lbfgs", "dual" and "newton-cd"; if it is given, "auto" chooses "sgd".',
    )
    max_iter: int | Literal["auto"] = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        type='"auto" or int >= 1',
        description="""
        Maximum number of passes over the data. "auto" is 1000 for full batches. For mini-batches it is
        ``10 * (60_000 / n_samples)**1.4`` between 5 and 1000 if X is dense, and ``144_000 / n_samples``
        between 8 and 1000 if X is sparse.
        """,
        with_exact='For "newton", "lbfgs", "dual" and "newton-cd" it counts iterations, and "auto" is 1000.',
    )
    tol: float | Literal["auto"] | None = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Real, 0, None, closed="left"), None],
        type='"auto", float >= 0 or None',
        description="""
        Training stops when the watched value has not fallen by this share of itself for
        `n_iter_no_change` epochs; "auto" is 1e-6, and None means never. The watched value is the validation
        loss with early stopping, else the training objective. The latter is not watched with mini-batches (or
        kinks) and a "linear" or "cosine" schedule: noise hides the progress until the step has fallen, and
        training ends with the schedule. If noise may be the reason that the validation loss does not fall,
        and with the "adaptive" schedule, the step is first divided by 5, down to 1e-3 of the initial one.
        """,
        with_exact="""
        For "newton" and "lbfgs" it is how far the objective may stay above its minimum, by a cautious
        estimate, as a share of its fall from the best intercepts alone (for cosines, from the start) to the
        minimum. It is also the share by which the validation loss has to fall; "auto" is 1e-4. For "dual" it
        is the same share, but proven instead of estimated, and so for "newton-cd" if the loss is convex.
        """,
    )
    n_iter_no_change: int = parameter(
        default=5,
        constraint=[Interval(Integral, 1, None, closed="left")],
        type="int >= 1",
        description="Number of epochs without progress, as defined by `tol`, after which training stops.",
        with_exact='For "newton" and "lbfgs" it applies to the validation loss only.',
    )
    early_stopping: bool | Literal["auto"] = parameter(
        default="auto",
        constraint=["boolean", StrOptions({"auto"})],
        type='bool or "auto"',
        description="""
        True watches the loss on held-out rows instead of the training objective, and keeps the weights of
        the best epoch; "auto" does so if ``fit`` gets an ``X_val``.
        """,
    )
    validation_fraction: float = parameter(
        default=0.1,
        constraint=[Interval(Real, 0, 1, closed="neither")],
        type="float in (0, 1)",
        description="""
        Share of the rows to hold out if ``fit`` gets no ``X_val``. They are stratified by class if there are
        at least as many of them as classes. At least one row of each class stays in training.
        """,
    )
    calibration: str | Calibrator | None = parameter(
        default=None,
        constraint=[StrOptions(set(CALIBRATORS)), HasMethods(["fit", "predict_proba"]), None],
        type='{"temperature", "platt", "vector", "dirichlet", "auto"}, calibrator or None',
        description="""
        The calibrator of `linclf.calibration` that turns scores into the results of `predict_proba` and
        `predict`. It is fitted on the validation rows (``X_val``, or those of ``early_stopping=True``),
        without `class_weight`, and gives probabilities to losses that have none. Several labels a row have
        one each, a `linclf.calibration.PerLabelCalibration`.
        """,
    )
    average: bool = parameter(
        default=False,
        constraint=["boolean"],
        type="bool",
        description="Whether to publish an average of the weights over the steps (`optimizers.Averaged`).",
        with_exact='Not for "newton", "lbfgs", "dual" and "newton-cd"; if it is given, "auto" chooses "sgd".',
    )
    shuffle: bool = parameter(
        default=True,
        constraint=["boolean"],
        type="bool",
        description="""
        Whether to visit the rows in a new random order in each epoch. It has no effect on full batches.
        """,
        with_exact='It also has none on "newton" and "lbfgs"; if it is False, "auto" chooses "sgd".',
    )
    class_weight: dict[Any, float] | list[dict[int, float]] | Literal["balanced"] | None = parameter(
        default=None,
        constraint=[StrOptions({"balanced"}), dict, list, None],
        type='dict, list of dicts, "balanced" or None',
        description="""
        Weights of the classes, by which sample weights are multiplied. A class of weight 0 stays in
        ``classes_`` with a probability of 0. A list is for several labels a row, with a dict
        ``{0: weight, 1: weight}`` for each label; only `LinearClassifier` and `SVMClassifier` take it.
        """,
    )
    warm_start: bool = parameter(
        default=False,
        constraint=["boolean"],
        type="bool",
        description="Whether ``fit`` starts from the weights of the last fit.",
    )
    on_new_class: str = parameter(
        default="error",
        constraint=[StrOptions({"error", "add"})],
        type='{"error", "add"}',
        description="""
        What ``partial_fit`` does with a label that is not in ``classes_``: "error" refuses it, and "add"
        makes it a class. Its weights start at the mean of the others, or for cosines at the mean direction of
        its rows, and training goes on. Further columns of an indicator are new labels in the same way.
        ``fit`` always takes the classes of y.
        """,
    )
    n_jobs: int | None = parameter(
        default=None,
        constraint=[Integral, None],
        type="int or None",
        description="""
        Number of threads for passes over the rows and for large mini-batches (about 10 million
        multiplications or more); the result does not depend on it. None means as many as OpenMP uses: all
        cores, the number set by ``OMP_NUM_THREADS`` or `joblib.parallel_config`, or a worker's share.
        """,
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None,
        constraint=["random_state"],
        type="int, RandomState or None",
        description="Seed for the order of the rows and for the validation split.",
    )
    verbose: int = parameter(
        default=0,
        constraint=["verbose"],
        type="int",
        description="Whether to print a line for each epoch or iteration.",
    )

    classes_: LabelArray = attribute(
        type="ndarray of shape (n_classes,)",
        description="The labels, sorted.",
    )
    coef_: FloatArray = attribute(
        type="ndarray of shape (1, n_features) or (n_classes, n_features)",
        description="Weights; one row for two classes.",
    )
    intercept_: FloatArray = attribute(
        type="ndarray of shape (1,) or (n_classes,)",
        description="Intercepts.",
    )
    calibrator_: Calibrator = attribute(
        type="calibrator",
        description="The fitted calibrator. Only if `calibration` is not None.",
    )
    n_iter_: int = attribute(
        type="int",
        description="Number of epochs.",
        with_exact='For "newton", "lbfgs", "dual" and "newton-cd", the number of iterations over all rows.',
    )
    solver_: str = attribute(
        type="str",
        description="""
        The solver used, such as the choice of ``solver="auto"``; "none" if all rows of positive weight are
        of one class.
        """,
    )
    optimality_gap_: float = attribute(
        type="float",
        description="""
        A proven bound on how far the objective lies above its minimum, if the loss is convex and `alpha` is
        not 0. It is loose if the loss is curved much more than the penalty. Stochastic solvers have it for
        smooth losses, after 16 epochs or more, without validation rows.
        """,
    )
    history_: dict[str, list[float]] = attribute(
        type="dict of lists",
        description="""
        Per epoch: "objective" (mean loss of the rows when visited, plus the penalty), "step",
        "seconds" since the start, and with early stopping "validation_loss" and "validation_score"
        (accuracy).
        """,
        with_exact="""
        For "newton" and "lbfgs" the objective is that of the weights reached (for cosines without the
        penalty, as there would be no minimum), and "gradient_norm" (as a share of that at the best
        intercepts alone) replaces "step". For "dual" and "newton-cd", "gap" (a
        bound of what is left) replaces it.
        """,
    )
    n_features_in_: int = attribute(
        type="int",
        description="Number of features.",
    )
    feature_names_in_: NDArray[np.object_] = attribute(
        type="ndarray of shape (n_features,)",
        description="Names of the features, if X has string column names.",
    )
