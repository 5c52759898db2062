"""Streams: what they keep from part to part."""

import numpy as np

from linclf import SoftmaxClassifier


def test_a_stream_keeps_the_dtype_of_its_first_part():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 4)), rng.integers(0, 3, 60)
    single = X[:30].astype(np.float32)
    for first, second, dtype in (
        (single, X[30:], np.float32),
        (X[:30], X[30:].astype(np.float32), np.float64),
    ):
        model = SoftmaxClassifier(random_state=0).partial_fit(first, y[:30], classes=[0, 1, 2])
        model.partial_fit(second, y[30:])
        assert (model.coef_.dtype, model.intercept_.dtype) == (dtype, dtype)
