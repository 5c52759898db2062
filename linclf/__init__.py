"""linclf: linear classifiers with every loss, behind one scikit-learn API and one fast engine."""

from linclf.classifiers import (
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SVMClassifier,
)

__version__ = "0.1.0"

__all__ = [
    "FocalClassifier",
    "LinearClassifier",
    "MarginSoftmaxClassifier",
    "SVMClassifier",
    "SoftmaxClassifier",
]
