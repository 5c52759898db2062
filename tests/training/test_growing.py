"""Streams that get new classes, with on_new_class="add". For the labels see tests/data/test_new_labels.py."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
from cases import OPTIMIZER_CASES
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import InvalidParameterError

import linclf
from linclf import LinearClassifier, SoftmaxClassifier, SVMClassifier
from linclf._training import growing, train
from linclf._training import stream as streams
from linclf.calibration import CalibratedClassifier
from linclf.large import (
    AdaptiveSoftmaxClassifier,
    HierarchicalSoftmaxClassifier,
    NCEClassifier,
    SampledSoftmaxClassifier,
)
from linclf.optimizers import Averaged

OPTIMIZERS = [case.optimizer for case in OPTIMIZER_CASES]
STORAGES = {"dense": np.asarray, "sparse": sparse.csr_array}
NAMES = np.array(["kiwi", "apple", "a plum of another kind", "fig", "zucchini"])


def rows(labels, seed=0, n=60, d=6, storage="dense"):
    """Rows of the given classes (numbers into `NAMES`), each around its own mean."""
    rng = np.random.default_rng(seed)
    y = rng.choice(labels, n)
    y[: len(labels)] = labels
    X = np.random.default_rng(7).normal(size=(5, d))[y] + rng.normal(size=(n, d))
    X[np.abs(X) < 0.3] = 0
    return STORAGES[storage](X), NAMES[y]


def added(model, *parts, storage="dense", **parameters):
    """The model after parts with these classes; the seed of a part is its number."""
    for seed, labels in enumerate(parts, model.n_iter_ if hasattr(model, "n_iter_") else 0):
        model.partial_fit(*rows(labels, seed, storage=storage, **parameters))
    return model


def adding(cls=SoftmaxClassifier, **parameters):
    return cls(on_new_class="add", random_state=0, **parameters)


def without_training(model, X, y, monkeypatch):
    """The model that has grown to the labels, before its first step on them."""
    with monkeypatch.context() as patch:
        patch.setattr(streams.Stream, "train", lambda *_: {"objective": [], "step": [], "seconds": []})
        return copy.deepcopy(model).partial_fit(X, y)


def state_of(model):
    """Weights (K, d + 1) and slots (K, n_slots, d + 1)."""
    stream = model._stream
    stream.write()
    V, slots = stream.state.V, stream.state.slots
    return (V.T, slots.T) if stream.is_sparse else (V, slots)


# ---------------------------------------------------------------- right after growing


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, Averaged(OPTIMIZERS[-1])])
@pytest.mark.parametrize("loss", ["softmax", "one-vs-rest"])
def test_weights_and_slots_of_the_classes_so_far_are_kept_bit_for_bit(storage, optimizer, loss, monkeypatch):
    model = adding(LinearClassifier, loss=loss, solver=optimizer)
    added(model, [0, 3, 4], [0, 3, 4], storage=storage)
    V, slots = state_of(model)
    n_steps = model._stream.state.n_steps[0]
    grown = without_training(model, *rows([0, 1, 2, 3, 4], 5, storage=storage), monkeypatch)
    assert grown.classes_.tolist() == sorted(NAMES.tolist())
    kept = np.isin(grown.classes_, model.classes_)
    wide, wide_slots = state_of(grown)
    np.testing.assert_array_equal(wide[kept], V)
    np.testing.assert_array_equal(wide_slots[kept], slots)
    for new in np.flatnonzero(~kept):
        np.testing.assert_allclose(wide[new], V.mean(axis=0), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(wide_slots[new], slots.mean(axis=0), rtol=1e-12, atol=1e-15)
    assert grown._stream.state.n_steps[0] == n_steps > 0
    assert all(array.flags.c_contiguous for array in grown._stream.state)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("loss", ["softmax", "squared-weston-watkins", "one-vs-rest"])
def test_scores_of_the_classes_so_far_stay_and_a_new_one_has_their_mean(storage, loss, monkeypatch):
    X, _ = rows([0], 9, storage=storage)
    for parts in ([[0, 3], [0, 3]], [[0, 3, 4], [0, 3, 4]]):
        model = added(adding(LinearClassifier, loss=loss), *parts, storage=storage)
        grown = without_training(model, *rows([0, 1, 3, 4], 5, storage=storage), monkeypatch)
        before, after = model.decision_function(X), grown.decision_function(X)
        kept = np.isin(grown.classes_, model.classes_)
        if before.ndim == 1:  # only the difference of two scores is known
            np.testing.assert_allclose(after[:, kept] @ [-1, 1], before, rtol=1e-9, atol=1e-12)
        else:
            np.testing.assert_allclose(after[:, kept], before, rtol=1e-9, atol=1e-12)
        mean = after[:, kept].mean(axis=1)
        np.testing.assert_allclose(after[:, ~kept], np.tile(mean[:, None], (~kept).sum()), atol=1e-12)
        if loss == "softmax":
            old, new = model.predict_proba(X), grown.predict_proba(X)[:, kept]
            np.testing.assert_allclose(new / new.sum(axis=1, keepdims=True), old, rtol=1e-9)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, Averaged(OPTIMIZERS[-1])])
def test_one_vector_for_two_classes_unfolds_to_what_two_vectors_would_be(storage, optimizer, monkeypatch):
    model = adding(SoftmaxClassifier, solver=optimizer, alpha=0.01)
    folded = added(clone(model), [0, 3], [0, 3], storage=storage)
    assert folded._stream.head.copies == 2
    with monkeypatch.context() as patch:
        patch.setattr(train, "copies_of", lambda *_: 1)
        twin = added(clone(model), [0, 3], [0, 3], storage=storage)
    assert twin._stream.head.copies == 1
    grown = without_training(folded, *rows([0, 3, 4], 5, storage=storage), monkeypatch)
    assert grown._stream.head.copies == 1
    for wide, expected in zip(state_of(grown), state_of(twin), strict=True):
        np.testing.assert_allclose(wide[:2], expected, rtol=1e-6, atol=1e-9)
    assert np.abs(state_of(grown)[0][:2]).max() > 1e-3


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize(
    "model",
    [
        adding(alpha=0.1),
        adding(LinearClassifier, loss="cosface", solver="adam"),
        adding(LinearClassifier, loss="squared-weston-watkins", alpha=0.1),
        adding(NCEClassifier, n_sampled=50, alpha=0.1),
    ],
    ids=["softmax", "cosface", "hinge", "nce"],
)
def test_what_depends_on_the_number_of_classes_is_that_of_all(model, storage, monkeypatch):
    X, y = rows(range(5), 5, storage=storage)
    for first in ([0, 3], [0, 3, 4]):
        grown = added(clone(model), first, first, storage=storage)
        n_steps = int(grown._stream.state.n_steps[0])
        grown = without_training(grown, X, y, monkeypatch)
        told = clone(model).partial_fit(*rows(first, 0, storage=storage), classes=NAMES)
        mine, other = grown._stream, told._stream
        for name in ("n_classes", "n_outputs", "loss", "key", "head", "alpha", "curvature"):
            expected = getattr(other, name)
            if name == "head":
                assert mine.head.copies == expected.copies
            else:
                assert getattr(mine, name) == expected
        assert mine.frame.shift == other.frame.shift
        # the next part continues this stream, and is not the first of a new one
        n_next = grown.partial_fit(X, y)._stream.state.n_steps[0]
        assert n_next > n_steps > 0


def test_a_new_class_on_cosines_starts_at_the_mean_direction_of_its_rows(monkeypatch):
    X, y = rows([0, 1, 3, 4], 5)
    model = added(adding(LinearClassifier, loss="cosface"), [0, 3, 4])
    before = model.decision_function(X)
    grown = without_training(model, X, y, monkeypatch)
    own = X[y == "apple"]
    mean = (own / np.linalg.norm(own, axis=1, keepdims=True)).sum(axis=0)
    np.testing.assert_allclose(grown.coef_[0], grown._stream.loss.scale * mean / np.linalg.norm(mean))
    ratio = grown._stream.loss.scale / model._stream.loss.scale  # which depends on the number of classes
    np.testing.assert_allclose(grown.decision_function(X)[:, 1:], ratio * before)
    average = added(adding(LinearClassifier, loss="cosface", average=True), [0, 3, 4])
    np.testing.assert_allclose(without_training(average, X, y, monkeypatch).coef_[0], grown.coef_[0])


# ---------------------------------------------------------------- and the steps after it


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("classes", [[0, 3], [0, 3, 4]])
def test_the_next_step_is_that_of_the_formula(storage, classes, monkeypatch):
    """One step of plain SGD on all rows, in NumPy, for all classes."""
    rate, alpha = 0.05, 0.1
    model = adding(learning_rate=rate, alpha=alpha, batch_size=100, schedule="constant")
    added(model, classes, classes, storage=storage)
    X, y = rows([0, 1, 3, 4], 5, storage=storage)
    grown = without_training(model, X, y, monkeypatch)
    W, b = grown.coef_, grown.intercept_
    model.partial_fit(X, y)
    X = X.toarray() if storage == "sparse" else X
    residual = softmax(X @ W.T + b, axis=1) - (y[:, None] == grown.classes_)
    expected = (W - rate * residual.T @ X / len(X)) / (1 + rate * alpha)
    np.testing.assert_allclose(model.coef_, expected, atol=1e-12)
    np.testing.assert_allclose(model.intercept_, b - rate * residual.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("cls", [SoftmaxClassifier, SVMClassifier])
def test_it_goes_on_as_a_stream_that_knew_all_classes_and_has_these_weights(storage, cls, monkeypatch):
    parameters = {"learning_rate": 0.02, "batch_size": 8, "schedule": "constant", "random_state": 0}
    model = added(cls(on_new_class="add", **parameters), [0, 3], [0, 3], storage=storage)
    grown = without_training(model, *rows(range(5), 2, storage=storage), monkeypatch)
    twin = cls(**parameters)
    twin.classes_, twin.coef_, twin.intercept_ = grown.classes_, grown.coef_, grown.intercept_
    twin.n_features_in_, twin.history_, twin.n_iter_ = 6, grown.history_, 2
    added(model, range(5), range(5), storage=storage)
    added(twin, range(5), range(5), storage=storage)
    np.testing.assert_allclose(model.coef_, twin.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model.intercept_, twin.intercept_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, Averaged(OPTIMIZERS[-1])])
@pytest.mark.parametrize("loss", ["one-vs-rest", "squared-one-vs-rest"])
def test_without_coupling_the_old_classes_are_those_of_a_stream_that_knew_all(storage, optimizer, loss):
    """In one-vs-rest a class does not see the others, and neither do steps of a given length."""
    model = LinearClassifier(
        loss=loss, solver=optimizer, learning_rate=0.01, batch_size=8, on_new_class="add", random_state=0
    )
    parts = [[0, 3, 4], [0, 3, 4], range(5), range(5)]
    grown = added(clone(model), *parts, storage=storage)
    told = clone(model).set_params(on_new_class="error")
    told.partial_fit(*rows(parts[0], 0, storage=storage), classes=NAMES)
    added(told, *parts[1:], storage=storage)
    assert grown.classes_.tolist() == told.classes_.tolist()
    kept = np.isin(grown.classes_, NAMES[[0, 3, 4]])
    np.testing.assert_allclose(grown.coef_[kept], told.coef_[kept], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(grown.intercept_[kept], told.intercept_[kept], rtol=1e-9, atol=1e-12)
    assert not np.allclose(grown.coef_[~kept], told.coef_[~kept])


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("storage", STORAGES)
def test_names_decide_only_the_order_of_the_columns(solver, storage):
    """The same stream under other names, so that a new class is put elsewhere."""
    renamed = dict(zip(NAMES.tolist(), ["b", "d", "a", "e", "c"], strict=True))
    model, other = adding(solver=solver), adding(solver=solver)
    for seed, labels in enumerate(([0, 3], [0, 1, 3], range(5), range(5))):
        X, y = rows(labels, seed, storage=storage)
        model.partial_fit(X, y)
        other.partial_fit(X, np.array([renamed[label] for label in y]))
    assert other.classes_.tolist() == ["a", "b", "c", "d", "e"]
    order = np.searchsorted(other.classes_, [renamed[label] for label in model.classes_])
    np.testing.assert_allclose(model.coef_, other.coef_[order], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, other.intercept_[order], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("storage", STORAGES)
def test_without_new_classes_the_parameter_changes_nothing(storage):
    parts = [range(5), [0, 3], range(5)]
    model = SoftmaxClassifier(random_state=0)
    for seed, labels in enumerate(parts):
        model.partial_fit(*rows(labels, seed, storage=storage), classes=NAMES)
    for parameters in ({}, {"classes": NAMES}):
        other = adding().partial_fit(*rows(parts[0], 0, storage=storage), **parameters)
        added(other, *parts[1:], storage=storage)
        np.testing.assert_array_equal(model.coef_, other.coef_)
        np.testing.assert_array_equal(model.intercept_, other.intercept_)


def test_a_stream_learns_classes_that_arrive():
    """Without the three that arrive, the accuracy would be at most 0.4."""
    for storage in STORAGES:
        for model in (adding(), adding(solver="adam"), adding(SVMClassifier), adding(average=True)):
            added(model, [0, 3], [0, 3], *[range(5)] * 12, storage=storage, n=200)
            X, y = rows(range(5), 99, n=400, storage=storage)
            assert model.score(X, y) > 0.5
            assert len(model.history_["objective"]) == model.n_iter_ == 14


def test_narrow_parts_of_many_features_leave_the_others_as_they_are():
    """A part of sparse rows trains only weights of its features, also after it has grown."""
    rng = np.random.default_rng(0)
    X = sparse.random_array((60, 3000), density=0.003, rng=rng, format="csr")
    y = np.repeat([0, 5, 9], 20)
    model = adding(alpha=0.1).partial_fit(X[:40], y[:40])
    for part, labels in ((X[20:], y[20:]), (X, y), (X, y)):
        model.partial_fit(part, labels)
        stream = model._stream
        assert isinstance(stream.due.at, np.ndarray)  # not all features
        stream.write()
        assert not model.coef_[:, np.bincount(X.indices, minlength=3000) == 0].any()
        value = 0.5 * stream.alpha * stream.scale**2 * stream.squares
        assert value == pytest.approx(0.5 * stream.alpha * (stream._model().W ** 2).sum(), rel=1e-9)


def test_the_model_does_not_depend_on_the_number_of_threads():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1500, 600)).astype(np.float32), rng.integers(0, 14, 1500)
    fitted = []
    for n_jobs in (1, 3):
        model = adding(n_jobs=n_jobs, batch_size=1500).partial_fit(X[y < 9], y[y < 9])
        fitted.append(model.partial_fit(X, y).partial_fit(X, y).coef_)
    np.testing.assert_array_equal(*fitted)


# ---------------------------------------------------------------- where it starts from


def test_a_fit_and_other_parameters_before_a_new_class():
    X, y = rows([0, 3, 4], 0)
    model = adding().fit(X, y)
    W, b = model.coef_, model.intercept_
    X, y = rows(range(5), 1)
    model.set_params(learning_rate=1e-9).partial_fit(X, y)
    kept = np.isin(model.classes_, NAMES[[0, 3, 4]])
    np.testing.assert_allclose(model.coef_[kept], W, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(model.coef_[~kept], np.tile(W.mean(axis=0), (2, 1)), atol=1e-6)
    np.testing.assert_allclose(model.intercept_[~kept], b.mean(), atol=1e-6)
    two = adding().fit(*rows([0, 3], 0))
    scores = two.decision_function(X)
    two.set_params(learning_rate=1e-9, temperature=2.0).partial_fit(X, y)  # another loss
    np.testing.assert_allclose(two.decision_function(X)[:, [2, 3]] @ [-1, 1], scores, atol=1e-6)


def test_sampled_classes_grow_and_become_fewer_than_all():
    for cls in (SampledSoftmaxClassifier, NCEClassifier):
        for storage in STORAGES:
            model = added(adding(cls, n_sampled=3), [0, 3], [0, 3, 4], storage=storage)
            assert model._stream.sampling.exact
            added(model, *[range(5)] * 10, storage=storage, n=200)
            assert not model._stream.sampling.exact
            assert model._stream.sampling.counts.sum() == 60 + 60 + 10 * 200
            X, y = rows(range(5), 99, n=400, storage=storage)
            assert model.score(X, y) > 0.45
    parts = [[0, 3, 4], [0, 3, 4], range(5), range(5)]
    sampled = added(adding(SampledSoftmaxClassifier, alpha=1e-4), *parts)
    np.testing.assert_array_equal(sampled.coef_, added(adding(alpha=1e-4), *parts).coef_)


def test_classes_may_be_given_before_they_have_rows():
    X, y = rows([0], 0)
    with pytest.raises(ValueError, match="needs at least 2 classes, and y has only 'kiwi'; pass classes="):
        adding().partial_fit(X, y)
    model = adding().partial_fit(X, y, classes=["kiwi", "fig"])
    assert model.classes_.tolist() == ["fig", "kiwi"]
    model = adding().partial_fit(*rows([0, 1], 0), classes=["kiwi", "fig"])
    assert model.classes_.tolist() == ["apple", "fig", "kiwi"]

    added(model, range(5))
    assert model.classes_.tolist() == sorted(NAMES.tolist())
    assert set(model.predict(rows(range(5), 1)[0])) <= set(NAMES)


def test_weights_of_rows_and_of_classes():
    X, y = rows(range(5), 1)
    model = added(adding(), [0, 3, 4])
    other = copy.deepcopy(model)
    weights = np.where(np.isin(y, ["apple"]), 0.0, 1.0)  # the same as without these rows
    model.partial_fit(X, y, sample_weight=weights)
    other.partial_fit(X[weights > 0], y[weights > 0])
    assert "apple" not in model.classes_
    np.testing.assert_array_equal(model.coef_, other.coef_)
    of_classes = added(adding(class_weight={"kiwi": 2.0, "fig": 0.5, "zucchini": 1.0}), [0, 3, 4], range(5))
    of_rows = adding()
    for seed, labels in enumerate(([0, 3, 4], range(5))):  # a class that the dict lacks has weight 1
        X, y = rows(labels, seed)
        of_rows.partial_fit(X, y, sample_weight=np.select([y == "kiwi", y == "fig"], [2.0, 0.5], 1.0))
    np.testing.assert_array_equal(of_classes.coef_, of_rows.coef_)
    with pytest.raises(ValueError, match=r"class_weight has keys that are no classes, \['kivi'\]"):
        added(adding(class_weight={"kivi": 2.0}), [0, 3])


def test_a_class_without_weight_is_not_added():
    X, y = rows([0, 3], 0)
    model = adding(class_weight={"fig": 1.0, "kiwi": 2.0, "apple": 0}).partial_fit(X, y)
    coef = model.coef_
    with pytest.raises(
        ValueError, match=r"class_weight\['apple'\]=0, and .* leave out its rows, or give it a"
    ):
        model.partial_fit(*rows([0, 1, 3], 1))
    assert model.classes_.tolist() == ["fig", "kiwi"]
    assert model.coef_ is coef
    model.set_params(class_weight={"apple": 0.5}).partial_fit(*rows([0, 1, 3], 1))
    assert model.classes_.tolist() == ["apple", "fig", "kiwi"]


def test_rows_of_probabilities_bring_no_classes():
    X, _ = rows([0], 0)
    P = np.random.default_rng(0).dirichlet(np.ones(4), len(X))
    model = adding().partial_fit(X, P[:, :3] / P[:, :3].sum(axis=1, keepdims=True))
    assert model.classes_.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"y has 4 columns .* there are 3 classes; on_new_class='add' takes"):
        model.partial_fit(X, P)
    model.partial_fit(X, np.arange(len(X)) % 4).partial_fit(X, P)
    assert model.predict_proba(X).shape == (len(X), 4)


# ---------------------------------------------------------------- copies, files, faults


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize(
    "model",
    [adding(), adding(solver="adam", average=True), adding(SampledSoftmaxClassifier, n_sampled=2)],
    ids=["softmax", "adam", "sampled"],
)
def test_copies_and_files_grow_and_go_on_bitwise(model, storage):
    model = added(clone(model), [0, 3], [0, 3], storage=storage)
    stages = [[0, 1, 3], range(5), range(5)]
    for labels in stages:
        file = io.BytesIO()
        linclf.save(model, file)
        file.seek(0)
        before, coef = joblib.hash(model._stream), model.coef_
        copies = [linclf.load(file), copy.deepcopy(model), copy.copy(model)]
        copies.append(pickle.loads(pickle.dumps(model)))
        for each in copies:
            added(each, labels, storage=storage)
            each.coef_  # noqa: B018  what the part has changed is written now
        assert joblib.hash(model._stream) == before  # they share nothing that changes
        np.testing.assert_array_equal(model.coef_, coef)
        added(model, labels, storage=storage)
        for each in copies:
            np.testing.assert_array_equal(each.classes_, model.classes_)
            np.testing.assert_array_equal(each.coef_, model.coef_)


PLACES = {
    "growing": (growing.Growth, "state"),
    "the curvature": (growing, "curvature"),
    "the weights of the part": (streams.Stream, "_weights"),
    "after the steps": (streams, "check_finite"),
    "the range": (streams.Stream, "_check_range"),
    "publishing": (SoftmaxClassifier, "_publish"),
}


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("fault", [KeyboardInterrupt, MemoryError])
def test_a_part_with_a_new_class_that_is_stopped_changes_nothing(storage, place, late, fault, monkeypatch):
    owner, name = PLACES[place]
    model, twin = (added(adding(), [0, 3], [0, 3], storage=storage) for _ in range(2))
    attributes, function = dict(vars(model)), getattr(owner, name)

    def stopped(*arguments, **parameters):
        if late:
            function(*arguments, **parameters)
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, stopped)
        with pytest.raises(fault):
            added(model, range(5), storage=storage)
    assert vars(model) == attributes
    assert joblib.hash(model._stream) == joblib.hash(twin._stream)
    for each in (model, twin):
        added(each, [0, 3], range(5), storage=storage)
    np.testing.assert_array_equal(model.coef_, twin.coef_)
    np.testing.assert_array_equal(model.classes_, twin.classes_)


def test_a_calibrator_that_knows_fewer_classes_is_refused():
    for first in ([0, 3], [0, 3, 4]):
        model = added(adding(), first, first)
        X, y = rows(first, 3)
        calibrated = CalibratedClassifier(FrozenEstimator(model)).fit(X, y)
        added(model, range(5))
        for method in (calibrated.predict_proba, calibrated.predict_log_proba, calibrated.predict):
            with pytest.raises(ValueError, match=f"now knows 5 classes, and {len(first)} when Calibrated"):
                method(X)
        assert calibrated.fit(*rows(range(5), 4)).predict_proba(X).shape == (len(X), 5)


# ---------------------------------------------------------------- what is refused


def test_by_default_a_new_label_is_an_error_that_says_what_to_do():
    X, y = rows([0, 1, 3], 1)
    model = SoftmaxClassifier(random_state=0).partial_fit(*rows([0, 3], 0), classes=NAMES[[0, 3]])
    coef = model.coef_
    with pytest.raises(ValueError, match=r"not in classes .*\['apple'\].*; on_new_class='add' makes"):
        model.partial_fit(X, y)
    assert model.classes_.tolist() == ["fig", "kiwi"]
    assert model.coef_ is coef
    with pytest.raises(ValueError, match=r"on the first call to partial_fit, or use on_new_class='add'\."):
        SoftmaxClassifier().partial_fit(X, y)
    model.set_params(on_new_class="add").partial_fit(X, y)
    assert model.classes_.tolist() == ["apple", "fig", "kiwi"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 2], "are of another type"),
        ([b"a", b"b", b"c"], "are of another type"),
        (["fig", None, "kiwi"], "1 missing labels of 3, the first one None in row 1"),
        (["fig", np.nan, "kiwi"], "missing"),
        (["fig", 1, "kiwi"], "mixes labels"),
    ],
)
def test_labels_that_cannot_be_classes(labels, message):
    model = added(adding(), [0, 3])
    digest = joblib.hash(model)
    with pytest.raises(ValueError, match=message):
        model.partial_fit(rows([0], 1)[0][:3], np.array(labels, object))
    assert joblib.hash(model) == digest
    numbers = adding().partial_fit(rows([0], 0)[0], np.arange(60) % 3)
    for bad in (np.nan, 0.5):
        with pytest.raises(ValueError, match=r"NaN|continuous"):
            numbers.partial_fit(rows([0], 1)[0][:3], [0.0, bad, 1.0])


def test_other_values_and_other_classes():
    X, y = rows([0, 3], 0)
    with pytest.raises(InvalidParameterError, match=r"The 'on_new_class' parameter .* 'maybe'"):
        SoftmaxClassifier(on_new_class="maybe").partial_fit(X, y)
    with pytest.raises(InvalidParameterError, match="on_new_class"):
        SoftmaxClassifier(on_new_class=True).fit(X, y)
    model = added(adding(), [0, 3])
    model.partial_fit(X, y, classes=["fig", "kiwi"])
    with pytest.raises(ValueError, match=r"classes=\['fig', 'plum'\] is not the same .* leave it out, as"):
        model.partial_fit(X, y, classes=["fig", "plum"])
    for cls in (HierarchicalSoftmaxClassifier, AdaptiveSoftmaxClassifier, linclf.SoftmaxClassifierCV):
        with pytest.raises(TypeError, match="on_new_class"):
            cls(on_new_class="add")
    tree = HierarchicalSoftmaxClassifier().partial_fit(X, y, classes=["fig", "kiwi"])
    with pytest.raises(ValueError, match=r"labels that are not in classes .*'apple'[^;]*$"):
        tree.partial_fit(*rows([0, 1], 0))


def test_a_loss_to_which_the_order_of_the_classes_means_something():
    class Ordered(linclf.losses.Softmax):
        symmetric = False

    linclf.losses.row_loss.register(Ordered)(lambda loss, scores, y: 0.0)
    with pytest.raises(ValueError, match=r"order of the classes has a meaning for Ordered.*pass all classes"):
        added(adding(LinearClassifier, loss=Ordered()), [0, 3])


# ---------------------------------------------------------------- any sequence of labels


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(st.integers(0, 6), min_size=2, max_size=8), min_size=1, max_size=5),
    st.sampled_from(["sgd", "adam"]),
    st.sampled_from(sorted(STORAGES)),
)
def test_any_sequence_of_labels(parts, solver, storage):
    means = np.random.default_rng(0).normal(size=(7, 4))
    model, seen = adding(solver=solver), {-1, 7}
    for number, labels in enumerate(parts):
        X = STORAGES[storage](means[labels])
        before = set(seen)
        seen |= set(labels)
        model.partial_fit(X, np.array(labels), **({"classes": [-1, 7]} if number == 0 else {}))
        assert model.classes_.tolist() == sorted(seen)
        assert before <= set(model.classes_.tolist())
        p = model.predict_proba(X)
        assert p.shape == (len(labels), len(seen))
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-9)
        assert model.coef_.shape == ((1 if len(seen) == 2 else len(seen)), 4)
        assert np.isfinite(model.coef_).all()
        assert model._stream.sampling is None
        assert model.n_iter_ == number + 1
