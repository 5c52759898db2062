"""Learned projections: a linear map to few features, trained by a loss on the features that it gives.

`linclf.LinearEmbedding` is the transformer. Its loss is one of `linclf.losses`, or `Center`, `NTXent` or
`SupCon`; ``OBJECTIVES`` maps names to these three.
"""

from linclf.embedding._names import OBJECTIVES
from linclf.embedding.center import Center
from linclf.embedding.contrastive import NTXent, SupCon

__all__ = ["OBJECTIVES", "Center", "NTXent", "SupCon"]
