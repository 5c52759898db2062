"""Learned projections: a linear map to few features, trained by a loss on the features that it gives.

`LinearEmbedding` is the transformer. Its loss is one of `linclf.losses`, or `Center`, `NTXent` or `SupCon`;
``OBJECTIVES`` maps names to the last three.
"""

from linclf.embedding._names import OBJECTIVES
from linclf.embedding.center import Center
from linclf.embedding.contrastive import NTXent, SupCon
from linclf.embedding.estimator import LinearEmbedding

__all__ = ["OBJECTIVES", "Center", "LinearEmbedding", "NTXent", "SupCon"]
