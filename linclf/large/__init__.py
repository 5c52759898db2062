"""Classifiers for 1,000 to 1,000,000 classes, with steps that do not need a score for each class."""

from linclf.large.adaptive import AdaptiveSoftmaxClassifier
from linclf.large.hierarchical import HierarchicalSoftmaxClassifier
from linclf.large.sampled import NCEClassifier, SampledSoftmaxClassifier

__all__ = [
    "AdaptiveSoftmaxClassifier",
    "HierarchicalSoftmaxClassifier",
    "NCEClassifier",
    "SampledSoftmaxClassifier",
]
