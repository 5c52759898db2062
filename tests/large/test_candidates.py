"""Sampled softmax and noise-contrastive estimation: losses, draws, and the results of training."""

import warnings

import numpy as np
import pytest
from cases import default_run
from scipy import sparse
from scipy.special import log_softmax, logsumexp, softmax
from scipy.stats import chisquare
from sklearn.exceptions import ConvergenceWarning

from linclf import SoftmaxClassifier
from linclf._data.dataset import Dataset
from linclf._data.targets import Labels
from linclf.large import HierarchicalSoftmaxClassifier, NCEClassifier, SampledSoftmaxClassifier
from linclf.large._candidates import NoiseContrast, SampledSoftmax, met, probabilities
from linclf.losses import Softmax
from linclf.losses._registry import row_losses

CLASSIFIERS = [SampledSoftmaxClassifier, NCEClassifier]


def value_and_gradient(loss, scores, y):
    block, values = np.array(scores, np.float64)[None], np.empty(1)
    row_losses(loss, block, np.array([y]), values)
    return values[0], block[0]


def losses(n, rng):
    counts = rng.integers(0, 4, n).astype(float)
    expected = rng.uniform(0.1, 3, n)
    with np.errstate(divide="ignore"):
        return [SampledSoftmax(np.log(counts) - np.log(expected)), NoiseContrast(np.log(expected), counts)]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("size", [1.0, 30.0])
def test_gradients_are_finite_differences(which, size):
    rng = np.random.default_rng(1)
    for _ in range(5):
        loss, scores = losses(7, rng)[which], size * rng.normal(size=7)
        for y in range(7):
            _, gradient = value_and_gradient(loss, scores, y)
            steps = 1e-5 * np.eye(7)
            differences = [
                value_and_gradient(loss, scores + e, y)[0] - value_and_gradient(loss, scores - e, y)[0]
                for e in steps
            ]
            np.testing.assert_allclose(gradient, np.array(differences) / 2e-5, atol=1e-6)


def test_values_are_those_of_the_formulas():
    rng = np.random.default_rng(2)
    scores = 3 * rng.normal(size=9)
    sampled, contrast = losses(9, rng)
    for y in range(9):
        others = np.delete(scores + sampled.correction, y)
        expected = logsumexp(np.append(others, scores[y])) - scores[y]
        assert value_and_gradient(sampled, scores, y)[0] == pytest.approx(expected, rel=1e-12)
        margin = scores - contrast.log_expected
        expected = np.logaddexp(0, -margin[y]) + contrast.drawn @ np.logaddexp(0, margin)
        assert value_and_gradient(contrast, scores, y)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("size", [1e4, 1e30])
@pytest.mark.parametrize("which", [0, 1])
def test_extreme_scores_stay_finite(which, size):
    loss = losses(5, np.random.default_rng(3))[which]
    for scores in (size * np.array([1.0, -1, 0, 0.5, -0.5]), np.full(5, size), np.full(5, -size)):
        for y in range(5):
            value, gradient = value_and_gradient(loss, scores, y)
            assert np.isfinite(gradient).all()
            assert 0 <= value < np.inf


# ---------------------------------------------------------------- draws


def sampling(cls=SampledSoftmaxClassifier, K=40, **parameters):
    """The sampling of an estimator that has seen K classes 1, 2, ..., K times."""
    y = np.repeat(np.arange(K), np.arange(1, K + 1))
    found = cls(random_state=0, **parameters)._sampling(Softmax(), K)
    found.meet(Dataset(np.zeros((len(y), 2)), Labels(y, K), np.ones(len(y))))
    return found


def test_samplers_have_their_probabilities():
    counts = np.array([3.0, 10, 1, 10])
    np.testing.assert_allclose(probabilities("uniform", 0.75, counts), 0.25)
    np.testing.assert_allclose(probabilities("unigram", 0.5, counts), np.sqrt(counts) / np.sqrt(counts).sum())
    rank = np.array([2, 0, 3, 1])
    np.testing.assert_allclose(
        probabilities("log-uniform", 0.75, counts), np.log((rank + 2) / (rank + 1)) / np.log(5)
    )


