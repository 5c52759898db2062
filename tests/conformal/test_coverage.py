"""Coverage over many draws, within the error of that many draws; MAPIE as an oracle."""

import numpy as np
import pytest
from given_probabilities import drawn, frozen

from linclf.conformal import Clustered, ConformalClassifier
from linclf.metrics import class_coverage_gap, set_coverage

DRAWS = 200


def coverages(n_cal, coverage, draw, **settings):
    """Coverage on 300 new rows, for many draws of rows that calibrate."""
    rng = np.random.default_rng(0)
    found = []
    for seed in range(DRAWS):
        p, y = draw(n_cal + 300, rng)
        n_classes = p.shape[1]
        model = ConformalClassifier(frozen(n_classes), random_state=seed, **settings)
        sets = model.fit(p[:n_cal], y[:n_cal]).predict_set(p[n_cal:], coverage)
        found.append(set_coverage(y[n_cal:], sets, labels=np.arange(n_classes)))
    return np.array(found)


def standard_error(n_cal, coverage):
    """Of the mean: the threshold is drawn from n_cal rows, and judged by 300."""
    return np.sqrt(coverage * (1 - coverage) * (1 / n_cal + 1 / 300) / DRAWS)


@pytest.mark.parametrize("score", ["lac", "aps", "raps"])
@pytest.mark.parametrize(("n_cal", "coverage"), [(99, 0.9), (19, 0.8), (30, 0.5)])
def test_coverage_is_exact_on_average(score, n_cal, coverage):
    expected = np.ceil((n_cal + 1) * coverage - 1e-9) / (n_cal + 1)  # if no scores are equal
    found = coverages(n_cal, coverage, lambda n, rng: drawn(n, 6, rng), conformity_score=score)
    assert found.mean() == pytest.approx(expected, abs=4 * standard_error(n_cal, coverage))


@pytest.mark.parametrize("score", ["lac", "aps", "raps"])
def test_coverage_is_not_lower_if_rows_repeat(score):
    """Four kinds of rows: scores are equal, in single precision and with noise in the last digits."""

    def draw(n, rng):
        kinds, _ = drawn(4, 3, np.random.default_rng(5), sharpness=1.0)
        p = kinds[rng.integers(4, size=n)]
        y = (rng.uniform(size=n)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(max=2)
        return (p * (1 + 1e-7 * rng.normal(size=p.shape))).astype(np.float32), y

    found = coverages(99, 0.9, draw, conformity_score=score)
    assert found.mean() > 0.9 - 4 * standard_error(99, 0.9)


def of_unequal_classes(n, rng):
    """Class 2 is rare, and often taken for class 1."""
    y = rng.choice(3, p=[0.6, 0.25, 0.15], size=n)
    logits = rng.normal(size=(n, 3)) + np.array([[3.0, 0, 0], [0, 3, 0], [0, 2, 1]])[y]
    p = np.exp(logits)
    return p / p.sum(axis=1, keepdims=True), y


@pytest.mark.parametrize("score", ["lac", "aps"])
def test_coverage_of_each_class(score):
    by_class = {"marginal": [], "class": []}
    rng = np.random.default_rng(1)
    for seed in range(60):
        p, y = of_unequal_classes(1200, rng)
        for taxonomy, found in by_class.items():
            model = ConformalClassifier(
                frozen(3), conformity_score=score, taxonomy=taxonomy, random_state=seed
            )
            sets = model.fit(p[:600], y[:600]).predict_set(p[600:]).toarray()
            found.append([sets[y[600:] == k, k].mean() for k in range(3)])
    error = np.sqrt(0.09 * (1 / 90 + 1 / 90) / 60)  # of the rarest class
    means = {taxonomy: np.mean(found, axis=0) for taxonomy, found in by_class.items()}
    assert (means["class"] > 0.9 - 4 * error).all()
    assert (means["class"] < 0.9 + 1 / 36 + 4 * error).all()
    assert means["marginal"][2] < 0.8


def test_coverage_of_clusters():
    """60 classes, a third of which is hard; 40 rows each for calibration."""
    hard = np.arange(60) % 3 == 0
    found = {"marginal": [], "cluster": []}
    for seed in range(8):
        rng = np.random.default_rng(seed)
        y = rng.permutation(np.repeat(np.arange(60), 80))
        logits = 0.5 * rng.normal(size=(len(y), 60))
        logits[np.arange(len(y)), y] += np.where(hard[y], 2.0, 5.0)
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        for taxonomy, shares in found.items():
            given = Clustered(n_clusters=2) if taxonomy == "cluster" else taxonomy
            model = ConformalClassifier(frozen(60), taxonomy=given, random_state=seed)
            sets = model.fit(p[:2400], y[:2400]).predict_set(p[2400:])
            covered = sets.toarray()[np.arange(2400), y[2400:]]
            shares.append([covered[hard[y[2400:]]].mean(), class_coverage_gap(y[2400:], sets, 0.9)])
    (hard_marginal, gap_marginal), (hard_cluster, gap_cluster) = (
        np.mean(found[name], axis=0) for name in found
    )
    assert hard_cluster == pytest.approx(0.9, abs=0.02)
    assert hard_marginal < 0.8
    assert gap_cluster < 0.6 * gap_marginal


@pytest.mark.oracle
def test_lac_is_that_of_mapie():
    mapie = pytest.importorskip("mapie.classification")
    p, y = drawn(500, 7, np.random.default_rng(0))
    levels = [0.5, 0.8, 0.9, 0.97]
    theirs = mapie.SplitConformalClassifier(
        frozen(7).estimator, levels, conformity_score="lac", prefit=True
    ).conformalize(p[:200], y[:200])
    expected = theirs.predict_set(p[200:])[1]
    ours = ConformalClassifier(frozen(7)).fit(p[:200], y[:200])
    for at, level in enumerate(levels):
        np.testing.assert_array_equal(ours.predict_set(p[200:], level).toarray(), expected[:, :, at])


@pytest.mark.oracle
def test_aps_covers_as_that_of_mapie_with_smaller_sets():
    """MAPIE draws other random numbers, so only averages can be compared."""
    mapie = pytest.importorskip("mapie.classification")
    p, y = drawn(6000, 7, np.random.default_rng(0))
    theirs = mapie.SplitConformalClassifier(
        frozen(7).estimator, 0.9, conformity_score="aps", prefit=True, random_state=0
    ).conformalize(p[:3000], y[:3000])
    drawn_sets = theirs.predict_set(p[3000:], {"include_last_label": "randomized"})[1][:, :, 0]
    ours = ConformalClassifier(frozen(7), conformity_score="aps", random_state=0).fit(p[:3000], y[:3000])
    sets = ours.predict_set(p[3000:])
    assert set_coverage(y[3000:], sets) == pytest.approx(set_coverage(y[3000:], drawn_sets), abs=0.025)
    assert sets.sum() / drawn_sets.sum() == pytest.approx(1, abs=0.1)
