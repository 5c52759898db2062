"""The parts of the docstrings that all classifiers share."""

COMMON_PARAMETERS = """alpha : float >= 0, default=1e-4
        L2 penalty ``alpha/2 * |coef_|^2`` on the mean loss; LogisticRegression's C is
        ``1 / (alpha * n_samples)``. The intercept is not penalised.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    solver : str or optimizer, default="sgd"
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", or an object of
        `linclf.optimizers`, such as ``Adam(beta1=0.8)``.
    learning_rate : "auto" or float > 0, default="auto"
        First step size. "auto" takes it from the data, trains in centred and scaled features
        where X is dense (the model and its penalty stay in the units of X), and adds Nesterov
        momentum to plain "sgd" where one batch holds all rows and the loss is smooth. A number is
        used as it is, in the units of X, without any of that.
    schedule : {"constant", "linear", "cosine", "invscaling", "adaptive"}, default="linear"
        How the step goes on: "linear" and "cosine" fall to 0 at the last epoch, "invscaling" is
        ``t**-0.25`` at step t, "adaptive" divides by 5 whenever the objective stalls.
    batch_size : "auto" or int >= 1, default="auto"
        Rows of a mini-batch. "auto" is all rows up to 256 of them (64 for losses with kinks, the
        hinges that are not squared), else 8 for plain "sgd" while the weights
        fit into the cache, else 64 or 256.
    max_iter : "auto" or int >= 1, default="auto"
        Passes over the data at most. "auto" is ``600_000 / n_samples``, between 5 and 1000.
    tol : float >= 0 or None, default=1e-6
        Training stops when what is watched has not fallen by this share of itself for
        `n_iter_no_change` epochs; None means never. Watched is the validation loss under early
        stopping, else the training objective; but not with mini-batches (or kinks) and a "linear"
        or "cosine" schedule, where noise hides the progress until the step has fallen, and
        training ends with the schedule. Where noise may be why the validation loss does not fall,
        and with the "adaptive" schedule, the step is divided by 5 first, until it is 1e-3 of the
        first one.
    n_iter_no_change : int >= 1, default=5
        Patience of `tol`, in epochs.
    early_stopping : bool or "auto", default="auto"
        True watches the loss on held-out rows instead of the training objective and keeps the
        best epoch's weights; "auto" does so if ``fit`` gets an ``X_val``.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows held out, stratified by class, where ``fit`` gets no ``X_val``.
    average : bool, default=False
        Whether to publish an average of the weights over the steps (`optimizers.Averaged`).
    shuffle : bool, default=True
        Whether rows come in a new random order in each epoch.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied into the sample weights.
    warm_start : bool, default=False
        Whether ``fit`` starts from the weights of the last fit.
    n_jobs : int or None, default=None
        Threads for mini-batches of more than 4,096 rows; -1 means all cores. The result does not
        depend on it.
    random_state : int, RandomState or None, default=None
        Seed of the order of rows and of the validation split.
    verbose : int, default=0
        Whether to print a line for each epoch."""

COMMON_ATTRIBUTES = """classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    n_iter_ : int
        Epochs made.
    history_ : dict of lists
        Per epoch: "objective" (mean loss of the rows as they were met, plus the penalty), "step",
        "seconds" since the start, and with early stopping "validation_loss" and
        "validation_score" (accuracy).
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where X has string column names."""


def documented(cls):
    """Put the parameters and attributes that all classifiers share into a docstring."""
    if cls.__doc__ is None:  # python -OO
        return cls
    cls.__doc__ = cls.__doc__.replace("{common parameters}", COMMON_PARAMETERS).replace(
        "{common attributes}", COMMON_ATTRIBUTES
    )
    return cls
