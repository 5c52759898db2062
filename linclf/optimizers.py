r"""Optimizers: what a step does with the gradient of the loss.

Each is a NamedTuple of floats with one function ``step_row`` that changes one row of weights. The
penalty is applied implicitly, with the step of each coordinate,

    w <- (w - step * direction) / (1 + step * penalty)

which has the same fixed points as adding ``penalty * w`` to the gradient, but shrinks by a factor
in (0, 1] whatever the step is. (The formulas below are for penalty 0.) ``slots`` (n_slots, n) is
the state that the optimizer keeps for the row; ``count`` is the number of steps so far, including
this one.

`Averaged` wraps another optimizer: ``Averaged(Adam())``.
"""

import math
from numbers import Real
from typing import Any, NamedTuple, TypeAlias

from sklearn.utils._param_validation import Interval

from linclf._data.limits import check_limits
from linclf._numba import generic

_UNIT = Interval(Real, 0, 1, closed="left")
_POSITIVE = Interval(Real, 0, None, closed="neither")


class OptimizerTraits:
    """Optional class attributes of optimizers and their defaults, read through `trait`."""

    gain = 1.0  # how far a long run of equal gradients moves, compared with plain SGD
    normalised = None  # the first step size, if steps are divided by the size of the gradient
    odd_slots = ()  # slots that change sign if weights and gradients do; others stay the same


def trait(optimizer: "Optimizer", name: str) -> Any:
    """A class attribute of an optimizer, or its default."""
    return getattr(optimizer, name, getattr(OptimizerTraits, name))


class SGD(NamedTuple):
    """Plain stochastic gradient descent, ``w <- w - step * g``.

    References
    ----------
    Robbins & Monro, "A stochastic approximation method", 1951.

    Examples
    --------
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.optimizers import SGD
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(SoftmaxClassifier(solver=SGD()).fit(X, y).score(X, y)) > 0.95
    True
    """

    limits = {}
    n_slots = 0


class Momentum(NamedTuple):
    """Heavy ball, ``v <- beta * v - step * g``, ``w <- w + v``.

    Parameters
    ----------
    beta : float in [0, 1), default=0.9
        Share of the last move that is kept; a long run of equal gradients moves the weights
        ``1 / (1 - beta)`` times as far as plain SGD.

    References
    ----------
    Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.

    Examples
    --------
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.optimizers import Momentum
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(SoftmaxClassifier(solver=Momentum(beta=0.8)).fit(X, y).score(X, y)) > 0.95
    True
    """

    beta: float = 0.9
    limits = {"beta": _UNIT}
    n_slots = 1
    odd_slots = (0,)

    @property
    def gain(self) -> float:
        return 1.0 / (1.0 - self.beta)


class Nesterov(NamedTuple):
    """Nesterov momentum, ``v <- beta * v - step * g``, ``w <- w + beta * v - step * g``.

    This is the form of Bengio et al. (2013) and PyTorch: the stored weights are the look-ahead ones,
    and the gradient is taken there.

    Parameters
    ----------
    beta : float in [0, 1), default=0.9
        Share of the last move that is kept.

    References
    ----------
    Nesterov, "A method for solving the convex programming problem with convergence rate O(1/k^2)",
    1983. Sutskever et al., "On the importance of initialization and momentum", 2013.

    Examples
    --------
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.optimizers import Nesterov
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(SoftmaxClassifier(solver=Nesterov(beta=0.8)).fit(X, y).score(X, y)) > 0.95
    True
    """

    beta: float = 0.9
    limits = {"beta": _UNIT}
    n_slots = 1
    odd_slots = (0,)

    @property
    def gain(self) -> float:
        return 1.0 / (1.0 - self.beta)


class AdaGrad(NamedTuple):
    """AdaGrad, ``s <- s + g^2``, ``w <- w - step * g / (sqrt(s) + epsilon)``.

    Parameters
    ----------
    epsilon : float > 0, default=1e-8
        Keeps the division finite.

    References
    ----------
    Duchi et al., "Adaptive subgradient methods for online learning", 2011.

    Examples
    --------
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.optimizers import AdaGrad
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(SoftmaxClassifier(solver=AdaGrad()).fit(X, y).score(X, y)) > 0.95
    True
    """

    epsilon: float = 1e-8
    limits = {"epsilon": _POSITIVE}
    n_slots = 1
    normalised = 0.3


