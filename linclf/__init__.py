"""linclf: linear classifiers with every loss, behind one scikit-learn API and one fast engine."""

from linclf.classifiers import (
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SVMClassifier,
)
from linclf.compare import Comparison, compare

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "FocalClassifier",
    "LinearClassifier",
    "MarginSoftmaxClassifier",
    "SVMClassifier",
    "SoftmaxClassifier",
    "compare",
]
