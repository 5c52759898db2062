"""The table of the parameters and fitted attributes that classifiers share."""

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


class CommonParameters(Declared):
    """What each classifier has, unless it declares otherwise."""

    alpha: float = parameter(
        default=1e-4,
        constraint=[Interval(Real, 0, None, closed="left")],
        type="float >= 0",
        description="""
        L2 penalty ``alpha/2 * |coef_|^2`` on the mean loss; LogisticRegression's C is
        ``1 / (alpha * n_samples)``. The intercept is not penalised.
        """,
    )
    standardize: bool = parameter(
        default=False,
        constraint=["boolean"],
        type="bool",
        description="""
        Whether the penalty is on ``coef_ * standard deviation`` of the columns, as if a StandardScaler
        stood before the classifier; the model stays in the units of X. Deviations are those of the rows that
        are trained on, with their sample and class weights; of sparse columns, which are never centred, the
        root mean squares. A numeric `learning_rate` is then in these units, too, and cosines are those of
        standardised rows. Not for ``partial_fit``.
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
        "auto", "newton", "lbfgs", "dual", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", or an
        object of `linclf.optimizers`, such as ``Adam(beta1=0.8)``. Newton's method and L-BFGS go to
        the minimum of a smooth loss, with all rows in each step; "dual" goes to that of a hinge loss that is
        not squared, with alpha > 0 and a label for each row. "auto" takes "newton" for small tables and
        for few features, up to 128 classes, "lbfgs" for all larger ones, "dual" for such hinges if rows
        times classes are at most 65,536, and "sgd" for other losses with kinks or on cosines, for validation
        rows, in ``partial_fit``, if one of `learning_rate`, `schedule`, `batch_size`, `average` and `shuffle`
        is given, and if a pass over the rows takes seconds.
        """,
    )
    learning_rate: float | Literal["auto"] = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        type='"auto" or float > 0',
        description="""
        First step size. "auto" takes it from the data, trains in centred and scaled features if X
        is dense (the model and its penalty stay in the units of X), shortens sparse columns that
        outweigh all others, and adds Nesterov momentum to plain "sgd" if one batch holds all rows
        and the loss is smooth. A number is used as it is, in the units of X, without any of that.
        """,
        with_exact='Not for "newton", "lbfgs" and "dual"; "auto" takes "sgd" if it is given.',
    )
    schedule: str = parameter(
        default="linear",
        constraint=[StrOptions(set(SCHEDULES))],
        type='{"constant", "linear", "cosine", "invscaling", "adaptive"}',
        description="""
        How the step goes on: "linear" and "cosine" fall to 0 at the last epoch, "invscaling" is
        ``t**-0.25`` at step t, "adaptive" divides by 5 whenever the objective stalls.
        """,
        with_exact='Not for "newton", "lbfgs" and "dual"; "auto" takes "sgd" if it is given.',
    )
    batch_size: int | Literal["auto"] = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        type='"auto" or int >= 1',
        description="""
        Rows of a mini-batch. "auto" is all rows up to 1,024 of them (64 for losses with kinks, the
        hinges that are not squared), else for plain "sgd" 8 if X is sparse, 16 if it is dense,
        64 from 32 classes on, and 256 if the weights do not fit into the cache; for other
        optimizers 64 or 256.
        """,
        with_exact='Not for "newton", "lbfgs" and "dual"; "auto" takes "sgd" if it is given.',
    )
    max_iter: int | Literal["auto"] = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        type='"auto" or int >= 1',
        description="""
        Passes over the data at most. "auto" is 1000 for full batches; for mini-batches of dense rows
        ``10 * (60_000 / n_samples)**1.4`` between 5 and 1000, of sparse rows ``144_000 / n_samples``
        between 8 and 1000.
        """,
        with_exact='For "newton", "lbfgs" and "dual" these are iterations, and it is 1000.',
    )
    tol: float | Literal["auto"] | None = parameter(
        default="auto",
        constraint=[StrOptions({"auto"}), Interval(Real, 0, None, closed="left"), None],
        type='"auto", float >= 0 or None',
        description="""
        Training stops when the watched value has not fallen by this share of itself for
        `n_iter_no_change` epochs; "auto" is 1e-6. None means never. Watched is the validation loss
        under early stopping, else the training objective; but not with mini-batches (or kinks) and a
        "linear" or "cosine" schedule, where noise hides the progress until the step has fallen, and
        training ends with the schedule. If noise may be why the validation loss does not fall, and
        with the "adaptive" schedule, the step is divided by 5 first, until it is 1e-3 of the first one.
        """,
        with_exact="""
        For "newton" and "lbfgs" the share that may be left of the way from the best intercepts alone (for
        cosines, from the start) to the minimum, by an estimate that is cautious, and the share by which the
        validation loss has to fall; "auto" is 1e-4. For "dual" it is the proven distance to the minimum, as a
        share of the same way.
        """,
    )
    n_iter_no_change: int = parameter(
        default=5,
        constraint=[Interval(Integral, 1, None, closed="left")],
        type="int >= 1",
        description="Patience of `tol`, in epochs.",
        with_exact='For "newton" and "lbfgs" it is that of the validation loss.',
    )
    early_stopping: bool | Literal["auto"] = parameter(
        default="auto",
        constraint=["boolean", StrOptions({"auto"})],
        type='bool or "auto"',
        description="""
        True watches the loss on held-out rows instead of the training objective and keeps the
        best epoch's weights; "auto" does so if ``fit`` gets an ``X_val``.
        """,
    )
    validation_fraction: float = parameter(
        default=0.1,
        constraint=[Interval(Real, 0, 1, closed="neither")],
        type="float in (0, 1)",
        description="""
        Share of the rows held out, if ``fit`` gets no ``X_val``: stratified by class if there are as many
        rows to hold out as classes. At least one row of each class stays in training.
        """,
    )
    calibration: str | Calibrator | None = parameter(
        default=None,
        constraint=[StrOptions(set(CALIBRATORS)), HasMethods(["fit", "predict_proba"]), None],
        type='{"temperature", "platt", "vector", "dirichlet", "auto"}, calibrator or None',
        description="""
        How `predict_proba` and `predict` follow from the scores: by a calibrator of
        `linclf.calibration`, fitted on the validation rows (``X_val``, or those of
        ``early_stopping=True``), in which `class_weight` does not count. It gives probabilities to
        losses that have none.
        """,
    )
    average: bool = parameter(
        default=False,
        constraint=["boolean"],
        type="bool",
        description="Whether to publish an average of the weights over the steps (`optimizers.Averaged`).",
        with_exact='Not for "newton", "lbfgs" and "dual"; "auto" takes "sgd" if it is given.',
    )
    shuffle: bool = parameter(
        default=True,
        constraint=["boolean"],
        type="bool",
        description="""
        Whether rows come in a new random order in each epoch. Full batches take all rows at once
        whatever it is.
        """,
        with_exact='So do "newton" and "lbfgs"; "auto" takes "sgd" if it is False.',
    )
    class_weight: dict[Any, float] | Literal["balanced"] | None = parameter(
        default=None,
        constraint=[StrOptions({"balanced"}), dict, None],
        type='dict, "balanced" or None',
        description="""
        Weights of the classes, multiplied into the sample weights. A class of weight 0 stays in ``classes_``
        with a probability of 0.
        """,
    )
    warm_start: bool = parameter(
        default=False,
        constraint=["boolean"],
        type="bool",
        description="Whether ``fit`` starts from the weights of the last fit.",
    )
    n_jobs: int | None = parameter(
        default=None,
        constraint=[Integral, None],
        type="int or None",
        description="""
        Threads for passes over the rows and for mini-batches that are worth them (some 10 million
        multiplications); the result does not depend on it. None means as many as OpenMP takes: all
        cores, or what ``OMP_NUM_THREADS`` or `joblib.parallel_config` say, and in a worker its share.
        """,
    )
    random_state: int | np.random.RandomState | None = parameter(
        default=None,
        constraint=["random_state"],
        type="int, RandomState or None",
        description="Seed of the order of rows and of the validation split.",
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
        description="If `calibration` is not None.",
    )
    n_iter_: int = attribute(
        type="int",
        description="Epochs made.",
        with_exact='For "newton", "lbfgs" and "dual" iterations over all rows.',
    )
    solver_: str = attribute(
        type="str",
        description="""
        What has trained, for ``solver="auto"``; "none" if the rows of positive weight are of one class.
        """,
    )
    optimality_gap_: float = attribute(
        type="float",
        description="""
        If the loss is convex and `alpha` is not 0: a bound of what the objective lies above its minimum. It
        is proven, and loose where the loss bends much more than the penalty. Stochastic steps have it after
        16 epochs or more of a smooth loss, without validation rows.
        """,
    )
    history_: dict[str, list[float]] = attribute(
        type="dict of lists",
        description="""
        Per epoch: "objective" (mean loss of the rows as they were met, plus the penalty), "step",
        "seconds" since the start, and with early stopping "validation_loss" and "validation_score"
        (accuracy).
        """,
        with_exact="""
        For "newton" and "lbfgs" the objective is that of the weights reached (for cosines without the
        penalty, which has no minimum there), and "gradient_norm" (as a share of that at the best intercepts
        alone) takes the place of "step".
        """,
    )
    n_features_in_: int = attribute(
        type="int",
        description="Number of features.",
    )
    feature_names_in_: NDArray[np.object_] = attribute(
        type="ndarray of shape (n_features,)",
        description="Their names, if X has string column names.",
    )
