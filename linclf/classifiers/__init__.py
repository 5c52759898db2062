"""The classifiers: each names its parameters and the loss it stands for."""

from linclf.classifiers.entmax import EntmaxClassifier, SparsemaxClassifier
from linclf.classifiers.linear import LinearClassifier
from linclf.classifiers.margin import MarginSoftmaxClassifier
from linclf.classifiers.softmax import FocalClassifier, SoftmaxClassifier
from linclf.classifiers.svm import SVMClassifier

__all__ = [
    "EntmaxClassifier",
    "FocalClassifier",
    "LinearClassifier",
    "MarginSoftmaxClassifier",
    "SVMClassifier",
    "SoftmaxClassifier",
    "SparsemaxClassifier",
]
