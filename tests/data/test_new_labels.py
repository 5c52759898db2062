"""Classes with labels that they lack: nothing is truncated, rounded or mixed."""

import numpy as np
import pytest

from linclf._data.new_labels import with_new_labels

BIG = 2**63


@pytest.mark.parametrize(
    ("classes", "y", "expected", "dtype"),
    [
        (np.array(["b", "d"]), np.array(["a much longer one", "b"]), ["a much longer one", "b", "d"], "<U17"),
        (np.array(["bbbbb", "d"]), np.array(["c"]), ["bbbbb", "c", "d"], "<U5"),
        (np.array(["b", "d"]), np.array(["ccc", "a"], object), ["a", "b", "ccc", "d"], "<U3"),
        (np.array(["b", "d"], object), np.array(["ccc", "ccc"]), ["b", "ccc", "d"], "object"),
        (np.array([b"b", b"d"]), np.array([b"ccc"]), [b"b", b"ccc", b"d"], "S3"),
        (np.array([0, 100], np.int8), np.array([300, 0]), [0, 100, 300], "int64"),
        (np.array([0, 100], np.int8), np.array([7]), [0, 7, 100], "int8"),
        (np.array([0, 1]), np.array([2.0, 1.0]), [0, 1, 2], "int64"),
        (np.array([0, 1], np.uint8), np.array([-1]), [-1, 0, 1], "int64"),
        (np.array([0, 1]), np.array([3], object), [0, 1, 3], "int64"),
        (np.array([0, 1], object), np.array([3]), [0, 1, 3], "object"),
        (np.array([0.0, 1.0], np.float32), np.array([2**24 + 1]), [0.0, 1.0, 2.0**24 + 1], "float64"),
        (np.array([0, 1]), np.array([7], np.uint64), [0, 1, 7], "int64"),
        (
            np.array(["2020-01-01", "2020-03-01"], "M8[D]"),
            np.array(["2020-02-01T12"], "M8[h]"),
            [np.datetime64("2020-01-01T00"), np.datetime64("2020-02-01T12"), np.datetime64("2020-03-01T00")],
            "M8[h]",
        ),
    ],
)
def test_the_dtype_is_as_wide_as_all_labels_need(classes, y, expected, dtype):
    before = classes.copy()
    known = with_new_labels(classes, y)
    assert known.dtype == np.dtype(dtype)
    expected = np.array(expected, dtype).tolist()
    assert known.tolist() == expected
    assert list(map(type, known.tolist())) == list(map(type, expected))
    np.testing.assert_array_equal(classes, before)


def test_without_new_labels_the_classes_are_the_same_array():
    classes = np.array([0, 3])
    assert with_new_labels(classes, np.array([3.0, 0.0])) is classes
    assert with_new_labels(classes, np.array([True, True]) * 3) is classes


@pytest.mark.parametrize(
    ("classes", "y"),
    [
        (np.array([0, 1]), np.array(["0", "2"])),
        (np.array(["0", "1"]), np.array([0, 2])),
        (np.array(["0", "1"]), np.array([b"2"])),
        (np.array(["0", "1"], object), np.array([2], object)),
        (np.array([1, 2]), np.array([False, True])),
        (np.array([False, True]), np.array([2])),
        (np.array([0, 1]), np.array(["2020"], "M8[Y]")),
    ],
)
def test_labels_of_another_kind(classes, y):
    with pytest.raises(ValueError, match=r"y contains labels that are not in classes .* of another type"):
        with_new_labels(classes, y)


def test_integers_that_no_type_holds():
    with pytest.raises(ValueError, match="no type of numbers holds both; convert all labels to str"):
        with_new_labels(np.array([-1, 1]), np.array([BIG], np.uint64))
    with pytest.raises(ValueError, match="no type of numbers holds both"):
        with_new_labels(np.array([0.0, 1.0]), np.array([2**53 + 1]))
