"""LinearEmbedding: what it learns, on any form of rows and labels; what it refuses.

Objectives are tested in test_objectives.py, and scikit-learn's conventions in test_embedding_checks.py.
"""

import io
import pickle

import numpy as np
import pytest
from scipy import sparse
from scipy.linalg import subspace_angles
from sklearn.base import clone
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import scale
from threadpoolctl import threadpool_limits

import linclf
from linclf import LinearEmbedding, SoftmaxClassifier
from linclf._kernels.weights import take_step
from linclf._training.solvers.stochastic import new_state
from linclf.embedding import Center, NTXent, SupCon
from linclf.embedding._rows import features_of
from linclf.embedding._start import principal, start
from linclf.losses import ArcFace, CosFace
from linclf.optimizers import OPTIMIZERS, SGD, Adam, Averaged

DIGITS = load_digits(return_X_y=True)
WINE, CLASSES = load_wine(return_X_y=True)
FEW = {"max_iter": 5, "random_state": 0}
LOSSES = ["softmax", "cosface", "arcface", "center", "supcon", "nt-xent", "weston-watkins"]


# ---------------------------------------------------------------- what it learns


@pytest.mark.parametrize(
    ("loss", "n_components"),
    [("softmax", 2), ("center", 2), ("supcon", 5), (CosFace(scale=8, margin=0.1), 5)],
)
def test_neighbours_are_better_than_those_of_pca(loss, n_components):
    X, X_test, y, y_test = train_test_split(*DIGITS, test_size=0.5, random_state=0)
    scores = [
        make_pipeline(reduce, KNeighborsClassifier()).fit(X, y).score(X_test, y_test)
        for reduce in (
            PCA(n_components),
            LinearEmbedding(n_components=n_components, loss=loss, random_state=0),
        )
    ]
    assert scores[1] > scores[0] + 0.03


def test_the_contrastive_loss_without_labels_keeps_what_pca_keeps():
    X, X_test, y, y_test = train_test_split(*DIGITS, test_size=0.5, random_state=0)
    embedding = LinearEmbedding(n_components=16, loss="nt-xent", random_state=0)
    neighbours = KNeighborsClassifier().fit(embedding.fit_transform(X), y)
    assert neighbours.score(embedding.transform(X_test), y_test) > 0.9


@pytest.mark.parametrize("loss", LOSSES)
def test_the_objective_falls(loss):
    embedding = LinearEmbedding(loss=loss, max_iter=60, random_state=0).fit(*DIGITS)
    objective = embedding.history_["objective"]
    assert objective[-1] < objective[0] - 0.01
    assert embedding.n_iter_ == len(objective) == len(embedding.history_["seconds"]) == 60
    assert (np.diff(embedding.history_["step"]) < 0).all()


def test_the_objective_of_a_softmax_is_that_of_its_optimum():
    """With as many components as features z loses nothing, and the softmax on z is a softmax on x."""
    y = np.where(np.arange(len(WINE)) % 4 == 0, (CLASSES + 1) % 3, CLASSES)  # not separable
    found = LinearEmbedding(n_components=13, alpha=0.0, max_iter=2000, random_state=0).fit(WINE, y)
    best = SoftmaxClassifier(alpha=0.0, solver="newton").fit(scale(WINE), y).history_["objective"][-1]
    assert best < found.history_["objective"][-1] < 1.001 * best


def test_a_penalty_makes_the_map_short():
    lengths = [
        np.linalg.norm(
            LinearEmbedding(alpha=alpha, random_state=0).fit(WINE, CLASSES).components_ * WINE.std(axis=0)
        )
        for alpha in (1e-4, 1e-2, 1.0)
    ]
    assert lengths[0] > lengths[1] > 10 * lengths[2]


def test_training_starts_at_discriminant_directions_and_principal_axes():
    features = features_of(WINE, True)
    rows = features.rows(np.arange(len(WINE)))
    V = start(rows, CLASSES, 3, 5, np.random.RandomState(0))
    discriminant = LinearDiscriminantAnalysis(solver="eigen").fit(rows.matrix, CLASSES).scalings_[:, :2]
    assert np.rad2deg(subspace_angles(V[:2].T, discriminant).max()) < 1
    axes = PCA(3).fit(rows.matrix).components_
    assert np.rad2deg(subspace_angles(V[2:].T, axes.T).max()) < 1
    for part in (V[:2], V[2:]):
        assert np.square(rows.products(part)).mean() == pytest.approx(1)


