"""Stochastic training of A, and of the head of a loss, in training coordinates."""

import time
from typing import Literal, NamedTuple

import numpy as np

from linclf._kernels.problem import State
from linclf._kernels.weights import take_step
from linclf._training.optimizing import name_of, published_weights
from linclf._training.schedules import factors
from linclf._training.solvers.stochastic import new_state
from linclf._types import FloatArray
from linclf.embedding._objective import Objective
from linclf.embedding._rows import Features
from linclf.optimizers import Optimizer, trait

BATCH = 256
STEPS, FEWEST, MOST = 3000, 10, 300  # steps that are enough, and the bounds of the epochs that they take


class Rule(NamedTuple):
    """The choices of a user."""

    optimizer: Optimizer
    learning_rate: float | Literal["auto"]
    batch_size: int | Literal["auto"]
    max_iter: int | Literal["auto"]
    alpha: float
    verbose: int

    def batches(self, n_rows: int) -> int:
        """Number of batches of an epoch."""
        return -(-n_rows // (BATCH if self.batch_size == "auto" else self.batch_size))

    def epochs(self, n_rows: int) -> int:
        if self.max_iter == "auto":
            return int(np.clip(round(STEPS / self.batches(n_rows)), FEWEST, MOST))
        return self.max_iter

    def steps(self, V: FloatArray) -> tuple[float, float]:
        """The first step sizes, for V and for the head."""
        if self.learning_rate != "auto":
            return self.learning_rate, self.learning_rate
        step = trait(self.optimizer, "normalised")
        if step is None:
            raise ValueError(
                f"learning_rate='auto' with solver={name_of(self.optimizer)!r}, whose steps are as large as "
                "the gradients; give a number, or use solver='adam', 'rmsprop' or 'adagrad'"
            )
        # of the weights, so that it does not depend on their number
        return step * float(np.sqrt(np.square(V).mean())), step


class Trained(NamedTuple):
    V: FloatArray
    history: dict[str, list[float]]


def train(
    features: Features, objective: Objective, V: FloatArray, rule: Rule, rng: np.random.RandomState
) -> Trained:
    """Minimise the mean loss plus ``alpha/2 |V|^2``, and the same of the head, from V on; V is changed."""
    n, q = features.X.shape[0], len(V)
    epochs, batches = rule.epochs(n), rule.batches(n)
    weights, head = new_state(V, rule.optimizer), new_state(objective.head, rule.optimizer)
    penalty = np.full(V.shape[1], rule.alpha, V.dtype)
    of_head = np.full(head.V.shape[1], rule.alpha, V.dtype)
    of_head[q:] = 0  # intercepts
    step, step_of_head = rule.steps(V)
    history: dict[str, list[float]] = {"objective": [], "step": [], "seconds": []}
    started = time.perf_counter()
    for epoch in range(epochs):
        total, order = 0.0, objective.order(rng)
        shares = factors("linear", epoch * batches, batches, epochs * batches)
        for ids, share in zip(np.array_split(order, batches), shares, strict=True):
            rows = objective.views(features.rows(ids), rng)
            value, G, G_head = objective.gradient(rows.products(weights.V), ids)
            total += value * len(ids)
            _advance(weights, rows.gradient(G), rule.optimizer, step * share, penalty)
            _advance(head, G_head, rule.optimizer, step_of_head * share, of_head)
        value = total / n + 0.5 * rule.alpha * (_square(weights.V) + _square(head.V[:, :q]))
        if not (np.isfinite(value) and np.isfinite(weights.V).all()):
            raise ValueError(
                f"learning_rate={rule.learning_rate!r} made the weights overflow; use a smaller one"
            )
        history["objective"].append(value)
        history["step"].append(float(step * shares[-1]))
        history["seconds"].append(time.perf_counter() - started)
        if rule.verbose:
            values = ", ".join(f"{name} {numbers[-1]:.6g}" for name, numbers in history.items())
            print(f"epoch {epoch + 1}/{epochs}: {values}")
    return Trained(published_weights(rule.optimizer, weights), history)


def _advance(state: State, G: FloatArray, optimizer: Optimizer, step: float, penalty: FloatArray) -> None:
    if len(state.V):
        gradient = np.ascontiguousarray(G, state.V.dtype)
        take_step(state._replace(G=gradient), optimizer, float(step), penalty)


def _square(V: FloatArray) -> float:
    return float(np.square(V, dtype=np.float64).sum())
