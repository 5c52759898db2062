"""The classes of a stream: those given in the first call, and new labels with on_new_class="add"."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linclf._data.labels import classes_of, known_classes
from linclf._data.new_labels import kind_of, with_new_labels
from linclf._estimator.described import Described
from linclf._training.growing import check_grows
from linclf._types import LabelArray
from linclf.losses._names import loss_for


def given_classes(
    estimator: Described, classes: ArrayLike | None, before: LabelArray | None
) -> LabelArray | None:
    """The classes before a part; None if they are those of its labels."""
    if before is not None and hasattr(estimator, "multilabel_"):
        raise other_form(True)
    adds = estimator.on_new_class == "add"
    if classes is None:
        if before is None and not adds:
            hint = ", or use on_new_class='add'" if "on_new_class" in estimator._declared else ""
            raise ValueError(f"classes must be passed on the first call to partial_fit{hint}.")
        return before
    known = known_classes(classes)
    if before is not None and not np.array_equal(known, before):
        hint = "; leave it out, as on_new_class='add' takes new classes from y" if adds else ""
        raise ValueError(f"classes={classes!r} is not the same as on the first call: {before!r}{hint}")
    return known


def classes_after(
    estimator: Described, y: NDArray, names: LabelArray | None, known: LabelArray | None
) -> tuple[LabelArray, str]:
    """The classes after a part, and what to do about other labels, for messages.

    ``names`` are the column names of probabilities, and ``known`` the classes before the part.
    """
    if known is None:
        known = _of_first_part(y, names)
    if estimator.on_new_class == "add":
        check_grows(loss_for(estimator._loss(), len(known)))
        if y.ndim == 1:
            after = with_new_labels(known, y)
            _refuse_without_weight(estimator.class_weight, after, known)
            return after, ""
        return known, "; on_new_class='add' takes new classes only from labels, one for each row"
    grows = "on_new_class" in estimator._declared and y.ndim == 1 and kind_of(y) == kind_of(known)
    return known, "; on_new_class='add' makes new labels classes" if grows else ""


def columns_after(
    estimator: Described, n_columns: int, classes: ArrayLike | None, before: LabelArray | None
) -> LabelArray:
    """The classes of a part with several labels a row: the numbers of the columns of its indicator."""
    if before is not None and not hasattr(estimator, "multilabel_"):
        raise other_form(False)
    columns = np.arange(n_columns)
    if classes is not None and not np.array_equal(known_classes(classes), columns):
        raise ValueError(
            f"classes={classes!r}, and y is an indicator of {n_columns} labels, whose classes are the "
            f"numbers of its columns; leave classes out, or pass range({n_columns})"
        )
    if before is None or n_columns == len(before):
        return columns
    if n_columns < len(before):
        raise ValueError(
            f"y has {n_columns} columns of labels, and had {len(before)} in the last call; use the columns "
            "of the first call in each one, with 0 for a label that no row has"
        )
    if estimator.on_new_class != "add":
        raise ValueError(
            f"y has {n_columns} columns of labels, and had {len(before)} in the last call; with "
            "on_new_class='add' further columns are new labels"
        )
    return columns


def other_form(several: bool) -> ValueError:
    """The error if training would go on with y of another form; ``several``: what the last fit had."""
    last, now = ("several labels", "one label") if several else ("one label", "several labels")
    return ValueError(
        f"continuing (warm_start=True or partial_fit) needs y as in the last fit, which had {last} a "
        f"row; now it has {now}"
    )


def _refuse_without_weight(class_weight: Any, after: LabelArray, known: LabelArray) -> None:
    """Refuse new classes of weight 0: they would start at the mean of the others."""
    if len(after) == len(known) or not isinstance(class_weight, dict):
        return
    before = set(known.tolist())
    for label in after.tolist():
        if label not in before and class_weight.get(label, 1.0) == 0:
            raise ValueError(
                f"class_weight[{label!r}]=0, and on_new_class='add' would make {label!r} a class; leave out "
                "its rows, or give it a small weight"
            )


def _of_first_part(y: NDArray, names: LabelArray | None) -> LabelArray:
    if y.ndim == 1 and len(labels := np.unique(y)) < 2:
        raise ValueError(
            f"the first part of a stream needs at least 2 classes, and y has only {labels.tolist()[0]!r}; "
            "pass classes= with labels that are known to occur, even if they have no rows yet"
        )
    return classes_of(y, names)
