"""Checks that the categories of scikit-learn's encoders fit together with the numbers derived from them."""

import numbers
from typing import Any

import numpy as np

ATOMS = (str, bytes, numbers.Number, np.generic)


def check_encoder(step: Any, n: int) -> None:
    """Check the categories of each column, and the rare ones, for any encoder."""
    name = type(step).__name__
    if type(step.categories_) is not list or len(step.categories_) != n:
        raise ValueError(f"{name} has not one array of categories for each of {n} columns")
    for categories in step.categories_:
        if not _are_categories(categories):
            raise ValueError(
                f"{name} has categories that are no array, or numbers that are not sorted: sort those that "
                "you give it"
            )
    if type(step._infrequent_enabled) is not bool:
        raise ValueError(f"{name} does not say whether it joins rare categories")
    missing = vars(step).get("_missing_indices", {})
    if missing != {number: len(step.categories_[number]) - 1 for number in missing}:
        raise ValueError(f"{name} has missing values that are not the last category")
    rare, groups = _rare(step, n)
    if len(rare) != n or len(groups) != n:
        raise ValueError(f"{name} has rare categories of {len(rare)} columns, not {n}")
    for number, (indices, found) in enumerate(zip(rare, groups, strict=True)):
        n_categories = len(step.categories_[number]) - (number in missing)
        expected = _groups(indices, n_categories)
        if (found is None) != (expected is None) or not np.array_equal(found, expected):
            raise ValueError(f"{name} joins rare categories otherwise than it says")


def _are_categories(categories: Any) -> bool:
    """Whether numbers are sorted, since binary search could leave the array; text is looked up in a dict."""
    if not isinstance(categories, np.ndarray) or categories.ndim != 1 or not len(categories):
        return False
    if categories.dtype.kind == "O":
        if not all(each is None or isinstance(each, ATOMS) for each in categories.tolist()):
            return False
        ordered = [each for each in categories.tolist() if isinstance(each, numbers.Real) and each == each]
        return ordered == sorted(ordered)
    if categories.dtype.kind in "US":
        return True
    return bool(np.array_equal(np.sort(categories), categories, equal_nan=True))


def _rare(step: Any, n: int) -> tuple[list[Any], list[Any]]:
    if not step._infrequent_enabled:
        return [None] * n, [None] * n
    return step._infrequent_indices, step._default_to_infrequent_mappings


def _groups(indices: Any, n_categories: int) -> Any:
    """The number of each category after joining the rare ones into the last; None without rare ones."""
    if indices is None:
        return None
    if (
        not isinstance(indices, np.ndarray)
        or indices.dtype.kind != "i"
        or indices.ndim != 1
        or not len(indices)
    ):
        raise ValueError("rare categories are no array of integers")
    if indices[0] < 0 or indices[-1] >= n_categories or not (np.diff(indices) > 0).all():
        raise ValueError(f"rare categories are not among {n_categories}")
    is_rare = np.zeros(n_categories, bool)
    is_rare[indices] = True
    groups = np.cumsum(~is_rare) - 1
    groups[is_rare] = n_categories - len(indices)
    return groups


def check_one_hot(step: Any, n: int) -> None:
    """Check the number of output columns: the categories, with rare ones joined and one dropped."""
    _, groups = _rare(step, n)
    sizes = [
        len(categories) if group is None else int(group.max()) + 1
        for categories, group in zip(step.categories_, groups, strict=True)
    ]
    left_out = _left_out(step._drop_idx_after_grouping, sizes)
    _left_out(step.drop_idx_, [len(categories) for categories in step.categories_])
    expected = [size - (each is not None) for size, each in zip(sizes, left_out, strict=True)]
    if step._n_features_outs != expected:
        raise ValueError(f"OneHotEncoder makes {expected} columns, not {step._n_features_outs!r}")


def _left_out(indices: Any, sizes: list[int]) -> list[Any]:
    if indices is None:
        return [None] * len(sizes)
    if not isinstance(indices, np.ndarray) or indices.shape != (len(sizes),) or indices.dtype != object:
        raise ValueError("OneHotEncoder leaves out no array of categories")
    for index, size in zip(indices.tolist(), sizes, strict=True):
        is_number = type(index) is int or isinstance(index, np.integer)
        if index is not None and not (is_number and 0 <= index < size):
            raise ValueError(f"OneHotEncoder leaves out category {index!r} of {size}")
    return indices.tolist()


def check_target_encoder(step: Any, n: int) -> None:
    kinds = ("binary", "multiclass", "continuous")
    n_targets = len(step.classes_) if step.target_type_ == "multiclass" else 1
    if step.target_type_ not in kinds or len(step.encodings_) != n * n_targets:
        raise ValueError(f"TargetEncoder has {len(step.encodings_)} encodings for {n} columns")
    if np.shape(step.target_mean_) != ((n_targets,) if n_targets > 1 else ()):
        raise ValueError("TargetEncoder has not one mean for each target")
    for number, encoding in enumerate(step.encodings_):
        size = len(step.categories_[number // n_targets])
        if not isinstance(encoding, np.ndarray) or encoding.shape != (size,) or encoding.dtype.kind != "f":
            raise ValueError(f"TargetEncoder has no number for each of {size} categories")