def test_principal_axes_of_fewer_rows_than_components():
    rows = features_of(np.random.default_rng(0).normal(size=(4, 30)), True).rows(np.arange(4))
    V = principal(rows, 10, np.random.RandomState(0))
    np.testing.assert_allclose(V @ V.T, np.eye(10), atol=1e-10)
    variances = np.square(rows.products(V)).sum(axis=0)
    assert variances[:3].sum() == pytest.approx(variances.sum())
    assert variances.sum() == pytest.approx(np.square(rows.matrix).sum())


def test_a_step_of_an_optimizer():
    rng = np.random.default_rng(0)
    V, G, penalty = rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), np.array([0.5, 0.0, 2.0])
    state = new_state(V.copy(), SGD())._replace(G=G)
    take_step(state, SGD(), 0.1, penalty)
    np.testing.assert_allclose(state.V, (V - 0.1 * G) / (1 + 0.1 * penalty))
    state = new_state(V.copy(), Adam())._replace(G=G)
    take_step(state, Adam(), 0.1, np.zeros(3))
    np.testing.assert_allclose(state.V, V - 0.1 * np.sign(G), rtol=1e-6)  # the first step of Adam
    assert state.n_steps[0] == 1


# ---------------------------------------------------------------- forms of rows and labels


@pytest.mark.parametrize("loss", LOSSES)
def test_the_same_seed_gives_the_same_bits_whatever_the_number_of_threads(loss):
    X, y = DIGITS
    found = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            found.append(LinearEmbedding(loss=loss, n_components=5, **FEW).fit(X, y).components_)
    np.testing.assert_array_equal(*found)
    other = LinearEmbedding(loss=loss, n_components=5, max_iter=5, random_state=1).fit(X, y)
    assert (other.components_ != found[0]).any()


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "nt-xent"])
@pytest.mark.parametrize("standardize", [True, False])
def test_dense_and_sparse_rows_give_the_same_map(loss, standardize):
    X, y = DIGITS
    embedding = LinearEmbedding(loss=loss, n_components=5, standardize=standardize, **FEW)
    dense, csr = clone(embedding).fit(X, y), clone(embedding).fit(sparse.csr_array(X), y)
    Z = dense.transform(X)
    np.testing.assert_allclose(csr.transform(sparse.csr_array(X)), Z, atol=1e-6 * np.abs(Z).max())
    np.testing.assert_allclose(csr.transform(X), Z, atol=1e-6 * np.abs(Z).max())


def test_sparse_views_are_trained():
    X, y = DIGITS
    embedding = LinearEmbedding(n_components=16, loss="nt-xent", random_state=0)
    Z = embedding.fit_transform(sparse.csr_array(X))
    assert embedding.history_["objective"][-1] < embedding.history_["objective"][0] - 0.01
    assert KNeighborsClassifier().fit(Z[::2], y[::2]).score(Z[1::2], y[1::2]) > 0.8


@pytest.mark.parametrize("loss", LOSSES)
def test_the_units_of_the_features_do_not_matter(loss):
    X, y = WINE, CLASSES
    units = 10.0 ** np.linspace(-3, 6, X.shape[1])
    embedding = LinearEmbedding(loss=loss, n_components=3, **FEW)
    Z = clone(embedding).fit(X, y).transform(X)
    scaled = clone(embedding).fit(X * units + 100 * units, y)
    np.testing.assert_allclose(scaled.transform(X * units + 100 * units), Z, atol=1e-6 * np.abs(Z).max())


@pytest.mark.parametrize("loss", LOSSES)
def test_single_precision(loss):
    X, y = DIGITS
    embedding = LinearEmbedding(loss=loss, n_components=4, **FEW)
    double, single = clone(embedding).fit(X, y), clone(embedding).fit(X.astype(np.float32), y)
    assert single.components_.dtype == single.mean_.dtype == np.float32
    Z, Z32 = double.transform(X), single.transform(X.astype(np.float32))
    assert Z32.dtype == np.float32
    np.testing.assert_allclose(Z32, Z, atol=2e-3 * np.abs(Z).max())
    assert single.transform(X).dtype == np.float64


def test_z_is_a_linear_map_of_centred_rows():
    X, y = DIGITS
    embedding = LinearEmbedding(n_components=3, **FEW)
    Z = embedding.fit_transform(X, y)
    np.testing.assert_allclose(Z, (X - X.mean(axis=0)) @ embedding.components_.T, atol=1e-10)
    np.testing.assert_allclose(embedding.mean_, X.mean(axis=0))
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-10)


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "nt-xent"])
def test_labels_are_names_only(loss):
    X, y = DIGITS
    names = np.array([f"digit {label}" for label in range(10)])
    embedding = LinearEmbedding(loss=loss, **FEW)
    numbers, text = clone(embedding).fit(X, y), clone(embedding).fit(X, names[y])
    np.testing.assert_array_equal(text.components_, numbers.components_)
    np.testing.assert_array_equal(text.classes_, names)
    np.testing.assert_array_equal(numbers.classes_, np.arange(10))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_components", [2, 12])
