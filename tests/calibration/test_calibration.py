"""The calibrators against other implementations, brute force, and cases with a known answer.

Not tested here: `CalibratedClassifier` (test_calibrated_classifier.py).
"""

import pickle
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad, minimize, minimize_scalar
from scipy.special import expit, log_softmax, softmax
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from versions import SCALES_TEMPERATURES

import linclf.calibration
from linclf.calibration import (
    CALIBRATORS,
    DirichletCalibration,
    PlattScaling,
    TemperatureScaling,
    VectorScaling,
    resolve,
)
from linclf.calibration._newton import Point
from linclf.calibration._newton import minimise as newton
from linclf.calibration.platt import log_odds

SOFTMAX_MAPS = ["temperature", "vector", "dirichlet"]
SIGNS = {"temperature": "temperature_", "platt": "coef_", "vector": "coef_", "dirichlet": "coef_"}


def drawn(n, K, seed=0, scale=1.5):
    """Scores, and labels drawn from their softmax."""
    rng = np.random.default_rng(seed)
    f = scale * rng.standard_normal((n, K))
    return f, (f + rng.gumbel(size=f.shape)).argmax(axis=1)


def crossed(n=400, K=4, seed=0):
    """Overconfident scores that favour a class and confuse two, with labels and unequal weights."""
    f, y = drawn(n, K, seed)
    A = 2 * np.eye(K)
    A[0, 1] = A[1, 0] = 0.7
    return f @ A + np.eye(K)[0], y, np.random.default_rng(seed).uniform(0.2, 3, n)


def minimising(name):
    """The module with the optimiser of a calibrator."""
    return linclf.calibration.platt if name == "platt" else linclf.calibration._shrunk


def log_loss(log_p, y, weights=None):
    return np.average(-log_p[np.arange(len(y)), y], weights=weights)


# ---------------------------------------------------------------- other implementations


