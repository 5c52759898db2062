"""Few rows: held-out parts, shrinkage, `AutomaticCalibration`, labels that lack classes.

Not tested here: the objective (test_calibration.py).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

import linclf
from linclf.calibration import (
    CALIBRATORS,
    AutomaticCalibration,
    CalibratedClassifier,
    DirichletCalibration,
    PlattScaling,
    TemperatureScaling,
    VectorScaling,
    resolve,
)
from linclf.calibration._held_out import held_out_parts
from linclf.calibration._rows import checked

SHRUNK = [VectorScaling, DirichletCalibration]


def drawn(n, K, seed=0, factor=2.0, favour=0.0):
    """Overconfident scores, possibly in favour of class 0; labels drawn from the softmax of correct ones."""
    rng = np.random.default_rng(seed)
    f = 1.5 * rng.standard_normal((n, K))
    y = (f + rng.gumbel(size=f.shape)).argmax(axis=1)
    return factor * f + favour * np.eye(K)[0], y


def log_loss(model, f, y):
    return -model.predict_log_proba(f)[np.arange(len(y)), y].mean()


# ---------------------------------------------------------------- parts that are held out


def parts_of(f, y, weights=None):
    return held_out_parts(checked(f, y, weights, np.arange(f.shape[1]), "scores"))


def contents(rows):
    """Distinct rows with their weights, sorted."""
    table = np.column_stack([rows.scores, rows.target])
    found, at = np.unique(table, axis=0, return_inverse=True)
    return found, np.bincount(at.ravel(), rows.weights * rows.total)


def same(one, other):
    assert len(one) == len(other) == 5
    for mine, theirs in zip(one, other, strict=True):
        for a, b in zip(mine, theirs, strict=True):
            for x, z in zip(contents(a), contents(b), strict=True):
                np.testing.assert_allclose(x, z, atol=1e-9)


def test_each_row_is_held_out_once():
    f, y = drawn(203, 4)
    parts = parts_of(f, y)
    held_out = np.vstack([part.test.scores for part in parts])
    np.testing.assert_array_equal(np.unique(held_out, axis=0), np.unique(f, axis=0))
    assert len(held_out) == 203
    for fit, test in parts:
        assert len(fit.scores) + len(test.scores) == 203
        assert 30 <= len(test.scores) <= 55  # looks random: shares are unequal
        assert fit.weights.sum() == pytest.approx(1)
        assert test.total == pytest.approx(len(test.scores))


@pytest.mark.parametrize("most", [4, 50_000])
def test_weights_are_copies_in_the_parts(most):
    f, y = drawn(60, 3)
    counts = np.random.default_rng(1).integers(0, most, 60)
    rows = np.repeat(np.arange(60), counts)
    same(parts_of(f, y, counts), parts_of(f[rows], y[rows]))


def test_parts_depend_neither_on_the_order_of_rows_nor_on_that_of_classes():
    f, y = drawn(80, 3)
    rows, order = np.random.default_rng(2).permutation(80), np.array([2, 0, 1])
    same(parts_of(f, y), parts_of(f[rows], y[rows]))
    other = parts_of(f[:, order], np.argsort(order)[y])
    for mine, theirs in zip(parts_of(f, y), other, strict=True):
        back = np.sort(theirs.test.scores[:, np.argsort(order)], axis=0)
        np.testing.assert_array_equal(np.sort(mine.test.scores, axis=0), back)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1e-3, 1.0, 30.0, 1e9, 1e25]))
def test_weights_of_any_size_are_dealt_completely(seed, size):
    rng = np.random.default_rng(seed)
    f, y = drawn(40, 3, seed)
    weights = size * rng.exponential(size=40)
    parts = parts_of(f, y, weights)
    if not parts:
        assert weights.sum() < 30
    for fit, test in parts:
        assert fit.total + test.total == pytest.approx(weights.sum())
    if parts:
        assert sum(test.total for _, test in parts) == pytest.approx(weights.sum())


# ---------------------------------------------------------------- shrinkage


@pytest.mark.parametrize("cls", SHRUNK)
def test_infinite_shrinkage_is_the_temperature(cls):
    f, y = drawn(200, 4, favour=2.0)
    expected = TemperatureScaling().fit(f, y).predict_proba(f)
    p = cls(shrinkage=np.inf).fit(f, y).predict_proba(f)
    np.testing.assert_allclose(p, expected, atol=1e-12)
    distances = [
        np.abs(cls(shrinkage=s).fit(f, y).predict_proba(f) - expected).max() for s in (0.1, 1, 10, 1e3)
    ]
    assert (np.diff(distances) < 0).all()
    assert distances[-1] < 0.02 < distances[0]


@pytest.mark.parametrize("cls", SHRUNK)
def test_a_factor_of_all_penalties(cls):
    f, y = drawn(200, 4, favour=1.0)
    penalties = {name: 3.0 * value for name, value in cls().get_params().items() if isinstance(value, float)}
    one, other = cls(shrinkage=3.0).fit(f, y), cls(shrinkage=1.0, **penalties).fit(f, y)
    np.testing.assert_allclose(one.coef_, other.coef_, atol=1e-9)
    assert one.shrinkages_.tolist() == [3.0]
    assert one.shrinkage_weights_.tolist() == [1.0]


@pytest.mark.parametrize("cls", SHRUNK)
def test_coefficients_are_the_average_of_the_strengths(cls):
    f, y = drawn(300, 3, favour=1.0)
    model = cls().fit(f, y)
    assert model.shrinkages_[0] == np.inf
    assert model.shrinkage_weights_.sum() == pytest.approx(1)
    fitted = [cls(shrinkage=strength).fit(f, y) for strength in model.shrinkages_]
    for name in ("coef_", "intercept_"):
        mean = sum(w * getattr(each, name) for w, each in zip(model.shrinkage_weights_, fitted, strict=True))
        np.testing.assert_allclose(getattr(model, name), mean, atol=1e-6)


@pytest.mark.parametrize("cls", SHRUNK)
def test_few_rows_stay_near_the_temperature_and_many_do_not(cls):
    """The scores favour class 0; 20 rows of 20 classes are too few to learn that."""
    f, y = drawn(20_000, 20, favour=3.0)
    test, gains = slice(10_000, None), []
    for n in (20, 100, 1_000, 10_000):
        fit = f[:n], y[:n]
        tempered = TemperatureScaling().fit(*fit, classes=np.arange(20))
        shrunk = cls().fit(*fit, classes=np.arange(20))
        gains.append(log_loss(tempered, f[test], y[test]) - log_loss(shrunk, f[test], y[test]))
        if n == 20:
            gap = np.abs(shrunk.predict_proba(f[test]) - tempered.predict_proba(f[test])).mean()
            assert gap < 0.01
    assert gains[0] > -1e-3
    assert gains[1] > -1e-3
    assert gains[3] > gains[2] > 0.05


@pytest.mark.parametrize("cls", SHRUNK)
def test_scores_that_are_right_are_left_alone(cls):
    """Labels drawn from the scores: anything learned beyond the temperature is noise."""
    for seed in range(5):
        f, y = drawn(10_300, 10, seed)
        fit, test = (f[:300], y[:300]), (f[300:], y[300:])
        fitted = cls().fit(*fit)
        loose = cls(shrinkage=1.0).fit(*fit)
        tempered = TemperatureScaling().fit(*fit)
        assert log_loss(fitted, *test) < 1.01 * log_loss(tempered, *test)
        assert log_loss(fitted, *test) < log_loss(loose, *test)


def test_shrinkage_is_checked():
    f, y = drawn(50, 3)
    for wrong in (-1.0, "strong", None):
        with pytest.raises(ValueError, match=r"'shrinkage' parameter of VectorScaling must be .*'auto'"):
            VectorScaling(shrinkage=wrong).fit(f, y)


# ---------------------------------------------------------------- the automatic one


def test_it_is_the_weighted_mean_of_its_members_scores():
    f, y = drawn(300, 4, favour=1.0)
    model = AutomaticCalibration(input="logits").fit(f, y)
    assert model.weights_.sum() == pytest.approx(1)
    assert (np.diff(model.weights_) <= 0).all()
    assert len(model.calibrators_) >= 2
    logarithms = [each.predict_log_proba(f) for each in model.calibrators_]
    expected = log_softmax(np.tensordot(model.weights_, logarithms, 1), axis=1)
    np.testing.assert_allclose(model.predict_log_proba(f), expected, atol=1e-10)
    for member in model.calibrators_:
        np.testing.assert_array_equal(member.classes_, model.classes_)
        alone = resolve(member).fit(f, y)
        np.testing.assert_allclose(member.predict_proba(f), alone.predict_proba(f), atol=1e-12)
    losses = [log_loss(each, f, y) for each in model.calibrators_]
    assert log_loss(model, f, y) <= model.weights_ @ losses + 1e-12


@pytest.mark.parametrize("input", ["scores", "logits", "probabilities"])
def test_its_input_is_that_of_its_members(input):
    f, y = drawn(300, 3)
    given = np.exp(log_softmax(f, axis=1)) if input == "probabilities" else f
    members = AutomaticCalibration(input=input).fit(given, y).calibrators_
    for member in members:
        expected = "scores" if input == "logits" and type(member) is not PlattScaling else input
        assert member.input == expected


def test_many_rows_leave_the_best_alone():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), size=20_000)
    f = np.log(p) @ [[1.0, 0.0, 0.0], [0.0, 1.0, 0.9], [0.0, 0.9, 1.0]]  # beyond vector scaling
    y = (f + rng.gumbel(size=f.shape)).argmax(axis=1)
    model = AutomaticCalibration(input="probabilities").fit(p, y)
    assert [type(each) for each in model.calibrators_] == [DirichletCalibration]


def test_too_few_rows_are_a_temperature():
    f, y = drawn(4, 3)
    model = AutomaticCalibration().fit(f, y)
    assert [type(each) for each in model.calibrators_] == [TemperatureScaling]
    expected = TemperatureScaling().fit(f, y).predict_proba(f)
    np.testing.assert_allclose(model.predict_proba(f), expected, atol=1e-12)


def test_dirichlet_calibration_is_left_out_where_it_would_take_minutes(monkeypatch):
    f, y = drawn(200, 3, favour=2.0)
    monkeypatch.setattr(linclf.calibration.automatic, "WORK", 200 * 9 - 1)
    model = AutomaticCalibration(input="logits").fit(f, y)
    assert DirichletCalibration not in {type(each) for each in model.calibrators_}


def test_a_model_file_holds_it(tmp_path):
    X, y = drawn(400, 4, favour=2.0)
    fitted = linclf.SoftmaxClassifier(calibration="auto", random_state=0)
    fitted.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    assert fitted.calibrator_.input == "logits"
    around = CalibratedClassifier(linclf.SVMClassifier(random_state=0), method="auto")
    for model in (fitted, around.fit(X, y)):
        linclf.save(model, tmp_path / "model.linclf")
        again = linclf.load(tmp_path / "model.linclf")
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    fitted.calibrator_.weights_ = fitted.calibrator_.weights_[:-1]
    with pytest.raises(ValueError, match=r"weights_ of AutomaticCalibration has shape \(\d,\) instead of"):
        linclf.save(fitted, tmp_path / "model.linclf")


def test_it_is_the_same_each_time():
    f, y = drawn(200, 5)
    one, other = (AutomaticCalibration().fit(f, y).predict_proba(f) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    rows = np.random.default_rng(0).permutation(200)
    shuffled = AutomaticCalibration().fit(f[rows], y[rows]).predict_proba(f)
    np.testing.assert_allclose(shuffled, one, atol=1e-7)


# ---------------------------------------------------------------- labels that lack classes


@pytest.mark.parametrize("name", CALIBRATORS)
def test_integers_below_the_number_of_columns_are_columns(name):
    f, y = drawn(300, 6)
    y[y == 4] = 1
    model = resolve(name).fit(f, y)
    np.testing.assert_array_equal(model.classes_, np.arange(6))
    named = resolve(name).fit(f, y, classes=np.arange(6))
    np.testing.assert_array_equal(model.predict_proba(f), named.predict_proba(f))
    p = model.predict_proba(f)
    assert (p[:, 4] > 0).all()  # an unseen class is not impossible
    if name != "temperature":  # but rarer than the scores say
        assert p[:, 4].mean() < TemperatureScaling().fit(f, y).predict_proba(f)[:, 4].mean()


def test_a_class_without_rows_keeps_what_the_penalty_gives():
    """Its expected number of rows is the penalty times its intercept, so it is not 0."""
    f, y = drawn(400, 5)
    y[y == 2] = 0
    model = VectorScaling(shrinkage=1.0, alpha_intercept=7.0).fit(f, y)
    expected = model.predict_proba(f)[:, 2].sum()
    assert expected == pytest.approx(-7.0 * model.intercept_[2], rel=1e-5)
    assert expected > 1


@pytest.mark.parametrize(
    ("y", "columns"),
    [
        ([1, 0, 1, 1], 3),  # the last is lacking
        (np.array([2, 1, 2, 1], np.uint8), 3),
        ([1, 1, 1, 1], 2),
    ],
)
def test_which_labels_are_columns(y, columns):
    f, _ = drawn(4, columns)
    model = TemperatureScaling().fit(f, y)
    np.testing.assert_array_equal(model.classes_, np.arange(columns))


@pytest.mark.parametrize("y", [[1, 3, 1, 1], [-1, 0, 0, -1], [0.0, 1.0, 0.0, 0.0], list("abab"), [True] * 4])
def test_other_labels_need_classes(y):
    f, _ = drawn(4, 3)
    message = r"scores are for 3 classes, and y has \d .*with classes=, .* or number the classes from 0 to 2"
    with pytest.raises(ValueError, match=message):
        TemperatureScaling().fit(f, y)
    names = [*np.unique(y).tolist(), *{"abab": "cd"}.get("".join(map(str, y)), [7, 8])][:3]
    if type(y[0]) is not bool:
        assert len(TemperatureScaling().fit(f, y, classes=names).classes_) == 3


# ---------------------------------------------------------------- real networks


@pytest.mark.data
@pytest.mark.parametrize("n_rows", [100, 300, 1_000])
@pytest.mark.parametrize(
    "network",
    [
        "lenet-5-cifar-10",
        "wideresnet-16-4-cifar-10",
        "densenet-bc-100-cifar-100",
        "lenet-5-cifar-100",
        "wideresnet-16-4-cifar-100",
    ],
)
def test_networks_with_few_rows(data_folder, network, n_rows):
    """On average over splits, at most .2 % above the log loss of a temperature; labels lack classes."""
    archive = np.load(data_folder / "calib_netcal" / f"{network}.npz")
    f, y = np.log(np.maximum(archive["predictions"], 1e-30)), archive["ground_truth"].ravel().astype(int)
    losses = {name: [] for name in ("temperature", "vector", "dirichlet", "auto")}
    for split in range(10 if n_rows < 1_000 else 4):
        order = np.random.default_rng(split).permutation(len(y))
        fit, test = order[:n_rows], order[5_000:]
        for name, found in losses.items():
            model = resolve(name)
            if name == "auto":
                model.set_params(input="logits")
            found.append(log_loss(model.fit(f[fit], y[fit]), f[test], y[test]))
    means = {name: np.mean(found) for name, found in losses.items()}
    assert max(means.values()) < 1.002 * means["temperature"]
    if n_rows == 1_000:
        assert means["vector"] < means["temperature"]
        assert means["dirichlet"] < means["temperature"]
