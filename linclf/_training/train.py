"""Epochs, stopping, history: plain Python around a `_session.Session`."""

import time
import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from linclf import _storage as _rows
from linclf._training import objective as _objective
from linclf._training.published import row_blocks, scores_of, weights_for
from linclf._training.schedules import factors
from linclf.heads import Cosine
from linclf.losses._registry import row_losses, trait

# an automatic max_iter; measured on 26 tables and 2 text sets, most of which are then 1e-3 from the optimum
EPOCHS, EPOCHS_ROWS, FEWEST_EPOCHS, MOST_EPOCHS = 10, 60_000, 5, 1000
SPARSE_VISITS, FEWEST_SPARSE = 144_000, 8
ENDING = ("linear", "cosine")  # schedules that end by themselves; before that, noise hides progress
OVERFLOW = "training overflowed at every step size; scale the columns of X, or remove its outliers"
LONGER = 1.03  # growth of an automatic step on exact gradients
EXACT_ROWS = 256  # up to which a weight of k equals k copies to 7 digits
ROUNDING = 1e-9  # of the objective: a rise by less is none, so that order and repetition of rows are nothing
KEPT = 8  # epochs between the weights that an overflow goes back to
MEASURED, COPIED = 2**22, 2**18  # scores of validation rows at once, and of those copied in float64
SMALLEST_STEP = 1e-3  # of the first, where the adaptive schedule ends


