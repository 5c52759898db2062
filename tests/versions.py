"""What the oldest versions of the dependencies do not have, for tests that need it."""

import pytest
import sklearn
from sklearn.utils.fixes import parse_version

VERSION = parse_version(sklearn.__version__)
SCALES_TEMPERATURES = pytest.mark.skipif(
    parse_version("1.8") > VERSION, reason="CalibratedClassifierCV has temperature scaling from 1.8 on"
)
HAS_CALLBACKS = pytest.mark.skipif(
    parse_version("1.9") > VERSION, reason="scikit-learn has callbacks from 1.9 on"
)
SCORES_WITH_METADATA = pytest.mark.skipif(
    parse_version("1.8") > VERSION, reason="cross_validate passes metadata to score from 1.8 on"
)


def elastic_net(l1_ratio):
    """Parameters of LogisticRegression for an elastic net: from 1.8 on, the ratio says it alone."""
    return {"l1_ratio": l1_ratio} | ({} if parse_version("1.8") <= VERSION else {"penalty": "elasticnet"})
