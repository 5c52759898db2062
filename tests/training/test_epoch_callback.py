"""`EpochCallback`: what its function sees, and what becomes of its result and of its exceptions."""

import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import log_loss
from versions import HAS_CALLBACKS

from linclf import EpochCallback, SoftmaxClassifier

X, Y = load_iris(return_X_y=True)
pytestmark = HAS_CALLBACKS


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "newton"])
def test_the_function_sees_each_epoch(solver):
    seen = []
    clf = SoftmaxClassifier(solver=solver, max_iter=4, tol=None, random_state=0)
    if solver != "adam":
        clf.set_params(tol=1e-3, max_iter=30)
    callback = EpochCallback(lambda epoch, model: seen.append((epoch, log_loss(Y, model.predict_proba(X)))))
    clf.set_callbacks(callback).fit(X, Y)
    epochs, losses = zip(*seen, strict=True)
    assert epochs == tuple(range(clf.n_iter_))
    assert losses[-1] == pytest.approx(log_loss(Y, clf.predict_proba(X)))
    assert losses[-1] < losses[0]


def test_true_stops():
    clf = SoftmaxClassifier(solver="adam", max_iter=9, tol=None, random_state=0)
    assert clf.set_callbacks(EpochCallback(lambda epoch, model: epoch == 2)).fit(X, Y).n_iter_ == 3


def test_an_exception_leaves_the_classifier_as_it_was():
    def fail(epoch, model):
        raise RuntimeError(f"epoch {epoch}")

    clf = SoftmaxClassifier(solver="adam", random_state=0).set_callbacks(EpochCallback(fail))
    with pytest.raises(RuntimeError, match="epoch 0"):
        clf.fit(X, Y)
    assert not hasattr(clf, "coef_")


def test_what_is_not_a_function_is_refused():
    with pytest.raises(TypeError, match="function=3: pass a function of the epoch and the classifier"):
        EpochCallback(3)
