"""Hierarchical softmax: trees, the loss of a path, training row by row, and beam search."""

import heapq
import tracemalloc

import numpy as np
import pytest
from cases import default_run
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from linclf import SoftmaxClassifier
from linclf.large import HierarchicalSoftmaxClassifier
from linclf.large._tree import balanced, from_codes, huffman, tree_of
from linclf.losses._registry import row_losses

RNG = np.random.default_rng(0)


def paths_by_hand(children):
    """Map each class to its turns, by walking down from the root."""
    found, stack, n = {}, [(0, "")], len(children)
    while stack:
        node, code = stack.pop()
        for side in (0, 1):
            child = children[node][side]
            if child < n:
                stack.append((child, code + str(side)))
            else:
                found[child - n] = code + str(side)
    return [found[k] for k in range(n + 1)]


TREES = {
    "huffman": tree_of(huffman(RNG.pareto(1.0, 37))),
    "balanced": tree_of(balanced(37)),
    "two classes": tree_of(balanced(2)),
    "chain": tree_of(from_codes(["1" * k + "0" for k in range(8)] + ["1" * 8], np.arange(9))),
}


@pytest.mark.parametrize("name", TREES)
def test_codes_are_the_ways_from_the_root(name):
    tree = TREES[name]
    assert tree.codes == paths_by_hand(tree.children.tolist())
    assert tree.depths.tolist() == [len(code) for code in tree.codes]
    again = tree_of(from_codes(tree.codes, np.arange(len(tree.codes))))
    for mine, theirs in zip(tree, again, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    # nodes are numbered level by level
    parents = {child: node for node, pair in enumerate(tree.children.tolist()) for child in pair}
    assert all(parents[node] < node for node in range(1, len(tree.children)))


@pytest.mark.parametrize(
    "counts", [np.ones(1), RNG.pareto(1.0, 100), 1 / np.arange(1, 200), np.ones(64)], ids=len
)
def test_huffman_costs_the_least(counts):
    counts = np.append(counts, 1.0)
    heap = list(counts)
    heapq.heapify(heap)
    least = 0.0
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        least += both
        heapq.heappush(heap, both)
    tree = tree_of(huffman(counts))
    assert counts @ tree.depths == pytest.approx(least)
    share = counts / counts.sum()
    assert -share @ np.log2(share) <= least / counts.sum() < 1 - share @ np.log2(share)


@pytest.mark.parametrize("n_classes", [2, 3, 7, 8, 1000])
def test_balanced_trees_have_the_least_depth(n_classes):
    depths = tree_of(balanced(n_classes)).depths
    assert depths.max() == int(np.ceil(np.log2(n_classes)))
    assert depths.max() - depths.min() <= 1


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (["0", "1"], "tree has 2 codes, but there are 3 classes"),
        (["0", "10", "12"], "the code of classes_\\[2\\] is '12'; use a string of 0 and 1"),
        (["0", "10", "1"], "the code '1' of classes_\\[2\\] begins with, or is the beginning of, another"),
        (["0", "00", "1"], "the code '00' of classes_\\[1\\] begins with, or is the beginning of, another"),
        (["00", "10", "11"], "no class has a code that begins with '01'"),
        ([[0.7, -1], [1, 0], [1, 1]], "a string of 0 and 1, or a row of 0 and 1"),
        ([[0, -1], [1, 0], [1, 0]], "the code '10' of classes_\\[2\\] begins with"),
    ],
    ids=str,
)
def test_codes_that_are_no_tree_are_refused(codes, message):
    X, y = RNG.normal(size=(30, 2)), np.arange(30) % 3
    with pytest.raises(ValueError, match=message):
        HierarchicalSoftmaxClassifier(tree=codes).fit(X, y)


def test_codes_as_an_array():
    X, y = RNG.normal(size=(30, 2)), np.arange(30) % 3
    model = HierarchicalSoftmaxClassifier(tree=np.array([[1, -1], [0, 1], [0, 0]]), max_iter=2).fit(X, y)
    assert model.tree_.codes == ["1", "01", "00"]