@pytest.mark.filterwarnings("ignore:Since FrozenEstimator does not appear to accept sample_weight")
@pytest.mark.parametrize("K", [2, 4])
@pytest.mark.parametrize(
    ("name", "theirs"),
    [pytest.param("temperature", "temperature", marks=SCALES_TEMPERATURES), ("platt", "sigmoid")],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learn_on_the_same_scores(K, name, theirs, weighted):
    X, y = make_classification(600, 8, n_informative=6, n_classes=K, flip_y=0.2, random_state=0)
    model = LogisticRegression(C=100).fit(X[:200], y[:200])
    weights = np.random.default_rng(0).uniform(0.5, 2, 400) if weighted else None
    reference = CalibratedClassifierCV(FrozenEstimator(model), method=theirs)
    reference.fit(X[200:], y[200:], sample_weight=weights)
    ours = TemperatureScaling(alpha=0) if name == "temperature" else resolve(name)
    ours.fit(model.decision_function(X[200:]), y[200:], sample_weight=weights)
    found = ours.predict_proba(model.decision_function(X))
    np.testing.assert_allclose(found, reference.predict_proba(X), atol=2e-5)


def objective(name, x, f, y, weights, T, calibrator):
    """The objective of each map, literally; x is (v, b) or (A, b)."""
    K = f.shape[1]
    if name == "vector":
        v, b = x[:K], x[K:]
        f = v * f + b
        penalty = calibrator.alpha * np.sum((v * T - 1) ** 2)
    else:
        A, b = x[: K * K].reshape(K, K), x[K * K :]
        f, off = f @ A.T + b, A - np.diag(np.diag(A))
        penalty = calibrator.alpha * np.sum((T * np.diag(A) - 1) ** 2)
        penalty += calibrator.odir * K * np.sum((T * off) ** 2)
    penalty += calibrator.alpha_intercept * np.sum(b**2)
    return log_loss(log_softmax(f, axis=1), y, weights) + penalty / 2 / weights.sum()


@pytest.mark.parametrize("input", ["scores", "probabilities"])
@pytest.mark.parametrize("strength", [1.0, 1e-3])
@pytest.mark.parametrize("name", ["vector", "dirichlet"])
def test_least_by_brute_force(name, strength, input):
    f, y, weights = crossed(K=3)
    calibrator = resolve(name).set_params(input=input, shrinkage=1.0)
    for penalty in {"alpha", "odir", "alpha_intercept"} & set(calibrator.get_params()):
        calibrator.set_params(**{penalty: strength * getattr(calibrator, penalty)})
    given = softmax(f, axis=1) if input == "probabilities" else f
    f = np.log(given) if input == "probabilities" else f - f.mean(axis=1, keepdims=True)
    calibrator.fit(given, y, weights)
    T = TemperatureScaling().fit(f, y, weights).temperature_
    start = np.append(np.ones(3) if name == "vector" else np.eye(3).ravel(), np.zeros(3))
    arguments = (f, y, weights, T, calibrator)
    least = minimize(lambda x: objective(name, x, *arguments), start, method="BFGS", options={"gtol": 1e-7})
    found = np.append(calibrator.coef_.ravel(), calibrator.intercept_)
    assert objective(name, found, *arguments) <= least.fun + 1e-12
    np.testing.assert_allclose(found, least.x, atol=2e-4)


@pytest.mark.parametrize("alpha", [0.0, 5.0, 300.0])
def test_temperature_by_brute_force(alpha):
    f, y, weights = crossed()
    stated = softmax(f, axis=1)

    def function(beta):
        log_p = log_softmax(beta * f, axis=1)
        divergence = np.average((stated * (np.log(stated) - log_p)).sum(axis=1), weights=weights)
        return weights.sum() * log_loss(log_p, y, weights) + alpha * divergence

    least = minimize_scalar(function, bounds=(1e-3, 10), options={"xatol": 1e-10})
    found = TemperatureScaling(alpha=alpha).fit(f, y, weights).temperature_
    assert found == pytest.approx(1 / least.x, rel=1e-6)
    assert found == TemperatureScaling(alpha=alpha).fit(f, y, weights).temperature_
    if alpha == 5:
        assert found == TemperatureScaling().fit(f, y, weights).temperature_


def test_platt_by_brute_force():
    f, y, weights = crossed()
    f, y = 5 * f[:, 0] + 100, y == 0
    plus, minus = weights[y].sum(), weights[~y].sum()
    t = np.where(y, (plus + 1) / (plus + 2), 1 / (minus + 2))

    def loss(x):
        z = x[0] * (f - 100) + x[1]
        return np.average(np.logaddexp(0, z) - t * z, weights=weights)

    least = minimize(loss, [0.1, 0.0], method="BFGS", options={"gtol": 1e-8})
    model = PlattScaling().fit(f, y, weights)
    np.testing.assert_allclose(
        [model.coef_[0], model.intercept_[0] + 100 * model.coef_[0]], least.x, atol=1e-5
    )


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["temperature", "vector", "dirichlet"])
def test_torch_lbfgs(name):
    torch = pytest.importorskip("torch")
    f, y, weights = crossed(K=3)
    f = f - f.mean(axis=1, keepdims=True)
    model = resolve(name)
    model.set_params(**{} if name == "temperature" else {"shrinkage": 1.0}).fit(f, y, weights)
    T = TemperatureScaling().fit(f, y, weights).temperature_
    F, Y, w = torch.tensor(f), torch.tensor(y), torch.tensor(weights)
    A = torch.eye(3, dtype=torch.float64) if name == "dirichlet" else torch.ones(3, dtype=torch.float64)
    A = torch.ones((), dtype=torch.float64) if name == "temperature" else A
    A.requires_grad_()
    b = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [A] if name == "temperature" else [A, b],
        max_iter=1000,
        tolerance_grad=1e-10,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        mapped = F @ A.T + b if name == "dirichlet" else A * F + b
        loss = (w * torch.nn.functional.cross_entropy(mapped, Y, reduction="none")).sum()
        if name == "temperature":
            stated = torch.softmax(F, 1)
            divergence = (stated * (torch.log_softmax(F, 1) - torch.log_softmax(mapped, 1))).sum(1)
            loss = loss + 5 * (w * divergence).sum() / w.sum()
        if name == "vector":
            loss = loss + 25 * ((T * A - 1) ** 2).sum() + 5 * (b**2).sum() / 2
        if name == "dirichlet":
            own = torch.diag(A)
            off = A - torch.diag(own)
            loss = loss + 25 * ((T * own - 1) ** 2).sum() + 15 * ((T * off) ** 2).sum() + 5 * (b**2).sum() / 2
        loss = loss / w.sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    if name == "temperature":
        assert model.temperature_ == pytest.approx(1 / A.item(), rel=1e-6)
    else:
        np.testing.assert_allclose(model.coef_, A.detach().numpy(), atol=1e-6)
        np.testing.assert_allclose(model.intercept_, b.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("name", ["platt", "vector", "dirichlet"])
def test_gradients_and_hessians_by_finite_differences(name, monkeypatch):
    caught = []
    module = minimising(name)
    real = module.minimise
    monkeypatch.setattr(module, "minimise", lambda function, x: caught.append(function) or real(function, x))
    f, y, weights = crossed()
    resolve(name).fit(f, y, weights)
    function = caught[0]
    rng = np.random.default_rng(0)
    x = 0.3 * rng.standard_normal({"platt": 2, "vector": 8, "dirichlet": 20}[name])
    error = check_grad(lambda x: function(x).value, lambda x: function(x).gradient, x)
    assert error < 1e-6
    point, step = function(x), 1e-5
    H = np.array([point.product(e) for e in np.eye(len(x))])
    numeric = [
        (function(x + step * e).gradient - function(x - step * e).gradient) / (2 * step)
        for e in np.eye(len(x))
    ]
    np.testing.assert_allclose(H, numeric, atol=1e-8)
    np.testing.assert_allclose(point.diagonal, H.diagonal(), atol=1e-12)


@pytest.mark.parametrize("name", ["platt", "vector", "dirichlet"])
def test_gradient_norm_reached(name, monkeypatch):
    norms = []
    module = minimising(name)
    real = module.minimise

    def minimise(function, x):
        x = real(function, x)
        norms.append(np.linalg.norm(function(x).gradient))
        return x

    monkeypatch.setattr(module, "minimise", minimise)
    f, y, weights = crossed(K=12)
    resolve(name).fit(f, y, weights)
    assert max(norms) <= 1e-8


# ---------------------------------------------------------------- cases with a known answer


@pytest.mark.parametrize("K", [2, 3, 20])
def test_calibrated_scores_stay(K):
    """The standard error of 1/T is the root of the inverse Fisher information."""
    f, y = drawn(50_000, K)
    T = TemperatureScaling().fit(f, y).temperature_
    p = softmax(f, axis=1)
    information = np.sum(p * f**2) - np.sum(np.sum(p * f, axis=1) ** 2)
    assert abs(1 / T - 1) < 4 / np.sqrt(information)


@pytest.mark.parametrize("factor", [3.0, 1e-3, 1e20])
def test_a_factor_of_the_scores(factor):
    """Slopes and T follow the scale of the scores, and probabilities do not change."""
    f, y, weights = crossed()
    for calibrator in (TemperatureScaling(alpha=0), PlattScaling()):
        one, other = (clone(calibrator).fit(size * f, y, weights) for size in (1, factor))
        np.testing.assert_allclose(other.predict_proba(factor * f), one.predict_proba(f), atol=1e-7)
        if hasattr(one, "temperature_"):
            assert other.temperature_ == pytest.approx(factor * one.temperature_, rel=1e-9)
        else:
            np.testing.assert_allclose(other.coef_ * factor, one.coef_, rtol=1e-5)
    # for the others the uncalibrated scores count as five of these 400 rows
    for name in SOFTMAX_MAPS:
        one, other = (resolve(name).fit(size * f, y, weights) for size in (1, factor))
        np.testing.assert_allclose(other.predict_proba(factor * f), one.predict_proba(f), atol=0.02)


@pytest.mark.parametrize("name", ["vector", "dirichlet"])
def test_a_shifted_class_is_undone(name):
    f, y = drawn(50_000, 4)
    shift = np.array([0.0, 1.5, 0.0, -0.5])
    model = resolve(name).fit(f + shift, y)
    np.testing.assert_allclose(model.predict_proba(f + shift), softmax(f, axis=1), atol=0.03)
    A = model.coef_ if name == "dirichlet" else np.diag(model.coef_)
    found = model.intercept_ + A @ (shift - shift.mean())
    np.testing.assert_allclose(found - found.mean(), 0, atol=0.1)


def test_dirichlet_model_is_recovered():
    """p given class j from Dir(alpha_j): the posterior has A = alpha - 1, up to a constant per column."""
    rng = np.random.default_rng(0)
    alpha = np.array([[4.0, 1.5, 1.0], [1.0, 3.0, 2.0], [1.2, 1.0, 2.5]])
    y = rng.integers(3, size=60_000)
    p = np.empty((len(y), 3))
    for j in range(3):
        p[y == j] = rng.dirichlet(alpha[j], size=(y == j).sum())
    A = DirichletCalibration(input="probabilities").fit(p, y).coef_
    np.testing.assert_allclose(A - A.mean(axis=0), alpha - alpha.mean(axis=0), atol=0.08)


def test_platt_recovers_a_logistic_model():
    rng = np.random.default_rng(0)
    f = rng.standard_normal(100_000)
    y = rng.random(len(f)) < expit(0.7 * f - 1.2)
    model = PlattScaling().fit(f, y)
    np.testing.assert_allclose([*model.coef_, *model.intercept_], [0.7, -1.2], atol=0.04)


def test_two_classes_in_every_form():
    """A score, the pair (0, score) and any other pair with that difference, and their probabilities."""
    f, y = drawn(300, 2)
    f = 2 * (f[:, 1] - f[:, 0])
    for name in CALIBRATORS:
        expected = resolve(name).fit(f, y).predict_proba(f)
        for pair in (np.column_stack([np.zeros(300), f]), np.column_stack([5 - f, np.full(300, 5.0)])):
            np.testing.assert_allclose(resolve(name).fit(pair, y).predict_proba(pair), expected, atol=1e-9)
        if name in ("temperature", "platt"):  # the others use log p of both classes: beta calibration
            for p in (expit(f), np.column_stack([expit(-f), expit(f)])):
                model = resolve(name).set_params(input="probabilities").fit(p, y)
                np.testing.assert_allclose(model.predict_proba(p), expected, atol=1e-9)


def test_platt_of_probabilities_starts_at_the_probabilities():
    f, _ = drawn(100, 5)
    p = softmax(f, axis=1)
    model = PlattScaling(input="probabilities").fit(p, np.arange(100) % 5)
    model.coef_, model.intercept_ = np.ones(5), np.zeros(5)
    np.testing.assert_allclose(model.predict_proba(p), p, rtol=1e-12)


@pytest.mark.parametrize("K", [3, 10])
def test_platt_of_logits_is_that_of_probabilities_and_keeps_what_is_calibrated(K):
    f, y = drawn(10_000, K)
    p = softmax(f, axis=1)
    logits = PlattScaling(input="logits").fit(f + np.arange(10_000)[:, None] % 7, y)  # shifts do not matter
    given = PlattScaling(input="probabilities").fit(p, y)
    np.testing.assert_allclose(logits.coef_, given.coef_, rtol=1e-9)
    np.testing.assert_allclose(logits.predict_proba(f), given.predict_proba(p), atol=1e-9)
    nothing = log_loss(log_softmax(f, axis=1), y)
    assert log_loss(logits.predict_log_proba(f), y) < nothing
    # scores that are treated separately cannot use the other classes
    assert log_loss(PlattScaling().fit(f, y).predict_log_proba(f), y) > nothing + 0.03


def test_log_odds_lose_no_digits():
    with mpmath.workdps(60):
        for f in (
            [3.0, 1.0, -2.0],
            [0.1, 0.1, 0.1],
            [800.0, 1.0, 0.0, -900.0],
            [50.0, 49.0, 0.0],
            [1e6, 0.0, -1e6],
        ):
            exact = [
                mpmath.mpf(f[k])
                - mpmath.log(sum(mpmath.exp(mpmath.mpf(each)) for each in f[:k] + f[k + 1 :]))
                for k in range(len(f))
            ]
            np.testing.assert_allclose(
                log_odds(np.array([f]))[0], [float(each) for each in exact], rtol=1e-14
            )


def test_zero_probabilities_are_floored():
    p = np.array([[1.0, 0.0], [0.0, 1.0], [0.4, 0.6], [0.7, 0.3]])
    y = [0, 0, 1, 1]
    for name in CALIBRATORS:
        model = resolve(name).set_params(input="probabilities").fit(p, y)
        floored = resolve(name).set_params(input="probabilities").fit(np.maximum(p, 1e-4), y)
        np.testing.assert_array_equal(model.predict_proba(p), floored.predict_proba(p))
        assert np.isfinite(model.predict_log_proba(p)).all()


# ---------------------------------------------------------------- invariances


@pytest.mark.parametrize("name", CALIBRATORS)
def test_weights_are_copies(name):
    f, y, _ = crossed(100)
    counts = np.random.default_rng(1).integers(0, 4, 100)
    counts[0] = 0
    rows = np.repeat(np.arange(100), counts)
    weighted = resolve(name).fit(f, y, counts)
    copied = resolve(name).fit(f[rows], y[rows])
    np.testing.assert_allclose(weighted.predict_proba(f), copied.predict_proba(f), atol=1e-8)


@pytest.mark.parametrize("name", CALIBRATORS)
def test_rows_of_weight_zero_may_lack_a_class_or_have_one(name):
    f, y, _ = crossed(100, K=3)
    f, y = f[y < 2][:, :2], y[y < 2]
    more = np.append(y, 2)
    model = resolve(name).fit(np.vstack([f, [[9.0, -9.0]]]), more, np.append(np.ones(len(y)), 0))
    assert model.classes_.tolist() == [0, 1]
    np.testing.assert_array_equal(model.predict_proba(f), resolve(name).fit(f, y).predict_proba(f))


@pytest.mark.parametrize("name", CALIBRATORS)
@pytest.mark.parametrize("input", ["scores", "probabilities"])
def test_permuted_classes(name, input):
    f, y, weights = crossed()
    f = softmax(f, axis=1) if input == "probabilities" else f
    order = np.array([2, 0, 3, 1])
    model = resolve(name).set_params(input=input)
    one = clone(model).fit(f, y, weights).predict_proba(f)
    other = clone(model).fit(f[:, order], np.argsort(order)[y], weights).predict_proba(f[:, order])
    np.testing.assert_allclose(other, one[:, order], atol=1e-7)
    named = clone(model).fit(f[:, order], y, weights, classes=order)
    np.testing.assert_array_equal(named.classes_, order)
    np.testing.assert_allclose(named.predict_proba(f[:, order]), one[:, order], atol=1e-7)


@pytest.mark.parametrize("name", SOFTMAX_MAPS)
def test_a_constant_in_a_row_means_nothing(name):
    f, y, weights = crossed()
    shifted = f + 100 * np.random.default_rng(0).standard_normal((len(f), 1))
    one, other = resolve(name).fit(f, y, weights), resolve(name).fit(shifted, y, weights)
    np.testing.assert_allclose(other.predict_proba(f), one.predict_proba(shifted), atol=1e-7)


def test_the_order_of_the_classes_stays_under_a_temperature():
    f, y, _ = crossed()
    p = TemperatureScaling().fit(f, y).predict_proba(f)
    np.testing.assert_array_equal(np.argsort(p, axis=1), np.argsort(f, axis=1))


@pytest.mark.parametrize("labels", [["c", "a", "b"], [3.0, -1.0, 2.0], [True, False]], ids=str)
def test_labels_of_any_kind(labels):
    K = len(labels)
    f, y = drawn(200, K)
    labels = np.array(labels)
    for name in CALIBRATORS:
        model = resolve(name).fit(f, labels[y], classes=labels)
        np.testing.assert_array_equal(model.classes_, labels)
        np.testing.assert_array_equal(model.predict_proba(f), resolve(name).fit(f, y).predict_proba(f))


# ---------------------------------------------------------------- the promise, and what is degenerate


@st.composite
def any_rows(draw):
    K, n = draw(st.integers(2, 5)), draw(st.integers(1, 12))
    size = draw(st.sampled_from([1e-3, 1.0, 30.0, 1e6, 1e30]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    f = size * (rng.integers(-2, 3, (n, K)) if draw(st.booleans()) else rng.standard_normal((n, K)))
    y = f.argmax(axis=1) if draw(st.integers(0, 3)) == 0 else rng.integers(K, size=n)
    weights = rng.uniform(0.01, 5, n) if draw(st.booleans()) else np.ones(n)
    return f, y, weights


@settings(max_examples=200, deadline=None)
@given(any_rows(), st.sampled_from(SOFTMAX_MAPS))
def test_never_worse_than_nothing_nor_than_a_temperature(rows, name):
    f, y, weights = rows
    model = resolve(name).fit(f, y, weights, classes=np.arange(f.shape[1]))
    log_p = model.predict_log_proba(f)
    p = model.predict_proba(f)
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)
    for key, value in vars(model).items():
        assert isinstance(value, str) or key == "shrinkages_" or np.isfinite(value).all()
    found, nothing = log_loss(log_p, y, weights), log_loss(log_softmax(f, axis=1), y, weights)
    assert found <= nothing * (1 + 1e-12) + 1e-12
    tempered = TemperatureScaling().fit(f, y, weights, classes=np.arange(f.shape[1])).predict_log_proba(f)
    assert found <= log_loss(tempered, y, weights) * (1 + 1e-9) + 1e-12


@settings(max_examples=200, deadline=None)
@given(any_rows())
def test_platt_is_never_worse_on_its_targets(rows):
    """For each class separately, a = 1, b = 0 does not have a lower log loss for the smoothed targets."""
    f, y, weights = rows
    K = f.shape[1]
    model = PlattScaling().fit(f, y, weights, classes=np.arange(K))
    assert np.isfinite(model.predict_proba(f)).all()
    columns = f if K > 2 else f[:, 1:] - f[:, :1]
    for k, column in enumerate(columns.T, start=1 if K == 2 else 0):
        count, total = weights[y == k].sum(), weights.sum()
        t = np.where(y == k, (count + 1) / (count + 2), 1 / (total - count + 2))
        i = k if K > 2 else 0
        fitted = model.coef_[i] * column + model.intercept_[i]
        losses = [np.average(np.logaddexp(0, z) - t * z, weights=weights) for z in (fitted, column)]
        assert losses[0] <= losses[1] * (1 + 1e-12) + 1e-12


def test_separated_rows():
    """The best T is 0: the result is finite, scale-free and without loss, and a warning is given."""
    f, _ = drawn(200, 5)
    y = f.argmax(axis=1)
    with pytest.warns(ConvergenceWarning, match="the true class comes first in every row, .* alpha > 0"):
        one, other = (TemperatureScaling(alpha=0).fit(factor * f, y) for factor in (1, 1e20))
    assert 0 < one.temperature_ < 0.1
    assert other.temperature_ == pytest.approx(1e20 * one.temperature_, rel=1e-9)
    assert log_loss(one.predict_log_proba(f), y) < 1e-13
    # with a penalty there is an optimum, and with more rows it comes nearer to the limit
    T = [TemperatureScaling().fit(f[:n], y[:n], classes=range(5)).temperature_ for n in (5, 20, 200)]
    assert 1 > T[0] > T[1] > T[2] > 2 * one.temperature_
    for name in ("vector", "dirichlet"):
        assert log_loss(resolve(name).fit(f, y).predict_log_proba(f), y) < 0.1
    p = PlattScaling().fit(f[:, 0], f[:, 0] > 1).predict_proba(f[:, 0])[:, 1]
    plus = np.sum(f[:, 0] > 1)
    target = (plus * (plus + 1) / (plus + 2) + (200 - plus) / (202 - plus)) / 200
    assert p.mean() == pytest.approx(target, abs=1e-7)  # Platt's guarantee: as confident as the targets


def test_scores_worse_than_chance_become_uniform():
    f, y = drawn(500, 3)
    p = TemperatureScaling(alpha=0).fit(-f, y).predict_proba(-f)
    np.testing.assert_allclose(p, 1 / 3, atol=1e-6)
    np.testing.assert_allclose(TemperatureScaling().fit(-f, y).predict_proba(-f), 1 / 3, atol=0.03)


def test_few_rows_in_which_all_is_right_make_no_certainty():
    """Test rows with the same scores as ten correct rows, one in four wrong: mistakes are not ruinous."""
    rng = np.random.default_rng(0)
    for K in (2, 4):
        f = rng.standard_normal((10, K))
        y = f.argmax(axis=1)
        others = np.where(rng.random(10) < 0.25, (y + 1) % K, y)
        for name in SOFTMAX_MAPS:
            model = resolve(name).fit(f, y, classes=np.arange(K))
            assert log_loss(model.predict_log_proba(f), others) < 1.5 * log_loss(
                log_softmax(f, axis=1), others
            )


def test_tiny_scores_are_not_made_surer_than_they_are():
    """One of two rows has equal scores and the second class; the other has the first class."""
    f = np.array([[1e-9, 0.0], [1e-9, 0.0]])
    for alpha in (0.0, 5.0):
        model = TemperatureScaling(alpha=alpha).fit(f, [1, 1], classes=[0, 1])
        assert model.temperature_ >= 1


def test_constant_scores():
    """A temperature cannot help; the others give nearly the shares of the classes."""
    f, y = np.full((1000, 3), 7.0), np.repeat([0, 1, 2], [600, 300, 100])
    assert TemperatureScaling().fit(f, y).temperature_ == 1.0
    for name in ("platt", "vector", "dirichlet"):
        p = resolve(name).fit(f, y).predict_proba(f[:1])[0]
        np.testing.assert_allclose(p, [0.6, 0.3, 0.1], atol=0.005)
    assert (PlattScaling().fit(f, y).coef_ == 0).all()


@pytest.mark.parametrize("name", CALIBRATORS)
def test_one_class_only(name):
    f, _ = drawn(50, 3)
    model = resolve(name).fit(f, np.zeros(50), classes=[0, 1, 2])
    p = model.predict_proba(f)
    assert np.isfinite(p).all()
    if name != "temperature":
        assert 0.8 < p[:, 0].mean() < 1


@pytest.mark.parametrize("name", CALIBRATORS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64, list])
def test_types_of_scores(name, dtype):
    f, y = drawn(100, 3, scale=3.0)
    f = f.round()
    given = f.tolist() if dtype is list else f.astype(dtype)
    p = resolve(name).fit(given, y).predict_proba(given)
    assert p.dtype == np.float64
    np.testing.assert_array_equal(p, resolve(name).fit(f, y).predict_proba(f))


# ---------------------------------------------------------------- bad input

F, Y = [[1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [3.0, 0.0, 1.0]], [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0, np.nan, 0.0], *F[1:]], Y), "scores contains nan; calibration needs finite scores"),
        (([[1.0, np.inf, 0.0], *F[1:]], Y), "scores contains inf"),
        (([[1.0, -1e101, 0.0], *F[1:]], Y), r"scores contains -1e\+101; .* of 1e\+100 at most"),
        ((np.zeros((3, 1)), Y), r"scores has shape \(3, 1\): pass .* or \(n_samples,\) for two classes"),
        ((np.zeros((0, 3)), []), r"scores has shape \(0, 3\)"),
        ((np.zeros((2, 2, 2)), [0, 1]), r"scores has shape \(2, 2, 2\)"),
        ((1.0, [0]), r"scores has shape \(\)"),
        (
            (F, [1, 3, 1]),
            r"scores are for 3 classes, and y has 2 .*name the class of each column with classes=.* 0 to 2",
        ),
        (([1.0, 2.0], [2, 2]), "scores are for 2 classes, and y has 1 "),
        ((F, Y, None, [0, 1]), r"scores are for 3 classes, and classes has 2"),
        ((F, Y, None, [0, 1, 1]), r"classes=\[0, 1, 1\] names a class twice"),
        ((F, Y, None, [0, 1, 7]), r"y contains labels that are not in classes .*\[2\]"),
        ((F, [0, 1]), "inconsistent numbers of samples"),
        ((F, [0.5, 1.5, 2.2]), "Unknown label type"),
        ((F, [0, 1, np.nan]), "contains NaN"),
        ((F, None), "y"),
        (
            (F, [[0, 1], [1, 0], [1, 0]]),
            r"y should be a 1d array of one label a row, .* \(3, 2\); pass one of its columns",
        ),
        ((F, Y, [1.0, -1.0, 1.0]), "[Nn]egative"),
        ((F, Y, [0.0, 0.0, 0.0]), "at least one"),
        ((F, Y, [1.0, 1.0]), "sample_weight"),
        ((F, Y, [1.0, np.nan, 1.0]), "NaN"),
    ],
)
@pytest.mark.parametrize("name", CALIBRATORS)
def test_fit_refuses(name, arguments, message):
    scores, y, sample_weight, classes = (*arguments, None, None)[:4]
    with pytest.raises(ValueError, match=message):
        resolve(name).fit(scores, y, sample_weight, classes=classes)


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([[0.5, 0.2, 0.2], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0]], r"row 0 is .* \(sum 0\.9\).*input='scores'"),
        ([[0.5, 0.2, 0.3], [0.1, 1.0, -0.1], [0.0, 0.0, 1.0]], r"row 1 is .*non-negative"),
        ([0.5, 0.2, 1.2], "row 2 is"),
    ],
)
def test_probabilities_are_distributions(p, message):
    y = Y if np.ndim(p) == 2 else [0, 1, 1]
    with pytest.raises(ValueError, match=message):
        TemperatureScaling(input="probabilities").fit(p, y)