@pytest.mark.parametrize("sampler", ["uniform", "unigram", "log-uniform"])
def test_draws_follow_the_sampler(sampler):
    found, times = sampling(sampler=sampler, n_sampled=20), np.zeros(40)
    for step in range(500):
        candidates, loss, _ = found._drawn(np.zeros(0, np.int64), step)
        times[candidates] += np.exp(loss.correction) * 20 * found.q[candidates]
    assert times.sum() == pytest.approx(10_000)
    assert chisquare(times, 10_000 * found.q).pvalue > 1e-4


def test_the_sum_over_drawn_classes_is_unbiased_without_the_label():
    """The mean over draws of the label's exponential plus the corrected ones is the sum over all classes."""
    found, rng = sampling(n_sampled=15), np.random.default_rng(5)
    scores, y, sums = rng.normal(size=40), 39, []
    for step in range(4000):
        candidates, loss, at = found._drawn(np.array([y]), step)
        corrected = scores[candidates] + loss.correction
        corrected[at] = scores[y]
        sums.append(np.exp(logsumexp(corrected)))
    error = np.std(sums) / np.sqrt(len(sums))
    assert abs(np.mean(sums) - np.exp(logsumexp(scores))) < 4 * error
    assert error < 0.02 * np.exp(logsumexp(scores))


def test_the_expected_gradient_tends_to_that_of_the_full_softmax():
    """Its bias falls like 1/S."""
    rng = np.random.default_rng(6)
    scores, bias = 3 * rng.normal(size=500), []
    y = int(np.argsort(scores)[-3])
    for S in (20, 80, 320):
        found, slopes = sampling(K=500, n_sampled=S, sampler="uniform"), []
        for step in range(2000):
            candidates, loss, at = found._drawn(np.array([y]), step)
            slopes.append(value_and_gradient(loss, scores[candidates], at[0])[1][at[0]])
        bias.append(np.mean(slopes) - (softmax(scores)[y] - 1))
    assert bias[0] > 2 * bias[1] > 4 * bias[2] > 0
    assert bias[2] < 0.02


def test_chance_to_be_met():
    rng = np.random.default_rng(7)
    hits = (rng.random((20_000, 5)) < 0.3).any(axis=1) | (rng.random(20_000) < 0.2)
    assert met(0.3, 5, 0.2) == pytest.approx(hits.mean(), abs=0.01)


# ---------------------------------------------------------------- training


def blobs(n=4000, K=60, d=20, seed=0, spread=1.5):
    rng = np.random.default_rng(seed)
    y = np.append(np.arange(K), np.minimum(rng.zipf(1.4, n - K) - 1, K - 1))
    return rng.normal(size=(K, d))[y] + spread * rng.normal(size=(n, d)), y


def objective(model, X, y, alpha):
    scores = X @ model.coef_.T + model.intercept_
    return -log_softmax(scores, axis=1)[np.arange(len(y)), y].mean() + alpha / 2 * np.sum(model.coef_**2)


def test_with_all_classes_it_is_the_full_softmax():
    X, y = blobs()
    sampled = SampledSoftmaxClassifier(n_sampled=60, alpha=1e-4, random_state=0).fit(X, y)
    full = SoftmaxClassifier(solver="sgd", alpha=1e-4, random_state=0)
    np.testing.assert_array_equal(sampled.coef_, full.fit(X, y).coef_)


@pytest.mark.parametrize("kind", default_run([np.asarray, sparse.csr_array], kept=[sparse.csr_array]))
@pytest.mark.parametrize("alpha", default_run([1e-4, 3e-3], kept=[3e-3]))
def test_sampled_training_comes_near_the_full_optimum(alpha, kind):
    """Including the penalty: it acts only on weights that a batch uses, with the right average strength."""
    X, y = blobs()
    X = kind(X)
    full = SoftmaxClassifier(solver="lbfgs", alpha=alpha).fit(X, y)
    best, zero = objective(full, X, y, alpha), np.log(60)
    left = {}
    for S in (5, 40):
        model = SampledSoftmaxClassifier(
            n_sampled=S, alpha=alpha, sampler="unigram", max_iter=60, random_state=0
        )
        left[S] = (objective(model.fit(X, y), X, y, alpha) - best) / (zero - best)
    assert left[40] < 0.02
    assert left[5] < 0.25
    norm = np.linalg.norm(model.coef_) / np.linalg.norm(full.coef_)
    assert 0.85 < norm < 1.15


