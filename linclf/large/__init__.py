"""Classifiers for 1,000 to 1,000,000 classes, whose steps do not cost a score of each class."""

from linclf.large.adaptive import AdaptiveSoftmaxClassifier
from linclf.large.hierarchical import HierarchicalSoftmaxClassifier
from linclf.large.sampled import NCEClassifier, SampledSoftmaxClassifier

__all__ = [
    "AdaptiveSoftmaxClassifier",
    "HierarchicalSoftmaxClassifier",
    "NCEClassifier",
    "SampledSoftmaxClassifier",
]
