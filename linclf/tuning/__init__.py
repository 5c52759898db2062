"""Choosing penalties: classifiers that do, and the path of weights that they follow."""

from linclf.tuning._classifiers import LinearClassifierCV, SoftmaxClassifierCV, SVMClassifierCV

__all__ = ["LinearClassifierCV", "SVMClassifierCV", "SoftmaxClassifierCV"]