# ---------------------------------------------------------------- loss


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("size", [1.0, 1e4])
def test_loss_is_that_of_the_probabilities_and_has_their_gradient(name, size):
    tree = TREES[name]
    scores = size * RNG.normal(size=(4, len(tree.children)))
    log_p = tree.class_scores(scores)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1, rtol=1e-12)
    for y in range(len(tree.codes)):
        block, values = scores.copy(), np.empty(4)
        row_losses(tree, block, np.full(4, y), values)
        np.testing.assert_allclose(values, -log_p[:, y], rtol=1e-12, atol=1e-12)
        if size == 1.0:
            steps = 1e-6 * np.eye(scores.shape[1])
            differences = [
                tree.class_scores(scores - e)[:, y] - tree.class_scores(scores + e)[:, y] for e in steps
            ]
            np.testing.assert_allclose(block.T, np.array(differences) / 2e-6, atol=1e-8)


def test_float32_probabilities_sum_to_one():
    scores = (10 * RNG.normal(size=(50, 36))).astype(np.float32)
    p = np.exp(TREES["huffman"].class_scores(scores))
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1, dtype=np.float64), 1, atol=2e-6)


# ---------------------------------------------------------------- training


def blobs(n=3000, K=9, d=8, seed=1, dtype=np.float64):
    rng = np.random.default_rng(seed)
    y = np.append(np.arange(K), np.minimum(rng.zipf(1.5, n - K) - 1, K - 1))
    return (rng.normal(size=(K, d))[y] + 1.2 * rng.normal(size=(n, d))).astype(dtype), y


def optimum(tree, X, y, alpha):
    """Each node is a logistic regression on the rows that pass it; returns W, b and the objective."""
    W, b = np.zeros((len(tree.children), X.shape[1])), np.zeros(len(tree.children))
    for node in range(len(W)):
        turns = np.array([
            next((sign for at, sign in zip(*path, strict=True) if at == node), 0)
            for path in (
                (tree.nodes[a:z], tree.signs[a:z]) for a, z in zip(tree.starts, tree.starts[1:], strict=False)
            )
        ])  # fmt: skip
        side = turns[y]
        model = LogisticRegression(C=1 / (alpha * len(y)), solver="newton-cholesky", tol=1e-10)
        model.fit(X[side != 0], side[side != 0] > 0)
        W[node], b[node] = model.coef_[0], model.intercept_[0]
    return W, b, objective(tree, W, b, X, y, alpha)


def objective(tree, W, b, X, y, alpha):
    log_p = tree.class_scores(X @ W.T + b)
    return -log_p[np.arange(len(y)), y].mean() + alpha / 2 * np.sum(W**2)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize(("n", "far"), [(900, 2e-3), (3000, 2e-2)])
@pytest.mark.parametrize("alpha", [1e-3, 3e-2])
def test_every_node_becomes_its_logistic_regression(kind, n, far, alpha):
    """With full gradients, and row by row, with a penalty only on the path."""
    X, y = blobs(n)
    model = HierarchicalSoftmaxClassifier(alpha=alpha, random_state=0).fit(kind(X), y)
    W, b, best = optimum(model.tree_, X, y, alpha)
    zero = objective(model.tree_, 0 * W, 0 * b, X, y, alpha)
    reached = objective(model.tree_, model.coef_, model.intercept_, X, y, alpha)
    assert (reached - best) / (zero - best) < far
    assert np.linalg.norm(model.coef_ - W) < 0.15 * np.linalg.norm(W)


