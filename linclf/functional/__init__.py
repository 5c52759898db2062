"""Softmax and its relatives as functions of NumPy arrays.

Maps from scores to probabilities (`softmax`, `log_softmax`, `logsumexp`, `linear_normalization`,
`gibbs`, and `sparsemax` and `entmax`, which give exact zeros, with their derivatives), sampling
(`gumbel_softmax`, `gumbel_max`), and functions built on them: `attention`, `segment_softmax`, softmax
policies, contrastive losses, and entropies. Arrays can have any leading shape, the classes are along
``axis``, float32 stays float32, and arguments are never modified.
"""

from linclf.functional.attention import attention, segment_softmax
from linclf.functional.contrastive import info_nce, nt_xent
from linclf.functional.information import cross_entropy, entropy, kl_divergence, perplexity
from linclf.functional.maps import gibbs, linear_normalization, log_softmax, logsumexp, softmax
from linclf.functional.policy import policy_log_probability, policy_score_function
from linclf.functional.sampling import gumbel_max, gumbel_softmax
from linclf.functional.sparse import entmax, entmax_jvp, sparsemax, sparsemax_jvp

__all__ = [
    "attention",
    "cross_entropy",
    "entmax",
    "entmax_jvp",
    "entropy",
    "gibbs",
    "gumbel_max",
    "gumbel_softmax",
    "info_nce",
    "kl_divergence",
    "linear_normalization",
    "log_softmax",
    "logsumexp",
    "nt_xent",
    "perplexity",
    "policy_log_probability",
    "policy_score_function",
    "segment_softmax",
    "softmax",
    "sparsemax",
    "sparsemax_jvp",
]
