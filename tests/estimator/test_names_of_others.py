"""Names from other libraries get a hint for this one, and a star import does not hide their names."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.model_selection import GridSearchCV

import linclf
from linclf import (
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SVMClassifier,
)

X, Y = load_iris(return_X_y=True)

MEANT = {
    "C": r"did you mean alpha, which is 1 / \(C \* n_samples\)\?",
    "eta0": r"did you mean learning_rate\?",
    "epochs": r"did you mean max_iter\?",
    "loss": r"did you mean LinearClassifier\(loss=\.\.\.\)",
    "probability": 'did you mean calibration="platt"',
    "alhpa": r"did you mean alpha\?",
    "max_itr": r"did you mean max_iter\?",
    "colour": "'colour'; its parameters are",
}


@pytest.mark.parametrize("name", MEANT)
@pytest.mark.parametrize("cls", [SoftmaxClassifier, SVMClassifier])
def test_parameters_of_others(name, cls):
    message = rf"{cls.__name__}\.__init__\(\) got an unexpected keyword argument '{name}'"
    with pytest.raises(TypeError, match=message) as caught:
        cls(**{name: 1.0})
    assert caught.match(MEANT[name])
    assert caught.match(r"parameters are \['alpha'")


def test_a_penalty_of_classes_that_have_one():
    with pytest.raises(TypeError, match="did you mean alpha: the penalty is L2"):
        MarginSoftmaxClassifier(penalty="l1")  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("name", [name for name in MEANT if name != "colour"])
def test_parameters_of_others_in_a_grid(name):
    with pytest.raises(ValueError, match=f"Invalid parameter '{name}' for estimator") as caught:
        GridSearchCV(SoftmaxClassifier(), {name: [1.0]}, error_score="raise").fit(X, Y)
    assert caught.match(MEANT[name])
    with pytest.raises(ValueError, match="Invalid parameter 'colour' for estimator"):
        SoftmaxClassifier().set_params(colour=1)


def test_parameters_that_are_there_are_set():
    model = SoftmaxClassifierCV(alphas=3).set_params(scoring="accuracy", cv=3)
    assert (model.alphas, model.scoring, model.cv) == (3, "accuracy", 3)
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize(
    ("loss", "meant"),
    [
        ("log_loss", "softmax"),
        ("cross_entropy", "softmax"),
        ("hinge", "one-vs-rest"),
        ("squared_hinge", "squared-one-vs-rest"),
        ("weston_watkins", "weston-watkins"),
        ("bce", "one-vs-rest-logistic"),
        ("ovr_logistic", "one-vs-rest-logistic"),
        ("softmx", "softmax"),
    ],
)
def test_losses_of_others(loss, meant):
    with pytest.raises(
        ValueError, match=rf"loss='{loss}' is unknown; did you mean '{meant}'\? Use one of \["
    ):
        LinearClassifier(loss=loss).fit(X, Y)


def test_a_loss_like_no_other():
    with pytest.raises(ValueError, match=r"loss='zzz' is unknown; use one of \["):
        LinearClassifier(loss="zzz").fit(X, Y)


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba", "predict_proba_of"])
def test_no_probabilities_names_the_calibration(method):
    for model in (SVMClassifier(), SVMClassifier().fit(X, Y)):
        assert not hasattr(model, method)
        with pytest.raises(AttributeError, match=rf"no attribute '{method}': .*calibration='platt'"):
            getattr(model, method)


def test_no_stream_says_why():
    with pytest.raises(AttributeError, match="no attribute 'partial_fit': solver='newton' needs all rows"):
        SoftmaxClassifier(solver="newton").partial_fit  # noqa: B018


def test_a_star_import_keeps_the_names_of_others():
    names = {"load": np.load, "save": np.save}
    exec("from linclf import *", names)
    assert (names["load"], names["save"]) == (np.load, np.save)
    assert names["SoftmaxClassifier"] is SoftmaxClassifier
    assert callable(linclf.load)
    assert callable(linclf.save)


# ---------------------------------------------------------------- scores of calibrated classifiers


@pytest.mark.parametrize("method", ["platt", "temperature", "vector", "dirichlet"])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("cls", [SoftmaxClassifier, SVMClassifier])
def test_decision_function_agrees_with_predict(method, n_classes, cls):
    """19 of 400 rows used to be on the other side of 0."""
    rows, labels = make_classification(
        1200, 8, n_informative=5, n_classes=n_classes, flip_y=0.2, class_sep=0.5, random_state=0
    )
    model = cls(calibration=method, early_stopping=True, random_state=0).fit(rows[:800], labels[:800])
    scores, p = model.decision_function(rows[800:]), model.predict_proba(rows[800:])
    found = (scores > 0).astype(int) if n_classes == 2 else scores.argmax(axis=1)
    np.testing.assert_array_equal(found, model.predict(rows[800:]))
    np.testing.assert_array_equal(p.argmax(axis=1), found)
    logs = model.predict_log_proba(rows[800:])
    np.testing.assert_allclose(
        scores, logs[:, 1] - logs[:, 0] if n_classes == 2 else logs, rtol=1e-9, atol=1e-12
    )