class RMSProp(NamedTuple):
    """RMSProp, ``s <- rho * s + (1 - rho) * g^2``, ``w <- w - step * g / (sqrt(s) + epsilon)``.

    Parameters
    ----------
    rho : float in [0, 1), default=0.99
        Decay rate of the mean square.
    epsilon : float > 0, default=1e-8
        Keeps the division finite.

    References
    ----------
    Tieleman & Hinton, "Lecture 6.5: RMSProp", Neural networks for machine learning, 2012.

    Examples
    --------
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.optimizers import RMSProp
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(SoftmaxClassifier(solver=RMSProp(rho=0.9)).fit(X, y).score(X, y)) > 0.95
    True
    """

    rho: float = 0.99
    epsilon: float = 1e-8
    limits = {"rho": _UNIT, "epsilon": _POSITIVE}
    n_slots = 1
    normalised = 0.01


class Adam(NamedTuple):
    """Adam, with both means corrected for their start at zero.

    ``m <- beta1 m + (1 - beta1) g``, ``s <- beta2 s + (1 - beta2) g^2``,
    ``w <- w - step * m^ / (sqrt(s^) + epsilon)``.

    Parameters
    ----------
    beta1 : float in [0, 1), default=0.9
        Decay rate of the mean gradient.
    beta2 : float in [0, 1), default=0.999
        Decay rate of the mean square.
    epsilon : float > 0, default=1e-8
        Keeps the division finite.

    References
    ----------
    Kingma & Ba, "Adam: a method for stochastic optimization", 2015.

    Examples
    --------
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.optimizers import Adam
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(SoftmaxClassifier(solver=Adam(beta1=0.8)).fit(X, y).score(X, y)) > 0.95
    True
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    limits = {"beta1": _UNIT, "beta2": _UNIT, "epsilon": _POSITIVE}
    n_slots = 2
    odd_slots = (0,)
    normalised = 0.01


class Averaged(NamedTuple):
    """The weighted mean of the weights along the path of another optimizer.

    Step t has weight t, ``average <- average + 2 / (t + 1) * (w - average)``, so that the start is
    forgotten without a parameter for when averaging begins. Estimators with ``average=True`` wrap
    their solver in this.

    Parameters
    ----------
    inner : optimizer, default=SGD()
        The optimizer that moves the weights; the average does not influence it.

    References
    ----------
    Lacoste-Julien et al., "A simpler approach to obtaining an O(1/t) convergence rate for the
    projected stochastic subgradient method", 2012.

    Examples
    --------
    >>> from linclf import SoftmaxClassifier
    >>> from linclf.optimizers import Adam, Averaged
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> float(SoftmaxClassifier(solver=Averaged(Adam())).fit(X, y).score(X, y)) > 0.95
    True
    """

    inner: "Optimizer" = SGD()
    limits = {}

    @property
    def n_slots(self) -> int:
        return self.inner.n_slots + 1

    @property
    def odd_slots(self) -> tuple[int, ...]:
        return (*trait(self.inner, "odd_slots"), self.inner.n_slots)

    @property
    def gain(self) -> float:
        return trait(self.inner, "gain")

    @property
    def normalised(self) -> float | None:
        return trait(self.inner, "normalised")


Optimizer: TypeAlias = SGD | Momentum | Nesterov | AdaGrad | RMSProp | Adam | Averaged

OPTIMIZERS = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "adam": Adam,
}

__all__ = ["OPTIMIZERS", "SGD", "AdaGrad", "Adam", "Averaged", "Momentum", "Nesterov", "RMSProp"]


def optimizer_for(solver: str | Optimizer, average: bool) -> Optimizer:
    """The optimizer object for a name or an object: checked, with float fields only.

    Raises
    ------
    TypeError
        If it is not one of this module's classes.
    InvalidParameterError
        If a field is outside its limits (a ValueError).
    """
    if isinstance(solver, Averaged):
        return Averaged(optimizer_for(solver.inner, False))
    if isinstance(solver, str) and solver not in OPTIMIZERS:
        raise ValueError(f"solver={solver!r} is unknown; use one of {sorted(OPTIMIZERS)} or an object")
    optimizer = OPTIMIZERS[solver]() if isinstance(solver, str) else solver
    if type(optimizer) not in (*OPTIMIZERS.values(), Averaged):
        raise TypeError(
            f"solver={solver!r} must be one of {sorted(OPTIMIZERS)} or an object of linclf.optimizers"
        )
    check_limits(optimizer, optimizer.limits)
    optimizer = type(optimizer)(*map(float, optimizer))
    return Averaged(optimizer) if average else optimizer


@generic(fast=True)
def step_row(optimizer, weights, gradient, slots, step, count, penalty):
    """Change one row of weights in place, given its gradient and the penalty of each entry."""


@step_row.register(SGD)
def sgd_step(optimizer, weights, gradient, slots, step, count, penalty):
    step = weights.dtype.type(step)
    for j in range(weights.size):
        weights[j] = (weights[j] - step * gradient[j]) / (1 + step * penalty[j])


@step_row.register(Momentum)
def momentum_step(optimizer, weights, gradient, slots, step, count, penalty):
    # the velocity is the actual move, including the shrinkage, so that any velocity, even one that
    # was reset to zero, leads to the same fixed point
    beta, step = weights.dtype.type(optimizer.beta), weights.dtype.type(step)
    velocity = slots[0]
    for j in range(weights.size):
        old = weights[j]
        weights[j] = (old + beta * velocity[j] - step * gradient[j]) / (1 + step * penalty[j])
        velocity[j] = weights[j] - old


@step_row.register(Nesterov)
def nesterov_step(optimizer, weights, gradient, slots, step, count, penalty):
    beta, step = weights.dtype.type(optimizer.beta), weights.dtype.type(step)
    velocity = slots[0]
    for j in range(weights.size):
        old = weights[j] - beta * velocity[j]  # before looking ahead
        new = (weights[j] - step * gradient[j]) / (1 + step * penalty[j])
        velocity[j] = new - old
        weights[j] = new + beta * velocity[j]


@step_row.register(AdaGrad)
def adagrad_step(optimizer, weights, gradient, slots, step, count, penalty):
    kind = weights.dtype.type
    epsilon, step = kind(optimizer.epsilon), kind(step)
    squares = slots[0]
    for j in range(weights.size):
        squares[j] += gradient[j] * gradient[j]
        own = step / (kind(math.sqrt(squares[j])) + epsilon)
        weights[j] = (weights[j] - own * gradient[j]) / (1 + own * penalty[j])


@step_row.register(RMSProp)
def rmsprop_step(optimizer, weights, gradient, slots, step, count, penalty):
    kind = weights.dtype.type
    rho, epsilon, step = kind(optimizer.rho), kind(optimizer.epsilon), kind(step)
    squares = slots[0]
    for j in range(weights.size):
        squares[j] = rho * squares[j] + (1 - rho) * gradient[j] * gradient[j]
        own = step / (kind(math.sqrt(squares[j])) + epsilon)
        weights[j] = (weights[j] - own * gradient[j]) / (1 + own * penalty[j])


@step_row.register(Adam)
def adam_step(optimizer, weights, gradient, slots, step, count, penalty):
    kind = weights.dtype.type
    beta1, beta2, epsilon = kind(optimizer.beta1), kind(optimizer.beta2), kind(optimizer.epsilon)
    first, second = kind(1.0 - optimizer.beta1**count), kind(1.0 - optimizer.beta2**count)
    step = kind(step)
    means, squares = slots[0], slots[1]
    for j in range(weights.size):
        means[j] = beta1 * means[j] + (1 - beta1) * gradient[j]
        squares[j] = beta2 * squares[j] + (1 - beta2) * gradient[j] * gradient[j]
        own = step / (kind(math.sqrt(squares[j] / second)) + epsilon)
        weights[j] = (weights[j] - own * means[j] / first) / (1 + own * penalty[j])


@step_row.register(Averaged)
def averaged_step(optimizer, weights, gradient, slots, step, count, penalty):
    average, share = slots[-1], weights.dtype.type(2.0 / (count + 1.0))
    step_row(optimizer.inner, weights, gradient, slots[:-1], step, count, penalty)
    for j in range(weights.size):
        average[j] += share * (weights[j] - average[j])
