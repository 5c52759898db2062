"""Containers of X, y and weights: tensors, tables, and non-arrays. Arrays are in test_inputs.py."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from input_cases import ESTIMATORS, FAST, whole_iris

from linclf import Batches, SoftmaxClassifier, SoftmaxClassifierCV
from linclf.functional import softmax
from linclf.metrics import brier_score

torch = pytest.importorskip("torch")
X, Y = whole_iris()
P = 0.7 * np.eye(3)[Y] + 0.1


def fit(X, y, **weights):
    return SoftmaxClassifier(**FAST).fit(X, y, **weights)


DuckDBPyRelation = type("DuckDBPyRelation", (), {"__module__": "duckdb"})
UNREAD = [
    (
        pl.DataFrame(X, schema=list("abcd")).lazy(),
        r"is a LazyFrame of polars, which is not read yet; pass {}\.collect",
    ),
    (DuckDBPyRelation(), r"is a DuckDBPyRelation of duckdb, which is not read yet; pass {}\.df"),
    ((row for row in X.tolist()), r"is a generator, not an array; pass list\({}\)"),
    (map(float, range(150)), r"is a map, not an array; pass list\({}\)"),
    (dict(enumerate(X.tolist())).values(), r"is a dict_values, not an array; pass list\({}\)"),
    ({"a": X[:, 0]}, r"is a dict, not an array; pass list\({}\.values\(\)\).*pandas\.DataFrame"),
    (set(range(150)), "is a set, not an array; a set has no order"),
    (torch.tensor(X).to_sparse(), r"is a sparse tensor .*; pass {}\.to_dense\(\)"),
]


@pytest.mark.parametrize(("values", "message"), UNREAD, ids=lambda value: type(value).__name__)
def test_what_is_no_array_is_refused_with_the_remedy(values, message):
    calls = {
        "X": [lambda: fit(values, Y), lambda: fit(X, Y).predict(values)],
        "y": [lambda: fit(X, values), lambda: SoftmaxClassifier().partial_fit(X, values, classes=[0, 1, 2])],
        "sample_weight": [lambda: fit(X, Y, sample_weight=values)],
        "scores": [lambda: softmax(values)],
    }
    for name, ways in calls.items():
        for way in ways:
            with pytest.raises(TypeError, match=f"^{name} " + message.format(name)):
                way()


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_ragged_rows(kind):
    labels = [kind([0, 1]), kind([2]), *[kind([0])] * 148]
    with pytest.raises(
        ValueError,
        match=r"^y has rows of different lengths: row 0 is of length 2, and row 1 .*MultiLabelBinarizer",
    ):
        fit(X, labels)
    with pytest.raises(ValueError, match=r"^y has rows of different lengths: .* row 1 is a single value"):
        fit(X, [kind([0.5, 0.5]), 1, *[kind([0.5, 0.5])] * 148])
    with pytest.raises(ValueError, match=r"^X has rows of different lengths"):
        fit(labels, Y)
    with pytest.raises(ValueError, match=r"^X has rows of different lengths"):
        fit(X, Y).predict(labels)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pd.Series(list(X)), "a cell of 4 values: pass numpy.stack"),  # a column of embeddings
        (pd.DataFrame({"embedding": X.tolist()}), "a cell of 4 values: pass numpy.stack"),
        (pd.Series(list(X)).to_numpy(), "a cell of 4 values: pass numpy.stack"),
        (
            pd.DataFrame({"a": X[:, 0], "b": ["red", "blue", "red"] * 50}),
            r"holds 'red'( in column 'b')?: convert it with",
        ),
        (["a good film", "a dull film", "fine"] * 50, "holds 'a good film': convert it with"),
    ],
)
def test_cells_that_are_no_numbers_name_the_remedy(rows, message):
    """NumPy only says that it cannot set an array element with a sequence (iit-cs579/main#28)."""
    with pytest.raises(ValueError, match=message):
        fit(rows, Y)
    classifier = fit(X, Y)
    with pytest.raises(ValueError, match=message):
        classifier.predict(rows.to_numpy() if isinstance(rows, pd.DataFrame) else rows)


TENSORS = {
    "float64": lambda A: torch.tensor(A, dtype=torch.float64),
    "requires_grad": lambda A: torch.tensor(A, dtype=torch.float64, requires_grad=True),
    "float16": lambda A: torch.tensor(A, dtype=torch.float16),
    "bfloat16": lambda A: torch.tensor(A).bfloat16(),
    "bfloat16 with a gradient": lambda A: torch.tensor(A, dtype=torch.bfloat16, requires_grad=True),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("form", TENSORS)
def test_tensors_are_arrays(form, name):
    tensor = TENSORS[form](X)
    rows = tensor.detach().to(torch.float64 if tensor.dtype == torch.float64 else torch.float32).numpy()
    model = ESTIMATORS[name]().fit(tensor, torch.tensor(Y))
    np.testing.assert_array_equal(model.coef_, ESTIMATORS[name]().fit(rows, Y).coef_)
    np.testing.assert_array_equal(model.decision_function(tensor), model.decision_function(rows))


def test_tensors_of_probabilities_and_weights():
    expected = fit(X, P.astype(np.float32), sample_weight=1.0 + Y).coef_
    given = torch.tensor(P, dtype=torch.float32, requires_grad=True)
    weights = torch.tensor(1.0 + Y, requires_grad=True)
    np.testing.assert_array_equal(fit(X, given, sample_weight=weights).coef_, expected)
    scores = torch.tensor([[0.0, 1.0]], dtype=torch.bfloat16, requires_grad=True)
    np.testing.assert_allclose(softmax(scores), [[0.26894143, 0.7310586]], rtol=1e-6)


# ---------------------------------------------------------------- float16


NARROW = {
    "array": lambda A: A,
    "Fortran": np.asfortranarray,
    "pandas": lambda A: pd.DataFrame(A, columns=list("abcd")),
    "polars": lambda A: pl.DataFrame(A.astype(np.float32), schema=list("abcd")),
    "Arrow": lambda A: pa.table({name: pa.array(A[:, k]) for k, name in enumerate("abcd")}),
    "columns of float16 and float32": lambda A: pd.DataFrame(A, columns=list("abcd")).astype(
        {"b": np.float32}
    ),
}


@pytest.mark.parametrize("form", NARROW)
def test_float16_becomes_float32(form):
    """float64 would take four times the memory."""
    model = fit(NARROW[form](X.astype(np.float16)), Y)
    assert model.coef_.dtype == np.float32
    np.testing.assert_array_equal(model.coef_, fit(X.astype(np.float32), Y).coef_)
    assert model.predict_proba(NARROW[form](X.astype(np.float16))).dtype == np.float32


def test_float16_beside_integers_becomes_float64():
    assert (
        fit(pd.DataFrame(X.astype(np.float16), columns=list("abcd")).astype({"a": int}), Y).coef_.dtype
        == np.float64
    )


def test_batches_of_float16_are_float32():
    def parts(dtype):
        return Batches(lambda: ((X[a : a + 50].astype(dtype), Y[a : a + 50]) for a in (0, 50, 100)))

    model = SoftmaxClassifier(random_state=0).fit(parts(np.float16))
    assert model.coef_.dtype == np.float32
    np.testing.assert_array_equal(model.coef_, SoftmaxClassifier(random_state=0).fit(parts(np.float32)).coef_)


# ---------------------------------------------------------------- tables of probabilities


TABLES = {
    "pandas": lambda P, names: pd.DataFrame(P, columns=names),
    "polars": lambda P, names: pl.DataFrame(P, schema=names),
    "Arrow": lambda P, names: pa.table({name: P[:, k] for k, name in enumerate(names)}),
}


@pytest.mark.parametrize("table", TABLES)
def test_tables_of_probabilities_name_the_classes(table):
    make = TABLES[table]
    model = fit(X, make(P[:, [2, 0, 1]], ["virginica", "setosa", "versicolor"]))
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    np.testing.assert_array_equal(model.coef_, fit(X, P).coef_)
    assert set(model.predict(X)) == {"setosa", "versicolor", "virginica"}
    watched = SoftmaxClassifier(**FAST).fit(X, make(P, list("abc")), X_val=X, y_val=make(P, list("abc")))
    expected = SoftmaxClassifier(**FAST).fit(X, P, X_val=X, y_val=P)
    assert watched.history_["validation_loss"] == expected.history_["validation_loss"]
    stream = SoftmaxClassifier(**FAST).partial_fit(X, make(P[:, ::-1], list("cba")), classes=list("abc"))
    np.testing.assert_array_equal(
        stream.coef_, SoftmaxClassifier(**FAST).partial_fit(X, P, classes=[0, 1, 2]).coef_
    )


def test_other_names_of_columns():
    table = pd.DataFrame(P, columns=list("abc"))
    assert fit(X, pd.DataFrame(P)).classes_.tolist() == [0, 1, 2]
    message = r"has columns of the names \['a', 'b', 'c'\], and the classes are"
    with pytest.raises(ValueError, match=f"^y_val {message}"):
        SoftmaxClassifier().fit(X, P, X_val=X, y_val=table)
    with pytest.raises(ValueError, match=f"^y_val {message}"):
        SoftmaxClassifierCV().fit(X, P, X_val=X, y_val=table)
    with pytest.raises(ValueError, match=f"^y {message}"):
        SoftmaxClassifier().partial_fit(X, table, classes=["x", "y", "z"])
    with pytest.raises(ValueError, match="two columns with the same name"):
        fit(X, pd.DataFrame(P, columns=["a", "a", "b"]))


def test_rounded_probabilities_are_to_be_divided_by_their_sum():
    rounded = np.random.default_rng(0).dirichlet(np.full(50, 0.3), 150).round(3)
    remedy = r"; divide each row by its sum, as {0} / {0}\.sum\(axis=1, keepdims=True\)"
    with pytest.raises(ValueError, match=r"row \d+ is \[.*\] \(sum 0\.99.*sum to 1" + remedy.format("y")):
        fit(X, rounded)
    fit(X, rounded / rounded.sum(axis=1, keepdims=True))
    with pytest.raises(ValueError, match="not a distribution" + remedy.format("y_prob")):
        brier_score(np.arange(150) % 50, rounded * 0.998)
    with pytest.raises(ValueError, match=r"sum to 1$"):
        fit(X, np.where(np.arange(3) == 0, -0.1, 0.55) * np.ones((150, 3)))