def test_two_classes_are_the_softmax_of_two():
    X, y = blobs(600)
    y = np.where(y > 0, "b", "a")
    tree = HierarchicalSoftmaxClassifier(alpha=1e-2, tol=0, random_state=0).fit(X, y)
    full = SoftmaxClassifier(alpha=1e-2, solver="lbfgs", tol=1e-8).fit(X, y)
    assert tree.coef_.shape == full.coef_.shape == (1, 8)
    np.testing.assert_allclose(tree.predict_proba(X), full.predict_proba(X), atol=2e-3)
    np.testing.assert_allclose(tree.decision_function(X), np.diff(np.log(tree.predict_proba(X)))[:, 0])


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_one_row_changes_its_path_only(kind):
    """So the cost of a step is the length of the path."""
    X, y = blobs()
    X = kind(X)
    model = HierarchicalSoftmaxClassifier(tree="balanced", learning_rate=0.1, alpha=1e-2, random_state=0)
    model.partial_fit(X[:50], y[:50], classes=np.arange(9))
    before = model.coef_.copy()
    model.partial_fit(X[60:61], y[60:61])
    changed = np.flatnonzero((model.coef_ != before).any(axis=1))
    tree = model.tree_
    assert changed.tolist() == sorted(tree.nodes[tree.starts[y[60]] : tree.starts[y[60] + 1]])


def test_dense_and_sparse_take_the_same_steps():
    X, y = blobs()
    X[RNG.random(X.shape) < 0.5] = 0
    for solver in ("sgd", "momentum", "adagrad"):
        model = HierarchicalSoftmaxClassifier(
            solver=solver, alpha=0, learning_rate=0.02, max_iter=2, random_state=0
        )
        dense, rows = model.fit(X, y).coef_, model.fit(sparse.csr_array(X), y).coef_
        if solver == "momentum":  # if X is dense, it keeps moving features that a row lacks
            assert np.corrcoef(dense.ravel(), rows.ravel())[0, 1] > 0.7
        else:
            np.testing.assert_allclose(dense, rows, atol=1e-10)


@pytest.mark.parametrize(
    "solver", default_run(["sgd", "nesterov", "adagrad", "rmsprop", "adam"], kept=["adam"])
)
def test_solvers_and_streams_learn(solver):
    X, y = blobs(seed=4)
    model = HierarchicalSoftmaxClassifier(solver=solver, random_state=0).fit(X[:2000], y[:2000])
    best = model.score(X[2000:], y[2000:])
    assert best > 0.6
    stream = HierarchicalSoftmaxClassifier(solver=solver, random_state=0)
    for start in range(0, 2000, 50):
        stream.partial_fit(X[start : start + 50], y[start : start + 50], classes=np.arange(9))
    assert stream.score(X[2000:], y[2000:]) > best - 0.08


def test_skewed_classes_do_not_look_like_overflow():
    """The first row may have a path of one step; its loss says nothing about the others."""
    X, y = blobs(n=5000, K=300)
    model = HierarchicalSoftmaxClassifier(max_iter=3, shuffle=False, random_state=0)
    order = np.argsort(-np.bincount(y)[y], kind="stable")
    assert model.fit(X[order], y[order]).history_["step"][0] == pytest.approx(
        model.fit(X[order[::-1]], y[order[::-1]]).history_["step"][0], rel=0.1
    )


# ---------------------------------------------------------------- predicting


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("rank", [None, 4])
def test_search_finds_what_all_probabilities_say(kind, rank):
    X, y = blobs(n=1500, K=40)  # in float32, rounding may swap two probabilities
    X = kind(X)
    model = HierarchicalSoftmaxClassifier(rank=rank, max_iter=3, random_state=0).fit(X, y)
    p = model.predict_proba(X)
    assert p.shape == (1500, 40)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=2e-6)
    np.testing.assert_allclose(model.predict_proba_of(X, y), p[np.arange(1500), y], rtol=2e-5, atol=1e-7)
    np.testing.assert_array_equal(model.predict(X), p.argmax(axis=1))
    top = model.predict_topk(X, 5)
    model.set_params(beam_width=40)
    np.testing.assert_array_equal(model.predict_topk(X, 5), top)
    narrow = model.set_params(beam_width=5).predict_proba_of(X, model.predict_topk(X, 5))
    assert (np.diff(narrow, axis=1) <= 1e-7).all()
    assert (model.predict(X) == p.argmax(axis=1)).mean() > 0.95


def test_greedy_follows_the_likelier_side():
    X, y = blobs(n=1500, K=40)
    model = HierarchicalSoftmaxClassifier(beam_width=1, max_iter=3, random_state=0).fit(X, y)
    scores, found = X @ model.coef_.T + model.intercept_, []
    for row in expit(scores):
        node = 0
        while node < 39:
            node = model.tree_.children[node][0 if row[node] >= 0.5 else 1]
        found.append(node - 39)
    np.testing.assert_array_equal(model.predict(X), found)


