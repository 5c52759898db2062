"""Choosing penalties: cross-validated classifiers, and the path of weights that they follow."""

from linclf.tuning._classifiers import LinearClassifierCV, SoftmaxClassifierCV, SVMClassifierCV
from linclf.tuning._path import Path, path

__all__ = ["LinearClassifierCV", "Path", "SVMClassifierCV", "SoftmaxClassifierCV", "path"]
