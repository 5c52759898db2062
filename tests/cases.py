"""Tables of cases. A new loss or optimizer is tested by adding a row to the table of its kind."""

from typing import NamedTuple

import naive
import numpy as np
import pytest

from linclf.heads import Cosine
from linclf.losses import (
    ArcFace,
    CosFace,
    CrammerSinger,
    Entmax,
    Focal,
    NormFace,
    OneVsRest,
    OneVsRestLogistic,
    Softmax,
    Sparsemax,
    SphereFace,
    SquaredCrammerSinger,
    SquaredOneVsRest,
    SquaredWestonWatkins,
    WestonWatkins,
)
from linclf.losses._registry import trait
from linclf.optimizers import SGD, AdaGrad, Adam, Averaged, Momentum, Nesterov, RMSProp


class LossCase(NamedTuple):
    """A loss and its twin in `naive`."""

    loss: tuple
    twin: callable

    def value(self, scores, target):
        """The value by the twin; for a row of probabilities, the expectation over classes."""
        if np.ndim(target) == 0:
            return self.twin(scores, target, **self.loss._asdict())
        return sum(q * self.value(scores, k) for k, q in enumerate(target) if q > 0)

    @property
    def on_cosines(self):
        return trait(self.loss, "head") is Cosine

    def scores(self, n, n_classes, size=1.0, seed=0):
        """Random scores; for hinges, at least 0.001 from every kink of a margin n/100."""
        rng = np.random.default_rng(seed)
        if self.on_cosines:
            return rng.uniform(-0.95, 0.95, (n, n_classes))
        return np.round(size * rng.normal(size=(n, n_classes)), 2) + 0.001 * np.arange(1, n_classes + 1)


LOSS_CASES = [
    LossCase(Softmax(), naive.cross_entropy),
    LossCase(Softmax(label_smoothing=0.2, temperature=0.7), naive.cross_entropy),
    LossCase(Focal(gamma=0.0), naive.focal),
    LossCase(Focal(gamma=0.5), naive.focal),
    LossCase(Focal(gamma=2.0), naive.focal),
    LossCase(Sparsemax(), naive.sparsemax_loss),
    LossCase(Entmax(), naive.entmax_loss),
    LossCase(Entmax(alpha=1.1), naive.entmax_loss),
    LossCase(Entmax(alpha=2.0), naive.entmax_loss),
    LossCase(WestonWatkins(), naive.weston_watkins),
    LossCase(WestonWatkins(margin=0.25), naive.weston_watkins),
    LossCase(CrammerSinger(), naive.crammer_singer),
    LossCase(OneVsRest(), naive.one_vs_rest),
    LossCase(OneVsRestLogistic(), naive.one_vs_rest_logistic),
    LossCase(SquaredWestonWatkins(margin=1.5), naive.squared_weston_watkins),
    LossCase(SquaredCrammerSinger(margin=1.5), naive.squared_crammer_singer),
    LossCase(SquaredOneVsRest(margin=1.5), naive.squared_one_vs_rest),
    LossCase(NormFace(scale=10.0), naive.normface),
    LossCase(CosFace(scale=10.0, margin=0.35), naive.cosface),
    LossCase(ArcFace(scale=10.0, margin=0.5), naive.arcface),
    LossCase(ArcFace(scale=64.0, margin=1.5), naive.arcface),
    LossCase(SphereFace(scale=10.0, margin=1.35), naive.sphereface),
    LossCase(SphereFace(scale=64.0, margin=4.0), naive.sphereface),
]

# an invalid argument, and the parameter and value that the message must name
INVALID_LOSSES = [
    (Softmax(label_smoothing=1.0), "label_smoothing", "1.0"),
    (Softmax(label_smoothing=-0.1), "label_smoothing", "-0.1"),
    (Softmax(temperature=0.0), "temperature", "0.0"),
    (Softmax(temperature=float("nan")), "temperature", "nan"),
    (Softmax(temperature="hot"), "temperature", "'hot'"),
    (Focal(gamma=-1e-9), "gamma", "-1e-09"),
    (Focal(gamma=float("inf")), "gamma", "inf"),
    (Entmax(alpha=1.0), "alpha", "1.0"),
    (Entmax(alpha=2.1), "alpha", "2.1"),
    (WestonWatkins(margin=0), "margin", "0"),
    (CrammerSinger(margin=-1), "margin", "-1"),
    (OneVsRest(margin=None), "margin", "None"),
    (SquaredWestonWatkins(margin=0), "margin", "0"),
    (SquaredCrammerSinger(margin=0), "margin", "0"),
    (SquaredOneVsRest(margin=0), "margin", "0"),
    (NormFace(scale=0), "scale", "0"),
    (NormFace(scale="large"), "scale", "'large'"),
    (CosFace(margin=1.01), "margin", "1.01"),
    (ArcFace(margin=1.6), "margin", "1.6"),
    (ArcFace(margin=-0.1), "margin", "-0.1"),
    (SphereFace(margin=0.99), "margin", "0.99"),
    (SphereFace(margin=4.1), "margin", "4.1"),
]


class OptimizerCase(NamedTuple):
    """An optimizer, its twin in `naive`, and a function that makes the same from torch.optim."""

    optimizer: tuple
    twin: callable
    torch: callable

    def step(self, w, g, state, step, penalty):
        return self.twin(w, g, state, step, penalty, **self.optimizer._asdict())


OPTIMIZER_CASES = [
    OptimizerCase(SGD(), naive.sgd, lambda optim, w, lr: optim.SGD([w], lr)),
    OptimizerCase(Momentum(beta=0.8), naive.momentum, lambda optim, w, lr: optim.SGD([w], lr, momentum=0.8)),
    OptimizerCase(
        Nesterov(beta=0.8),
        naive.nesterov,
        lambda optim, w, lr: optim.SGD([w], lr, momentum=0.8, nesterov=True),
    ),
    OptimizerCase(
        AdaGrad(epsilon=1e-3), naive.adagrad, lambda optim, w, lr: optim.Adagrad([w], lr, eps=1e-3)
    ),
    OptimizerCase(
        RMSProp(rho=0.9, epsilon=1e-3),
        naive.rmsprop,
        lambda optim, w, lr: optim.RMSprop([w], lr, alpha=0.9, eps=1e-3),
    ),
    OptimizerCase(
        Adam(beta1=0.8, beta2=0.95, epsilon=1e-3),
        naive.adam,
        lambda optim, w, lr: optim.Adam([w], lr, betas=(0.8, 0.95), eps=1e-3),
    ),
]

INVALID_OPTIMIZERS = [
    (Momentum(beta=1.0), "beta", "1.0"),
    (Nesterov(beta=-0.1), "beta", "-0.1"),
    (AdaGrad(epsilon=0), "epsilon", "0"),
    (RMSProp(rho=1), "rho", "1"),
    (RMSProp(epsilon=0), "epsilon", "0"),
    (Adam(beta1=1.5), "beta1", "1.5"),
    (Adam(beta2=1.0), "beta2", "1.0"),
    (Adam(epsilon=float("nan")), "epsilon", "nan"),
    (Averaged(Momentum(beta=2)), "beta", "2"),
]


def default_run(values, kept):
    """Values of a parameter; the default run uses only some of them, and `.ci/run` all."""
    return [pytest.param(value, marks=() if value in kept else pytest.mark.exhaustive) for value in values]


def table(cases):
    """`pytest.mark.parametrize` over rows of a table, named by their first field."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=repr(case[0])) for case in cases])
