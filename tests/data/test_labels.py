"""Labels and weights in any form; test_inputs.py tests rows.

Each fault is tested with one estimator, and one fault of each kind with every training method.
"""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from input_cases import ESTIMATORS, FAST, TRAINING_WAYS, fit, outcome, whole_iris

from linclf import (
    SoftmaxClassifier,
    SoftmaxClassifierCV,
    SVMClassifier,
    compare,
    effective_number_weights,
)
from linclf.calibration import CalibratedClassifier

SOFT_WAYS = [pair for pair in TRAINING_WAYS if pair[0] == "soft"]


def training(kinds, for_all):
    """Each kind with one estimator, and one of them with every training method."""
    pairs = [(*pair, kind) for kind in kinds for pair in (TRAINING_WAYS if kind == for_all else SOFT_WAYS)]
    return pytest.mark.parametrize(("name", "way", "kind"), pairs)


@pytest.fixture(scope="module")
def iris():
    return whole_iris()


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", "b", "c"]),
        np.array(["a", "b", "c"], dtype=object),
        np.array([b"a", b"b", b"c"]),
        np.array([b"a", b"b", b"c"], dtype=object),
        np.array([-(2**62), 0, 2**62]),
        np.array([2**62, 2**62 + 1, 2**62 + 2]),
        np.array([0, 1, 2**63 + 5], dtype=np.uint64),
        np.array([-(2**70), 0, 2**70], dtype=object),
        np.array([1, 2, 4], dtype=object),
        np.array([-1.0, 0.0, 7.0]),
        np.array([-1.0, 0.0, 7.0], dtype=np.float32),
        np.array([3, 5, 7], dtype=np.int8),
        np.array([3, 5, 7], dtype=">i4"),
        np.array(["2020-01-01", "2021-01-01", "2022-01-01"], dtype="M8[D]"),
    ],
    ids=lambda labels: f"{labels.dtype} {labels[0]}",
)
@pytest.mark.parametrize("way", ["fit", "partial_fit"])
def test_labels_come_back_as_they_are(iris, labels, way):
    X, y = iris
    model, plain = SoftmaxClassifier(**FAST), SoftmaxClassifier(**FAST)
    if way == "fit":
        model.fit(X, labels[y])
        plain.fit(X, y)
    else:
        model.partial_fit(X, labels[y], classes=labels[::-1])
        plain.partial_fit(X, y, classes=[0, 1, 2])
    assert model.classes_.dtype == model.predict(X).dtype == labels.dtype
    np.testing.assert_array_equal(model.classes_, labels)
    np.testing.assert_array_equal(model.predict(X), labels[plain.predict(X)])
    np.testing.assert_array_equal(model.coef_, plain.coef_)


