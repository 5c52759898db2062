"""What the oldest versions of the dependencies do not have, for tests that compare with it."""

import pytest
import sklearn
from sklearn.utils.fixes import parse_version

SCALES_TEMPERATURES = pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.8"),
    reason="CalibratedClassifierCV has temperature scaling from scikit-learn 1.8 on",
)