class Validation(NamedTuple):
    """A held-out set, the head that scores it, and the loss that is watched on it.

    A loss with a method ``class_scores`` decides by what that makes of its scores (n, C): (n, n_classes).
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    head: tuple
    loss: tuple

    def measure(self, W, b):
        """(mean loss, accuracy), in blocks of rows: memory does not grow with rows times classes."""
        n, W = len(self.weights), weights_for(self.X, W)
        truth = self.y if self.y.ndim == 1 else self.y.argmax(axis=1)
        values, right = np.empty(n), np.empty(n, bool)
        class_scores = getattr(self.loss, "class_scores", None)
        blocks = row_blocks(n, len(W), MEASURED)
        for part in blocks:
            scores = scores_of(self.X if len(blocks) == 1 else self.X[part], W, b, self.head)
            ranking = scores if class_scores is None else class_scores(scores)
            right[part] = ranking.argmax(axis=1) == truth[part]
            self._losses(scores, self.y[part], values[part])
        # parts of a fixed size, so that a sum does not depend on the blocks
        parts = row_blocks(n, 1, _objective.MEASURED)
        loss = sum(float(self.weights[part] @ values[part]) for part in parts) / self.weights.sum()
        return loss, float(np.average(right, weights=self.weights))

    def _losses(self, scores, y, values):
        """Losses in float64, of a few rows at a time, since the kernel overwrites a copy of the scores."""
        for part in row_blocks(len(scores), scores.shape[1], COPIED):
            block = np.array(scores[part], np.float64, order="C")
            row_losses(self.loss, block, _rows.read_only(y[part]), values[part])


class Outcome(NamedTuple):
    W: np.ndarray
    b: np.ndarray
    history: dict
    n_iter: int


def epochs_for(max_iter, n, session):
    """The number of passes; the fewer rows, the more passes are affordable and needed."""
    if max_iter != "auto":
        return max_iter
    if session.full:
        return MOST_EPOCHS
    if session.is_sparse:
        return int(np.clip(round(SPARSE_VISITS / n), FEWEST_SPARSE, MOST_EPOCHS))
    return int(np.clip(round(EPOCHS * (EPOCHS_ROWS / n) ** 1.4), FEWEST_EPOCHS, MOST_EPOCHS))


def train(session, problem, epochs, validation, rng, callbacks=None):
    """Train for at most ``epochs`` epochs on a problem that the session has prepared."""
    settings, n = session.settings, len(session.rows)
    batches = -(-n // session.batch)
    guard, watch = _Guard(session), Watch(settings.tol, settings.n_iter_no_change)
    names = ["objective", "step", "seconds"] + ["validation_loss", "validation_score"] * (
        validation is not None
    )
    history = {name: [] for name in names}
    ends = settings.schedule in ENDING and not session.full
    step = session.first_step(problem, epochs * batches if ends else None)
    best, stop = (np.inf, None, None), False
    control, order, started = _ExactSteps(session, guard), session.rows, time.perf_counter()
    for epoch in range(epochs):
        if callbacks is not None:
            callbacks.begin()
        if settings.shuffle and not session.full:
            order = rng.permutation(session.rows)
        factor = factors(settings.schedule, epoch * batches, batches, epochs * batches)
        objective, step = guard.run(problem, order, step, factor)
        history["objective"].append(objective)
        history["step"].append(float(step * factor[-1]))
        if session.accelerated:
            step = control.next_step(objective, step, watch)
        value = objective
        if validation is not None:
            W, b = session.published()
            value, score = validation.measure(W, b)
            history["validation_loss"].append(value)
            history["validation_score"].append(score)
            if value < best[0]:
                best = value, W, b
        history["seconds"].append(time.perf_counter() - started)
        report(settings.verbose, "epoch", epochs, history)
        exact = session.full and session.smooth
        noisy = settings.schedule in ENDING and not exact
        if not (noisy and validation is None) and watch.stalled(value):
            # noise may be what keeps it from falling: only smaller steps can tell
            step /= 5
            watch.forget()
            anneals = noisy or settings.schedule == "adaptive"
            stop = not anneals or step < SMALLEST_STEP * history["step"][0]
        if callbacks is not None and callbacks.end(session):
            break
        if stop:
            break
    else:
        if settings.tol is not None and settings.schedule not in ENDING:
            warnings.warn(
                f"max_iter={epochs} epochs were not enough to reach tol={settings.tol} with "
                f"schedule={settings.schedule!r}; raise max_iter or tol, or use schedule='linear', which "
                "ends by itself",
                ConvergenceWarning,
                stacklevel=2,
            )
    if session.accelerated:
        control.finish(problem, order)
    W, b = session.published() if best[1] is None else best[1:]
    if not (np.isfinite(W).all() and np.isfinite(b).all()):
        raise ValueError(OVERFLOW)
    return Outcome(W, b, history, len(history["objective"]))


def report(verbose, name, total, history):
    """Print what an epoch or iteration has added to the history."""
    if verbose:
        values = ", ".join(f"{key} {value[-1]:.6g}" for key, value in history.items())
        print(f"{name} {len(history['objective'])}/{total}: {values}")


class _Guard:
    """Runs epochs so that an automatic step cannot diverge: back to weights kept, half the step."""

    def __init__(self, session):
        # from zero weights the first batch tells the scale of the loss; from others nothing does
        self.from_zero, self.ceiling = not session.state.V.any(), None
        # zeros that are never looked at cost no memory, unlike those of zeros_like
        V = session.state.V
        self.safe = np.zeros(V.shape, V.dtype) if self.from_zero else V.copy()
        self.session, self.epochs = session, 0

    def run(self, problem, order, step, factor):
        """One epoch; returns the objective and the step that it was made with."""
        session = self.session
        for _ in range(100):
            # a full batch is measured before its only step, mini-batches along the way
            if session.full:
                start, penalty = session.state.V.copy(), session.penalty_value(problem)
            total, first = session.run(problem, order, step * factor)
            if not session.full:
                penalty = session.penalty_value(problem)
            objective = total / len(order) + penalty
            if not session.automatic:
                check_finite(session, objective)
                return objective, step
            if self.ceiling is None:
                self.ceiling = 4 * (first if self.from_zero else max(first, min(objective, 1e300)))
            if objective <= self.ceiling:
                if session.full:
                    self.safe = start
                elif self.epochs % KEPT == 0:  # large arrays are copied now and then
                    self.safe[:] = session.state.V
                self.epochs += 1
                return objective, step
            step /= 2
            session.restart(self.safe)
        raise ValueError(OVERFLOW)


class _ExactSteps:
    """Step size and momentum where every gradient is exact, so that the objective tells what to do.

    Up to `EXACT_ROWS` rows (or a batch size of the user) it restarts momentum when the objective
    rises (O'Donoghue & Candes 2015), and halves the step if it rises at once again. With more rows it
    also feels for the longest step, growing it until the objective rises, and goes back then: fewer
    epochs, but rounding errors are carried further.
    """

    def __init__(self, session, guard):
        self.session, self.guard = session, guard
        self.grows = session.settings.batch_size == "auto" and len(session.rows) > EXACT_ROWS
        self.rose, self.last, self.lowest = False, np.inf, None

    def next_step(self, objective, step, watch):
        """Called with the objective at guard.safe, after one more step from there."""
        rises = objective > self.last * (1 + ROUNDING)
        if not rises:
            self.rose, self.last, self.lowest = False, objective, self.guard.safe
            return step * LONGER if self.grows else step
        if self.grows:
            self.session.restart(self.lowest)
        else:
            self.session.forget_momentum()
            self.last = objective
        # the step after a restart has no momentum: if it rises, it was too long by itself
        if self.grows or self.rose:
            step /= 2
            watch.forget()
        self.rose = True
        return step

    def finish(self, problem, order):
        """Where steps grow, the last one is measured (by a step of length 0) and may be taken back."""
        if not self.grows:
            return
        state = self.session.state
        V, slots, penalty = state.V.copy(), state.slots.copy(), self.session.penalty_value(problem)
        total, _ = self.session.run(problem, order, np.zeros(1))
        better = total / len(order) + penalty <= self.last * (1 + ROUNDING)
        state.V[:] = V if better else self.lowest
        state.slots[:] = slots


def check_finite(session, objective):
    if not (np.isfinite(objective) and np.isfinite(session.state.V).all()):
        raise ValueError(
            f"learning_rate={session.settings.learning_rate!r} made the weights overflow; use a smaller one, "
            "scale the features, or use learning_rate='auto'"
        )


def warn_of_separable(session, data, outcome):
    """Without a penalty, classes that a hyperplane separates have no best weights for losses that never end.

    Every row is on its side exactly if they are separable, so there is no false alarm.
    """
    settings, y = session.settings, data.y
    endless = not (trait(session.loss, "attained") or session.bounded or isinstance(session.head, Cosine))
    if settings.alpha > 0 or settings.tol is None or not endless:
        return
    for part in row_blocks(len(y), len(outcome.W), COPIED):
        truth = y[part] if y.ndim == 1 else y[part].argmax(axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            scores = np.asarray(data.X[part] @ outcome.W.T + outcome.b)
            if hasattr(session.loss, "class_scores"):
                scores = session.loss.class_scores(scores)
        rows = np.arange(len(truth))
        own = scores[rows, truth]
        scores[rows, truth] = -np.inf
        soft = y.ndim == 2 and not (y[part].max(axis=1) == 1).all()
        if soft or not (own > scores.max(axis=1)).all():
            return
    warnings.warn(
        "alpha=0 and the classes are separable: the objective has no minimum, and the weights grow with "
        "the number of epochs; use alpha > 0 (the default is 1e-4), or early_stopping=True",
        ConvergenceWarning,
        stacklevel=2,
    )


def train_part(session, data, W, b):
    """One pass over the next part of a stream, in the order given."""
    started = time.perf_counter()
    problem = session.prepare_part(data, W, b)
    n = len(data.weights)
    batches = -(-n // session.batch)
    done = int(session.state.count[0])
    steps = session.first_step(problem, None) * factors(session.settings.schedule, done, batches, None)
    total, _ = session.run(problem, np.arange(n), steps)
    objective = total / n + session.penalty_value(problem)
    check_finite(session, objective)
    W, b = session.published()
    seconds = time.perf_counter() - started
    history = {"objective": [objective], "step": [float(steps[-1])], "seconds": [seconds]}
    return Outcome(W, b, history, 1)


class Watch:
    """Tells when a quantity has stopped falling by more than tol of itself."""

    def __init__(self, tol, patience):
        self.tol, self.patience = tol, patience
        self.forget()

    def forget(self):
        self.best, self.since = np.inf, 0

    def stalled(self, value):
        if self.tol is None:
            return False
        if not np.isfinite(self.best) or value < self.best - self.tol * abs(self.best):
            self.best, self.since = value, 0
        else:
            self.since += 1
        return self.since >= self.patience