OBJECTS = {
    "bool": np.array([False, True, False], object),
    "int": np.array([1, 2, 4], object),
    "beyond int64": np.array([-(2**70), 0, 2**70], object),
    "bytes": np.array([b"a", b"b", b"c"]),
    "wide strings": np.array(["a", "b", "c"], np.dtypes.StringDType()),
    "dates": np.array(["2020-01-01", "2021-01-01", "2022-01-01"], "M8[D]"),
    "nanoseconds": np.array(["2020-01-01", "2021-01-01", "2022-01-01"], "M8[ns]"),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_labels_that_metrics_do_not_know_are_as_good_as_numbers(iris, kind):
    """Scores, folds and class weights; scikit-learn's issues 24355 and 17675 are about such labels."""
    X, y = iris
    labels, codes = OBJECTS[kind][y], np.unique(OBJECTS[kind], return_inverse=True)[1][y]
    by_label, by_code = SoftmaxClassifier(), SoftmaxClassifier()
    weights = np.linspace(0.1, 1, len(y))
    for pair in ((by_label, by_code), (CalibratedClassifier(by_label), CalibratedClassifier(by_code))):
        scores = [
            m.fit(X, t).score(X, t, sample_weight=weights) for m, t in zip(pair, (labels, codes), strict=True)
        ]
        right = pair[1].predict(X) == codes
        np.testing.assert_allclose(scores, np.average(right, weights=weights), rtol=1e-14)
    assert SoftmaxClassifierCV(cv=3).fit(X, labels).alpha_ == SoftmaxClassifierCV(cv=3).fit(X, codes).alpha_
    by_label.set_params(class_weight={by_label.classes_[0]: 3.0}).fit(X, labels)
    by_code.set_params(class_weight={0: 3.0}).fit(X, codes)
    np.testing.assert_array_equal(by_label.coef_, by_code.coef_)


def test_strings_and_categories(iris):
    X, y = iris
    names, expected = np.array(["a", "b", "c"])[y], fit(X, y).coef_
    forms = (list, tuple, pd.Series, pd.Categorical, pl.Series, lambda y: pl.Series(y, dtype=pl.Categorical))
    for form in (*forms, lambda y: pd.Series(y, dtype="string"), lambda y: y.astype(np.dtypes.StringDType())):
        model = fit(X, form(names))
        assert list(model.classes_) == ["a", "b", "c"]
        np.testing.assert_array_equal(model.coef_, expected)
    two = fit(X, y > 0)
    assert two.predict(X).dtype == bool
    np.testing.assert_array_equal(two.coef_, fit(X, (y > 0).astype(int)).coef_)


@training(["Int64", "UInt8", "Int32", "boolean", "int64[pyarrow]"], for_all="Int64")
def test_nullable_labels_keep_their_type(iris, name, way, kind):
    X, y = iris
    y = y > 0 if kind == "boolean" else y
    given, plain = pd.Series(y).astype(kind), kind.partition("[")[0].lower().replace("boolean", "bool")
    model = ESTIMATORS[name]()
    if way == "fit":
        model.fit(X, given)
    else:
        model.partial_fit(X, given, classes=given.unique())
    assert model.predict(X).dtype == np.dtype(plain)
    np.testing.assert_array_equal(model.coef_, outcome(name, way, X, y))


def changed(y, row, label):
    y = y.astype(object)
    y[row] = label
    return y


MISSING = {
    "None": lambda y: changed(y, 3, None),
    "nan in objects": lambda y: changed(y, 3, np.nan),
    "NA": lambda y: changed(y, 3, pd.NA),
    "NaT": lambda y: np.where(np.arange(150) == 3, np.datetime64("NaT"), y.astype("M8[D]")),
    "nan": lambda y: np.where(np.arange(150) == 3, np.nan, y),
    "nullable": lambda y: pd.Series(y, dtype="Int64").mask(np.arange(150) == 3),
    "string": lambda y: pd.Series(y.astype(str), dtype="string").mask(np.arange(150) == 3),
    "polars": lambda y: pl.Series(changed(y.astype(str), 3, None).tolist()),
    "list": lambda y: changed(y, 3, None).tolist(),
}


@training(MISSING, for_all="NA")
def test_missing_labels(iris, name, way, kind):
    labels = MISSING[kind](iris[1])
    model = ESTIMATORS[name]()
    arguments = {} if way == "fit" else {"classes": [0, 1, 2]}
    with pytest.raises(
        ValueError, match=r"Input y contains NaN: y has 1 missing labels of 150.* in row 3; drop"
    ):
        getattr(model, way)(iris[0], labels, **arguments)
    assert not [attribute for attribute in vars(model) if attribute.endswith("_")]


MIXED = {
    "int and str": (
        lambda y: changed(y, 3, "x"),
        "y mixes labels of the types int, str, such as . in row 0 and 'x'",
    ),
    "list": (
        lambda y: changed(y, 3, "x").tolist(),
        "types int, str, such as . in row 0 and 'x' in row 3, which",
    ),
    "str and bytes": (
        lambda y: changed(y.astype("U"), 3, b"x"),
        "types bytes, str, such as b'x' in row 3 and",
    ),
    "list of bytes": (
        lambda y: changed(y.astype("U"), 3, b"x").tolist(),
        "y mixes labels of the types bytes, str",
    ),
    "str and float": (lambda y: changed(y.astype("U"), 3, 0.5), "y mixes labels of the types float, str"),
    "tuple": (
        lambda y: changed(y, 3, (1, 2)),
        "y has labels of type tuple, such as .1, 2. in row 3; convert",
    ),
    "continuous": (lambda y: y + 0.5, "Unknown label type: continuous"),
    "continuous objects": (lambda y: (y + 0.5).astype(object), "Unknown label type: continuous"),
    "infinite": (lambda y: np.where(y == 0, np.inf, y), "Input y contains infinity"),
    "complex": (lambda y: y + 1j, "Complex data not supported"),
    "records": (lambda y: y.astype([("a", int)]), "Unknown label type: .*must hold str, int or bool"),
    "masked": (lambda y: np.ma.array(y, mask=y == 0), "y is a masked array with 50 masked entries"),
}


@training(MIXED, for_all="list")
def test_mixed_or_continuous_labels(iris, name, way, kind):
    make, message = MIXED[kind]
    with pytest.raises(ValueError, match=message):
        getattr(ESTIMATORS[name](), way)(
            iris[0], make(iris[1]), **({} if way == "fit" else {"classes": [0, 1]})
        )


@pytest.mark.parametrize("kind", ["None", "nan", "NA", "nullable"])
def test_missing_labels_elsewhere(iris, kind):
    labels, message = MISSING[kind](iris[1]), "missing labels of 150"
    with pytest.raises(ValueError, match=message):
        effective_number_weights(labels)
    with pytest.raises(ValueError, match=message):
        compare(iris[0], labels, models=["softmax"], progress=False)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (lambda y: y * 0, "contains only one class: .*0"),
        (
            lambda y: np.eye(3, dtype=int)[y],
            r"y has a column of 0 and 1 for each of several labels, and SoftmaxClassifier has one label",
        ),
        (lambda y: y[:149], r"inconsistent numbers of samples: \[150, 149\]"),
        (lambda y: y[:, None, None], "Found array with dim 3"),
    ],
)
def test_labels_that_cannot_be_used(iris, labels, message):
    model = SoftmaxClassifier()
    with pytest.raises(ValueError, match=message):
        model.fit(iris[0], labels(iris[1]))
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize("way", ["fit", "partial_fit"])
@pytest.mark.parametrize("row", [[0.5, 0.2, 0.2], [1.5, -0.5, 0.0], [np.nan, 0.5, 0.5]])
def test_probability_rows_are_checked(iris, row, way):
    P = np.eye(3)[iris[1]]
    P[4] = row
    arguments = {} if way == "fit" else {"classes": [0, 1, 2]}
    with pytest.raises(ValueError, match=r"row 4 is \[.*each row must be non-negative and sum to 1"):
        getattr(SoftmaxClassifier(), way)(iris[0], P, **arguments)


