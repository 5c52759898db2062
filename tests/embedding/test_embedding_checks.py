"""scikit-learn's checks of a transformer, all of them, for each kind of loss."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from linclf import LinearEmbedding
from linclf.embedding import NTXent


@parametrize_with_checks(
    [
        LinearEmbedding(),
        LinearEmbedding(loss="cosface", standardize=False),
        LinearEmbedding(loss="center"),
        LinearEmbedding(loss="supcon"),
        LinearEmbedding(loss="nt-xent"),
        LinearEmbedding(loss=NTXent(dropout=0.2), solver="rmsprop", batch_size=20),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