def test_beams_refuse_what_they_cannot_find():
    X, y = blobs(n=500)
    model = HierarchicalSoftmaxClassifier(beam_width=2, max_iter=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="k=3 must be an integer between 1 and 2"):
        model.predict_topk(X, 3)
    model = HierarchicalSoftmaxClassifier(
        beam_width=2, max_iter=2, calibration="temperature", early_stopping=True, random_state=0
    ).fit(X, y)
    with pytest.raises(ValueError, match="cannot search by calibrated probabilities"):
        model.predict(X)
    assert model.predict_proba_of(X, y).shape == (500,)


def test_calibration_and_validation_use_class_probabilities():
    X, y = blobs(n=2500)
    model = HierarchicalSoftmaxClassifier(max_iter=4, calibration="temperature", random_state=0)
    model.fit(X[:1500], y[:1500], X_val=X[1500:], y_val=y[1500:])
    raw = HierarchicalSoftmaxClassifier(max_iter=4, random_state=0)
    raw.fit(X[:1500], y[:1500], X_val=X[1500:], y_val=y[1500:])
    p = raw.predict_proba_of(X[1500:], y[1500:])
    assert min(raw.history_["validation_loss"]) == pytest.approx(-np.log(p).mean(), rel=1e-6)
    best = np.argmin(raw.history_["validation_loss"])
    assert raw.history_["validation_score"][best] == raw.score(X[1500:], y[1500:])
    calibrated = -np.log(model.predict_proba_of(X[1500:], y[1500:])).mean()
    assert calibrated <= -np.log(p).mean() + 1e-9


def test_soft_labels_and_weights():
    X, y = blobs(n=200)
    model = HierarchicalSoftmaxClassifier(alpha=1e-2, random_state=0)
    hard = model.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(model.fit(X, np.eye(9)[y]).predict_proba(X), hard)
    weights = RNG.integers(0, 3, 200).astype(float)
    weighted = model.fit(X, y, sample_weight=weights).predict_proba(X)
    copies = np.repeat(np.arange(200), weights.astype(int))
    np.testing.assert_allclose(model.fit(X[copies], y[copies]).predict_proba(X), weighted, atol=1e-6)


def test_going_on_keeps_the_tree():
    X, y = blobs(n=2000)
    model = HierarchicalSoftmaxClassifier(warm_start=True, max_iter=3, random_state=0).fit(X, y)
    tree, coef = model.tree_, model.coef_.copy()
    model.set_params(learning_rate=1e-12).fit(X[:1500], np.append(8 - y[:1491], np.arange(9)))
    assert model.tree_ is tree
    np.testing.assert_allclose(model.coef_, coef, atol=1e-6)


def test_many_labels_a_row_take_little_memory():
    X, y = np.random.default_rng(0).normal(size=(2000, 8)).astype(np.float32), np.arange(2000) % 500
    model = HierarchicalSoftmaxClassifier(max_iter=1, random_state=0).fit(X, y)
    some = np.arange(500)[None, :40]
    tracemalloc.start()
    try:
        p = model.predict_proba_of(X, some)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(p, model.predict_proba(X)[:, :40], rtol=1e-4, atol=1e-7)
    assert peak < 400e6
    np.testing.assert_array_equal(model.predict_proba_of(X, np.arange(500)[None]), model.predict_proba(X))
    assert model.predict_proba_of(X, np.zeros((2000, 0), int)).shape == (2000, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"rank": 5}, "projection_ of shape"), ({"rank": None}, "is not that of the last fit")],
    ids=str,
)
def test_another_rank_is_not_gone_on_with(change, message):
    X, y = blobs(n=300, K=9, d=3)
    model = HierarchicalSoftmaxClassifier(rank=3 if change["rank"] is None else 2, max_iter=2, random_state=0)
    model.fit(X, y).set_params(warm_start=True, **change)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
