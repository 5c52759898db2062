"""The losses and variants of softmax to compare."""

from collections.abc import Callable

import numpy as np

import linclf
from benchmarks.measure.classifier import Classifier
from linclf import LinearClassifier, SoftmaxClassifier
from linclf.losses import LOSSES

REFERENCE = "softmax"
SAME_FOR_TWO_CLASSES = ("crammer-singer", "one-vs-rest", "squared-crammer-singer", "squared-one-vs-rest")

Build = Callable[[np.ndarray], Classifier]  # a function of the training labels

VARIANTS: dict[str, Build] = {
    "softmax, label_smoothing=0.1": lambda y: SoftmaxClassifier(label_smoothing=0.1),
    "softmax, class_weight='balanced'": lambda y: SoftmaxClassifier(class_weight="balanced"),
    "softmax, effective_number_weights": lambda y: SoftmaxClassifier(
        class_weight=linclf.effective_number_weights(y)
    ),
    "softmax, logit_adjustment=1.0": lambda y: SoftmaxClassifier(logit_adjustment=1.0),
}


def models(n_classes: int) -> dict[str, Build]:
    names = [name for name in LOSSES if n_classes > 2 or name not in SAME_FOR_TWO_CLASSES]
    return {name: lambda y, name=name: LinearClassifier(loss=name) for name in names} | VARIANTS