def test_probabilities_in_a_list(iris):
    P = np.eye(3)[iris[1]]
    np.testing.assert_array_equal(fit(iris[0], P.tolist()).coef_, fit(iris[0], P).coef_)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([0, 1, None], "Input classes contains NaN: classes has 1 missing labels of 3"),
        ([0, 1, np.nan], "Input classes contains NaN"),
        ([0, "a"], "classes mixes labels of the types int, str"),
        ([[0, 1], [2, 3]], "classes=.* must be a 1-D array"),
        ("abc", "classes='abc' must be a 1-D array"),
        ([], r"classes=\[\]: a classifier needs at least 2 classes"),
        ([1], "needs at least 2 classes"),
        (["a", "b", "c"], "y contains labels that are not in classes"),
        (np.array(["a", "b", "c"], dtype=object), "y contains labels that are not in classes"),
    ],
    ids=str,
)
def test_classes_of_a_stream_that_cannot_be_used(iris, classes, message):
    with pytest.raises(ValueError, match=message):
        SoftmaxClassifier().partial_fit(*iris, classes=classes)


def test_labels_that_are_not_among_the_classes(iris):
    X, y = iris
    with pytest.raises(ValueError, match=r"labels that are not in classes array\(\[0, 1\]\): array\(\[2\]\)"):
        SoftmaxClassifier().partial_fit(X, y, classes=[0, 1])
    model = SoftmaxClassifier(**FAST).partial_fit(X[y < 2], y[y < 2], classes=[0, 1])
    before = model.coef_
    with pytest.raises(ValueError, match="labels that are not in classes"):
        model.partial_fit(X, y)
    assert model.coef_ is before
    with pytest.raises(ValueError, match="3 columns of class probabilities, but there are 2 classes"):
        model.partial_fit(X, np.eye(3)[y])
    with pytest.raises(ValueError, match="labels that are not in classes"):
        SoftmaxClassifier().fit(X[y < 2], y[y < 2], X_val=X, y_val=y)
    with pytest.raises(ValueError, match="X has 2 features, but SoftmaxClassifier is expecting 4"):
        model.partial_fit(X[:, :2], y)


# ---------------------------------------------------------------- weights