def test_classes_of_one_row_and_two_classes(loss, n_components):
    y = np.where(np.arange(len(WINE)) == 5, 7, CLASSES)
    embedding = LinearEmbedding(loss=loss, n_components=n_components, batch_size=20, **FEW).fit(WINE, y)
    assert np.isfinite(embedding.transform(WINE)).all()
    embedding.fit(WINE, CLASSES == 1)
    assert np.isfinite(embedding.transform(WINE)).all()
    if loss == "nt-xent":
        assert not hasattr(embedding, "classes_")
    else:
        assert embedding.classes_.tolist() == [False, True]


def test_constant_columns_and_columns_of_zeros():
    X = np.column_stack([WINE, np.full(len(WINE), 3.0), np.zeros(len(WINE))])
    for rows in (X, sparse.csr_array(X)):
        embedding = LinearEmbedding(n_components=4, **FEW).fit(rows, CLASSES)
        assert np.isfinite(embedding.components_).all()
        assert not embedding.components_[:, -2:].any()
    for loss in ("softmax", "cosface", "supcon", "nt-xent"):
        embedding = LinearEmbedding(loss=loss, **FEW).fit(np.ones((30, 3)), np.arange(30) % 3)
        assert not embedding.transform(np.ones((2, 3))).any()


def test_more_components_than_rows():
    X = np.random.default_rng(0).normal(size=(6, 20))
    for loss in ("softmax", "nt-xent"):
        embedding = LinearEmbedding(n_components=15, loss=loss, **FEW).fit(X, [0, 1, 0, 1, 0, 1])
        assert embedding.transform(X).shape == (6, 15)


def test_tables_have_names():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(WINE, columns=[f"f{j}" for j in range(13)])
    embedding = LinearEmbedding(n_components=3, **FEW).set_output(transform="pandas")
    Z = embedding.fit_transform(X, pd.Series(CLASSES))
    assert Z.columns.tolist() == ["linearembedding0", "linearembedding1", "linearembedding2"]
    assert embedding.feature_names_in_.tolist() == X.columns.tolist()
    np.testing.assert_array_equal(Z, LinearEmbedding(n_components=3, **FEW).fit_transform(WINE, CLASSES))


def test_before_a_classifier_in_a_grid():
    grid = {
        "linearembedding__n_components": [1, 2],
        "linearembedding__loss": ["softmax", SupCon(temperature=0.5), ArcFace(margin=0.2)],
    }
    model = make_pipeline(LinearEmbedding(**FEW), SoftmaxClassifier())
    search = GridSearchCV(model, grid, cv=3).fit(WINE, CLASSES)
    assert search.best_score_ > 0.95


@pytest.mark.parametrize("name", ["adam", "rmsprop", "adagrad", Adam(beta1=0.8), Averaged(Adam())])
def test_optimizers_with_automatic_steps(name):
    embedding = LinearEmbedding(solver=name, random_state=0).fit(WINE, CLASSES)
    assert embedding.history_["objective"][-1] < 0.2
    assert (
        KNeighborsClassifier()
        .fit(embedding.transform(WINE), CLASSES)
        .score(embedding.transform(WINE), CLASSES)
        > 0.95
    )


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_optimizers_with_numeric_steps(name):
    embedding = LinearEmbedding(solver=name, learning_rate=0.02, random_state=0).fit(WINE, CLASSES)
    assert embedding.history_["step"][0] == pytest.approx(0.02)
    assert embedding.history_["objective"][-1] < 0.5


def test_verbose_prints_epochs(capsys):
    LinearEmbedding(max_iter=2, verbose=1, random_state=0).fit(WINE, CLASSES)
    assert [line[:9] for line in capsys.readouterr().out.splitlines()] == ["epoch 1/2", "epoch 2/2"]


# ---------------------------------------------------------------- copies and files