def test_the_penalty_of_rare_features_is_that_of_all_rows():
    """A batch without a feature does not shrink its weights, so a batch with it makes up for many."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 30, 3000)
    often, rare = rng.normal(size=(30, 10))[y] + rng.normal(size=(3000, 10)), np.zeros((3000, 60))
    for j in range(60):
        rare[rng.choice(np.flatnonzero(y == j % 30), 8, replace=False), j] = 1
    X = sparse.csr_array(np.hstack([often, rare]))
    full = SoftmaxClassifier(solver="lbfgs", alpha=1e-4).fit(X, y)
    sampled = SampledSoftmaxClassifier(n_sampled=25, alpha=1e-4, max_iter=60, random_state=0).fit(X, y)
    norms = [np.linalg.norm(model.coef_[:, 10:]) for model in (sampled, full)]
    assert 0.8 < norms[0] / norms[1] < 1.25  # 1.6 if each batch with the feature counts once


def test_noise_that_outweighs_the_data_shortens_the_steps():
    """Ten rows of noise for each class and label: the loss is as steep as that."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 20, 2000)
    X = rng.normal(size=(20, 10))[y] + rng.normal(size=(2000, 10))
    for n_sampled in (200, 2000):
        model = NCEClassifier(n_sampled=n_sampled, max_iter=20, random_state=0).fit(X, y)
        longer = NCEClassifier(n_sampled=n_sampled, max_iter=100, random_state=0).fit(X, y)
        assert model.history_["objective"][-1] < 1.05 * longer.history_["objective"][-1]
        assert model.score(X, y) > SoftmaxClassifier().fit(X, y).score(X, y) - 0.08


@pytest.mark.parametrize("cls", default_run(CLASSIFIERS, kept=CLASSIFIERS[:1]))
def test_dense_and_sparse_take_the_same_steps(cls):
    X, y = blobs(d=12)
    X[np.random.default_rng(0).random(X.shape) < 0.5] = 0
    model = cls(
        n_sampled=20, alpha=0, learning_rate=0.5, batch_size=100, max_iter=2, solver="adam", random_state=0
    ).set_params(learning_rate=0.01)
    dense, rows = model.fit(X, y).coef_, model.fit(sparse.csr_array(X), y).coef_
    # if X is sparse, features missing from a batch keep their weights; Adam would move them on
    plain = model.set_params(solver="sgd", learning_rate=0.5)
    np.testing.assert_allclose(plain.fit(X, y).coef_, plain.fit(sparse.csr_array(X), y).coef_, atol=1e-10)
    assert np.corrcoef(dense.ravel(), rows.ravel())[0, 1] > 0.7


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_threads_and_repetition_change_no_bit(cls):
    X, y = blobs(n=3000, K=1500, d=100, spread=0.5)
    one, two = (cls(n_sampled=1200, max_iter=2, n_jobs=n, random_state=3).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.coef_, two.coef_)


def test_noise_contrast_finds_a_normalised_model():
    """With one-hot contexts ``f = log p`` is possible: sums of exponentials are 1, and scores are log p."""
    rng = np.random.default_rng(8)
    table = softmax(1.5 * rng.normal(size=(4, 25)), axis=1)
    context = rng.integers(0, 4, 20_000)
    y = np.array([rng.choice(25, p=table[c]) for c in context])
    X = np.eye(4)[context]
    for n_sampled in (20, 50):  # sampled, and in expectation
        model = NCEClassifier(n_sampled=n_sampled, sampler="unigram", alpha=0, max_iter=40, random_state=0)
        model.fit(X, y)
        assert np.abs(model.log_partition(np.eye(4))).max() < 0.08
        scores = model.decision_function(np.eye(4))
        seen = table > 0.02
        assert np.abs(scores - np.log(table))[seen].max() < 0.35
        np.testing.assert_allclose(model.predict_proba(X[:9]).sum(axis=1), 1)