UNUSABLE_WEIGHTS = {
    "negative": (
        np.where(np.arange(150) == 3, -1.0, 1.0),
        "Negative values in data passed to `sample_weight`",
    ),
    "nan": (np.where(np.arange(150) == 3, np.nan, 1.0), "Input sample_weight contains NaN"),
    "infinite": (np.where(np.arange(150) == 3, np.inf, 1.0), "Input sample_weight contains infinity"),
    "too large": (np.full(150, np.longdouble("1e400")), "Input sample_weight contains infinity"),
    "masked": (
        np.ma.array(np.ones(150), mask=np.arange(150) == 3),
        "sample_weight is a masked array with 1 masked",
    ),
    "one less": (np.ones(149), r"sample_weight.shape == \(149,\), expected \(150,\)"),
    "2-D": (np.ones((150, 1)), "Sample weights must be 1D array or scalar"),
    "zeros": (np.zeros(150), "Sample weights must contain at least one non-zero number"),
}


@training(UNUSABLE_WEIGHTS, for_all="negative")
def test_sample_weights_that_cannot_be_used(name, way, kind):
    weights, message = UNUSABLE_WEIGHTS[kind]
    with pytest.raises(ValueError, match=message):
        outcome(name, way, whole_iris()[0], sample_weight=weights)


def test_one_class_after_zero_weights(iris):
    """More in test_absent_classes.py."""
    model = fit(*iris, sample_weight=(iris[1] == 1).astype(float))
    np.testing.assert_array_equal(model.predict_proba(iris[0]), np.tile([0.0, 1.0, 0.0], (150, 1)))


UNUSABLE_CLASS_WEIGHTS = {
    "unknown": ({7: 2.0}, r"keys that are no classes, \[7\], and no weight for \[0, 1, 2\]"),
    "one of two": ({0: 1.0, 7: 2.0}, r"keys that are no classes, \[7\], and no weight for \[1, 2\]"),
    "strings": ({"0": 1.0, "1": 2.0, "2": 1.0}, "keys that are no classes"),
    "negative": ({0: -1.0}, "must be non-negative and finite"),
    "nan": ({0: np.nan}, "must be non-negative and finite"),
    "no number": ({0: "a"}, r"class_weight\[0\]='a' must be a non-negative number"),
    "None": ({0: None}, r"class_weight\[0\]=None must be a non-negative number"),
    "zeros": ({0: 0, 1: 0, 2: 0}, "leaves no row with a positive weight"),
}


@training(UNUSABLE_CLASS_WEIGHTS, for_all="one of two")
def test_class_weight_of_an_unknown_or_missing_class(iris, name, way, kind):
    weights, message = UNUSABLE_CLASS_WEIGHTS[kind]
    model = ESTIMATORS[name]().set_params(class_weight=weights)
    with pytest.raises(ValueError, match=message):
        getattr(model, way)(*iris, **({} if way == "fit" else {"classes": [0, 1, 2]}))


def test_weights_of_zero_written_as_text_are_no_rows(iris):
    """As read from columns of a CSV; folds are indices into all given rows."""
    X, y = iris
    weights = np.arange(len(y)) % 2
    as_text, as_numbers = (
        SoftmaxClassifierCV(cv=3).fit(X, y, sample_weight=given) for given in (weights.astype(str), weights)
    )
    np.testing.assert_array_equal(as_text.coef_, as_numbers.coef_)


def test_class_weight_by_name(iris):
    X, y = iris
    names = np.array(["a", "b", "c"])[y]
    by_name, by_number = (
        fit(X, labels, class_weight=dict(zip(np.unique(labels), (1.0, 2.0, 0.5), strict=True)))
        for labels in (names, y)
    )
    np.testing.assert_array_equal(by_name.coef_, by_number.coef_)


def test_sample_weight_and_class_weight_are_one_product(iris):
    X, y = iris
    product = SVMClassifier(**FAST).fit(X, y, sample_weight=np.array([1.0, 2.0, 4.0])[y])
    model = SVMClassifier(**FAST, class_weight={0: 1, 1: 2, 2: 4}).fit(X, y)
    np.testing.assert_array_equal(model.coef_, product.coef_)


def test_classes_of_a_stream_may_be_named_twice(iris):
    X, y = iris
    model = SoftmaxClassifier(**FAST).partial_fit(X, y, classes=[2, 0, 1, 1, 0])
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert model.coef_.shape[0] == 3


@pytest.mark.parametrize("n", [1, 2])
def test_score_refuses_labels_of_another_number_of_rows(n):
    X = np.eye(3)
    model = SoftmaxClassifier().fit(X, np.array([b"a", b"b", b"c"]))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, np.array([b"a", b"b"])[:n])
