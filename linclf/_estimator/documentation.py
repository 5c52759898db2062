"""The parts of the docstrings that all classifiers share."""

import inspect
import re
import textwrap

COMMON_PARAMETERS = """alpha : float >= 0, default=1e-4
        L2 penalty ``alpha/2 * |coef_|^2`` on the mean loss; LogisticRegression's C is
        ``1 / (alpha * n_samples)``. The intercept is not penalised.
    fit_intercept : bool, default=True
        Whether to fit an intercept.
    solver : str or optimizer, default="sgd"
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", an object of
        `linclf.optimizers`, such as ``Adam(beta1=0.8)``, or "lbfgs": quasi-Newton steps on all rows,
        for smooth losses and for when the optimum itself is wanted.
    learning_rate : "auto" or float > 0, default="auto"
        First step size. "auto" takes it from the data, trains in centred and scaled features
        where X is dense (the model and its penalty stay in the units of X), shortens sparse columns
        that outweigh all others, and adds Nesterov momentum to plain "sgd" where one batch holds all
        rows and the loss is smooth. A number is used as it is, in the units of X, without any of
        that. Not for "lbfgs".
    schedule : {"constant", "linear", "cosine", "invscaling", "adaptive"}, default="linear"
        How the step goes on: "linear" and "cosine" fall to 0 at the last epoch, "invscaling" is
        ``t**-0.25`` at step t, "adaptive" divides by 5 whenever the objective stalls. Not for
        "lbfgs".
    batch_size : "auto" or int >= 1, default="auto"
        Rows of a mini-batch. "auto" is all rows up to 1,024 of them (64 for losses with kinks, the
        hinges that are not squared), else for plain "sgd" 8 where X is sparse, 16 where it is dense,
        64 from 32 classes on, and 256 where the weights do not fit into the cache; for other
        optimizers 64 or 256. Not for "lbfgs".
    max_iter : "auto" or int >= 1, default="auto"
        Passes over the data at most. "auto" is 1000 for full batches; for mini-batches of dense rows
        ``10 * (60_000 / n_samples)**1.4`` between 5 and 1000, of sparse rows ``144_000 / n_samples``
        between 8 and 1000. For "lbfgs" it is 1000.
    tol : "auto", float >= 0 or None, default="auto"
        Training stops when what is watched has not fallen by this share of itself for
        `n_iter_no_change` epochs; "auto" is 1e-6. None means never. Watched is the validation loss
        under early stopping, else the training objective; but not with mini-batches (or kinks) and a
        "linear" or "cosine" schedule, where noise hides the progress until the step has fallen, and
        training ends with the schedule. Where noise may be why the validation loss does not fall, and
        with the "adaptive" schedule, the step is divided by 5 first, until it is 1e-3 of the first
        one. For "lbfgs" the norm of the gradient at which training stops, as a share of the norm at
        zero weights (for cosines, at the start), and the share by which the validation loss has to
        fall; "auto" is 1e-4.
    n_iter_no_change : int >= 1, default=5
        Patience of `tol`, in epochs. For "lbfgs" it is that of the validation loss.
    early_stopping : bool or "auto", default="auto"
        True watches the loss on held-out rows instead of the training objective and keeps the
        best epoch's weights; "auto" does so if ``fit`` gets an ``X_val``.
    validation_fraction : float in (0, 1), default=0.1
        Share of the rows held out, stratified by class, where ``fit`` gets no ``X_val``.
    calibration : {"temperature", "platt", "vector", "dirichlet"}, calibrator or None, default=None
        How `predict_proba` and `predict` follow from the scores: by a calibrator of
        `linclf.calibration`, fitted on the validation rows (``X_val``, or those of
        ``early_stopping=True``), in which `class_weight` does not count. It gives probabilities to
        losses that have none.
    average : bool, default=False
        Whether to publish an average of the weights over the steps (`optimizers.Averaged`). Not
        for "lbfgs".
    shuffle : bool, default=True
        Whether rows come in a new random order in each epoch. Full batches take all rows at once
        whatever it is. So does "lbfgs".
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied into the sample weights.
    warm_start : bool, default=False
        Whether ``fit`` starts from the weights of the last fit.
    n_jobs : int or None, default=None
        Threads for "lbfgs" and for mini-batches that are worth them (some 10 million
        multiplications); -1 means all cores. The result does not depend on it.
    random_state : int, RandomState or None, default=None
        Seed of the order of rows and of the validation split. For "lbfgs" also of the rows that it
        samples.
    verbose : int, default=0
        Whether to print a line for each epoch or iteration."""

COMMON_ATTRIBUTES = """classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Weights; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    calibrator_ : calibrator
        Where `calibration` is not None.
    n_iter_ : int
        Epochs made. For "lbfgs" iterations over all rows.
    history_ : dict of lists
        Per epoch: "objective" (mean loss of the rows as they were met, plus the penalty), "step",
        "seconds" since the start, and with early stopping "validation_loss" and
        "validation_score" (accuracy). For "lbfgs" the objective is that of the weights reached
        (for cosines without the penalty, which has no minimum there), and
        "gradient_norm" (as a share of that at zero weights) takes the place of "step".
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where X has string column names."""


def documented(cls):
    """Put the parameters and attributes that all classifiers share into a docstring.

    What it describes itself, and parameters that the class does not have, are left out; so are sentences
    on "lbfgs" where `solver` is described without it.
    """
    if cls.__doc__ is None:  # python -OO
        return cls
    signature = inspect.signature(cls).parameters
    parameters = _others(COMMON_PARAMETERS, cls.__doc__, signature.__contains__)
    attributes = _others(COMMON_ATTRIBUTES, cls.__doc__, lambda name: True)
    if "\n    solver : " in cls.__doc__ and "lbfgs" not in cls.__doc__:
        parameters, attributes = _without_lbfgs(parameters), _without_lbfgs(attributes)
    cls.__doc__ = cls.__doc__.replace("{common parameters}", parameters)
    cls.__doc__ = cls.__doc__.replace("{common attributes}", attributes)
    return cls


def _others(entries, text, wanted):
    """Entries of a numpydoc list that the text lacks."""
    named = [(entry.partition(" : ")[0], entry) for entry in re.split(r"\n    (?=\w+ : )", entries)]
    kept = [entry for name, entry in named if wanted(name) and f"\n    {name} : " not in text]
    return "\n    ".join(kept)


def _without_lbfgs(entries):
    """Entries of a numpydoc list without their sentences on "lbfgs"."""
    entries = re.split(r"\n    (?=\w+ : )", entries)
    return "\n    ".join(_entry_without_lbfgs(entry) if "lbfgs" in entry else entry for entry in entries)


def _entry_without_lbfgs(entry):
    head, text = entry.split("\n", 1)
    sentences = re.split(r"(?<=[.]) (?=[A-Z\"`])", " ".join(text.split()))
    kept = " ".join(sentence for sentence in sentences if "lbfgs" not in sentence)
    return f"{head}\n{textwrap.indent(textwrap.fill(kept, 100, break_on_hyphens=False), ' ' * 8)}"