@pytest.mark.parametrize("cls", CLASSIFIERS)
@pytest.mark.parametrize("solver", default_run(["sgd", "momentum", "adagrad", "adam"], kept=["sgd"]))
def test_solvers_and_streams_learn(cls, solver):
    X, y = blobs(spread=0.7)
    model = cls(n_sampled=30, solver=solver, random_state=0, early_stopping="auto")
    assert model.fit(X[:3000], y[:3000]).score(X[3000:], y[3000:]) > 0.8
    stream = cls(n_sampled=30, solver=solver, random_state=0)
    for start in range(0, 3000, 100):
        stream.partial_fit(X[start : start + 100], y[start : start + 100], classes=np.arange(60))
    assert stream.score(X[3000:], y[3000:]) > (0.7 if cls is SampledSoftmaxClassifier else 0.45)


@pytest.mark.parametrize("cls", default_run(CLASSIFIERS, kept=CLASSIFIERS[:1]))
def test_soft_labels_are_weighted_copies(cls):
    X, y = blobs(n=2000)
    Y = np.eye(60)[y]
    hard, soft = (cls(n_sampled=30, max_iter=3, random_state=0).fit(X, target) for target in (y, Y))
    np.testing.assert_array_equal(hard.coef_, soft.coef_)
    mixed = cls(n_sampled=30, max_iter=20, random_state=0).fit(X, 0.9 * Y + 0.1 / 60)
    assert mixed.predict_proba(X).max() < hard.predict_proba(X).max()
    assert mixed.score(X, y) > hard.score(X, y)  # ten labels in a hundred are random


def test_validation_watches_the_full_softmax():
    X, y = blobs()
    model = SampledSoftmaxClassifier(n_sampled=10, max_iter=5, random_state=0)
    model.fit(X[:3000], y[:3000], X_val=X[3000:], y_val=y[3000:])
    best = min(model.history_["validation_loss"])
    assert best == pytest.approx(-np.log(model.predict_proba_of(X[3000:], y[3000:])).mean(), rel=1e-6)


def test_errors_name_what_to_do():
    X, y = blobs(n=500)
    with pytest.raises(ValueError, match=r"power=0\.5 with sampler='uniform', which does not use it"):
        SampledSoftmaxClassifier(sampler="uniform", power=0.5).fit(X, y)
    with pytest.raises(ValueError, match="'solver' parameter of NCEClassifier must be"):
        NCEClassifier(solver="lbfgs").fit(X, y)
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        _ = NCEClassifier(rank=3).partial_fit
    model = NCEClassifier(max_iter=2).fit(X, y % 2)
    with pytest.raises(ValueError, match="of two classes only the difference is kept"):
        model.log_partition(X)


def test_losses_that_underflow_are_no_error():
    """Sparse rows with such large norms that their loss is 0 in a whole batch."""
    rng = np.random.default_rng(0)
    y = np.arange(200) % 3
    X = sparse.csr_array(1e3 * (rng.normal(size=(200, 6)) + 3 * np.eye(6)[y]))
    for seed in range(4):
        model = SampledSoftmaxClassifier(n_sampled=2, random_state=seed).fit(X, y)
        assert model.score(X, y) > 0.9


def test_other_draws_start_from_the_weights_reached():
    X, y = blobs(n=600)

    def stream(**parameters):
        model = NCEClassifier(n_sampled=20, random_state=0).partial_fit(X[:300], y[:300], np.arange(60))
        return model.set_params(**parameters).partial_fit(X[300:], y[300:])

    went_on, changed = stream(), stream(n_sampled=30, sampler="uniform")
    assert 0.2 < np.corrcoef(changed.coef_.ravel(), went_on.coef_.ravel())[0, 1] < 0.99


def test_separable_classes_without_a_penalty():
    """Noise-contrastive estimation has a minimum even there: the label is among the noise."""
    X, y = np.eye(3)[np.arange(60) % 3] * 5, np.arange(60) % 3
    with pytest.warns(ConvergenceWarning, match="alpha=0 and the classes are separable"):
        SampledSoftmaxClassifier(alpha=0, random_state=0).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="alpha=0 and the classes are separable"):
        HierarchicalSoftmaxClassifier(alpha=0, random_state=0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NCEClassifier(alpha=0, random_state=0).fit(X, y)


def test_a_first_draw_of_one_frequent_class_is_no_measure():
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.05) * rng.integers(1, 20, 2000)
    X = rng.normal(size=(2000, 6))
    for seed in range(5):
        model = SampledSoftmaxClassifier(n_sampled=5, sampler="unigram", max_iter=2, random_state=seed)
        assert model.fit(X, y).history_["step"][0] > 0.01