@pytest.mark.parametrize("loss", [*LOSSES, Center(0.5), NTXent(0.3), CosFace(margin=0.2)])
def test_copies_and_files(loss):
    embedding = LinearEmbedding(loss=loss, **FEW).fit(WINE, CLASSES)
    file = io.BytesIO()
    linclf.save(embedding, file)
    file.seek(0)
    for copy in (pickle.loads(pickle.dumps(embedding)), linclf.load(file)):
        assert copy.get_params() == embedding.get_params()
        assert vars(copy).keys() == vars(embedding).keys()
        np.testing.assert_array_equal(copy.transform(WINE), embedding.transform(WINE))
    model = make_pipeline(embedding, SoftmaxClassifier()).fit(WINE, CLASSES)
    file = io.BytesIO()
    linclf.save(model, file)
    file.seek(0)
    np.testing.assert_array_equal(linclf.load(file).predict_proba(WINE), model.predict_proba(WINE))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("components_", np.zeros((2, 12))),
        ("components_", np.full((2, 13), np.nan)),
        ("mean_", np.zeros(3)),
        ("centers_", np.zeros((3, 5))),
        ("n_features_in_", 5),
        ("feature_names_in_", np.array(["a"])),
    ],
)
def test_parts_that_do_not_fit_are_not_saved(name, value):
    embedding = LinearEmbedding(loss="center", **FEW).fit(WINE, CLASSES)
    setattr(embedding, name, value)
    with pytest.raises(ValueError, match="LinearEmbedding"):
        linclf.save(embedding, io.BytesIO())


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("parameters", "y", "message"),
    [
        ({"n_components": 14}, CLASSES, "n_components=14 is more than .* 13; use at most"),
        ({"n_components": 0}, CLASSES, "n_components"),
        ({}, None, "requires y to be passed.*loss='nt-xent'"),
        ({}, np.zeros(178), "y has one class, 0.*nt-xent"),
        ({}, CLASSES[:5], "inconsistent numbers of samples"),
        ({}, CLASSES + 0.5, "continuous"),
        ({}, np.where(CLASSES == 1, np.nan, CLASSES), "NaN"),
        ({"loss": "triplet"}, CLASSES, "loss='triplet' is unknown; use one of .*supcon.*softmax"),
        ({"loss": "supcon"}, np.arange(178), "a class of two rows or more.*nt-xent"),
        ({"loss": "supcon", "batch_size": 1}, CLASSES, "batch_size=1 with loss='supcon'.*use 2 or more"),
        ({"loss": NTXent(), "batch_size": 1}, None, "batch_size=1 .*use 2 or more"),
        ({"loss": NTXent(dropout=1.0)}, None, "'dropout' parameter of NTXent"),
        ({"loss": SupCon(temperature=0.0)}, CLASSES, "'temperature' parameter of SupCon"),
        ({"loss": Center(weight=-1.0)}, CLASSES, "'weight' parameter of Center"),
        ({"loss": CosFace(margin=2.0)}, CLASSES, "'margin' parameter of CosFace"),
        ({"solver": "sgd"}, CLASSES, "learning_rate='auto' with solver='sgd'.*give a number"),
        (
            {"solver": "sgd", "learning_rate": 1e6},
            CLASSES,
            "learning_rate=1000000.0 made the weights overflow",
        ),
        ({"solver": "lbfgs"}, CLASSES, "solver"),
        ({"alpha": -1.0}, CLASSES, "alpha"),
    ],
)
def test_refusals(parameters, y, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        LinearEmbedding(random_state=0, **parameters).fit(WINE, y)


def test_refused_types_and_rows():
    with pytest.raises(TypeError, match=r"is a class; pass an object, SupCon\(\)"):
        LinearEmbedding(loss=SupCon).fit(WINE, CLASSES)
    with pytest.raises(TypeError, match="loss=3 is not a loss"):
        LinearEmbedding(loss=3).fit(WINE, CLASSES)
    with pytest.raises(TypeError, match="did you mean solver"):
        LinearEmbedding(optimizer="adam")
    with pytest.raises(ValueError, match="did you mean max_iter"):
        LinearEmbedding().set_params(epochs=3)
    with pytest.raises(ValueError, match="two rows or more, and X has n_samples = 1"):
        LinearEmbedding(loss="nt-xent").fit(WINE[:1])
    with pytest.raises(ValueError, match=r"reaches .* in column 12"):
        LinearEmbedding().fit(WINE * 1e200, CLASSES)


def test_a_failed_fit_changes_nothing_and_a_new_one_leaves_nothing():
    embedding = LinearEmbedding(loss="center", **FEW).fit(WINE, CLASSES)
    before = vars(embedding).copy()
    with pytest.raises(ValueError, match="one class"):
        embedding.fit(WINE[:, :5], np.zeros(178))
    assert vars(embedding) == before
    embedding.set_params(loss="softmax").fit(WINE, CLASSES)
    assert not hasattr(embedding, "centers_")
    embedding.set_params(loss="nt-xent").fit(WINE)
    assert not hasattr(embedding, "classes_")