def test_other_refusals():
    for scores in (np.array(F) * 1j, [["a", "b", "c"]] * 3):
        with pytest.raises(TypeError, match="pass real numbers"):
            TemperatureScaling().fit(scores, Y)
    with pytest.raises(ValueError, match="'input' parameter of TemperatureScaling must be a str among"):
        TemperatureScaling(input="logits").fit(F, Y)
    for name in ("alpha", "odir", "alpha_intercept"):
        with pytest.raises(ValueError, match=f"'{name}' parameter .* Got -1 instead"):
            DirichletCalibration(**{name: -1}).fit(F, Y)
    model = VectorScaling().fit(F, Y)
    with pytest.raises(ValueError, match="scores are for 2 classes, and the calibrator was fitted to 3"):
        model.predict_proba([1.0])
    with pytest.raises(ValueError, match="is not fitted"):
        VectorScaling().predict_proba(F)


def test_a_failed_fit_changes_nothing():
    model = DirichletCalibration().fit(F, Y)
    before = model.predict_proba(F)
    with pytest.raises(ValueError, match="scores contains nan"):
        model.fit([[np.nan, 0.0, 1.0]] * 3, Y)
    np.testing.assert_array_equal(model.predict_proba(F), before)


def test_a_stop_before_the_optimum_is_told():
    def far(x):
        return Point(x @ x, 2 * x, lambda v: 2 * v, np.full(1, 2.0))

    with pytest.warns(ConvergenceWarning, match="stopped at a gradient norm of 2.0e"):
        newton(far, np.ones(1), max_iter=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(newton(far, np.ones(1)), 0, atol=1e-8)


# ---------------------------------------------------------------- as estimators, and by name


@pytest.mark.parametrize("name", CALIBRATORS)
def test_clone_and_pickle(name):
    model = resolve(name).set_params(input="probabilities")
    assert clone(model).get_params() == model.get_params()
    f, y = drawn(100, 3)
    p = softmax(f, axis=1)
    model.fit(p, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(p), model.predict_proba(p))
    assert not hasattr(clone(model), "classes_")
    np.testing.assert_allclose(np.exp(model.predict_log_proba(p)), model.predict_proba(p), rtol=1e-12)


def test_resolve():
    for name, cls in CALIBRATORS.items():
        assert type(resolve(name)) is cls
    mine = VectorScaling(alpha=3.0).fit(F, Y)
    found = resolve(mine)
    assert found is not mine
    assert found.alpha == 3.0
    assert not hasattr(found, "coef_")
    with pytest.raises(
        ValueError, match=r"calibration='platts' is unknown; use one of \['auto', 'dirichlet', 'platt'"
    ):
        resolve("platts")
    with pytest.raises(TypeError, match=r"is a class; pass an object, VectorScaling\(\)"):
        resolve(VectorScaling)
    with pytest.raises(TypeError, match="calibration=None is no calibrator"):
        resolve(None)


# ---------------------------------------------------------------- real networks


def ece(p, y, bins=15):
    """Expected calibration error of the largest probability, in bins of equal width."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    at = np.minimum((confidence * bins).astype(int), bins - 1)
    return np.abs(np.bincount(at, confidence - right)).sum() / len(y)


@pytest.mark.data
@pytest.mark.parametrize(
    ("network", "least"),
    [
        ("lenet-5-cifar-10", 0.025),
        ("wideresnet-16-4-cifar-10", 0.025),
        ("densenet-bc-100-cifar-100", 0.025),
        ("lenet-5-cifar-100", 0.025),
        ("wideresnet-16-4-cifar-100", 0.045),  # 4.05 % at the best T
    ],
)
def test_networks(data_folder, network, least):
    archive = np.load(data_folder / "calib_netcal" / f"{network}.npz")
    f, y = np.log(np.maximum(archive["predictions"], 1e-30)), archive["ground_truth"].ravel().astype(int)
    order = np.random.default_rng(0).permutation(len(y))
    fit, test = order[:5000], order[5000:]
    K = f.shape[1]
    before = log_softmax(f[test].astype(np.float64), axis=1)
    after = {
        name: resolve(name).fit(f[fit], y[fit], classes=np.arange(K)).predict_log_proba(f[test])
        for name in CALIBRATORS
    }
    losses = {name: log_loss(log_p, y[test]) for name, log_p in after.items()}
    assert ece(np.exp(after["temperature"]), y[test]) < min(least, ece(np.exp(before), y[test]))
    assert losses["temperature"] < log_loss(before, y[test])
    assert losses["dirichlet"] < losses["temperature"]  # with 10 and with 100 classes
    assert losses["vector"] < losses["temperature"] + 1e-3
