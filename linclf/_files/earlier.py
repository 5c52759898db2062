"""Conversion of files from earlier versions."""

from typing import Any

from linclf._training.model import LinearModel
from linclf.classifiers import SoftmaxClassifier
from linclf.heads import Linear


def parts_as_models(attributes: dict[str, Any]) -> dict[str, Any]:
    """Convert attributes of an adaptive softmax; in linclf 0.1.0 its head and tails were classifiers."""
    if "head_" not in attributes:
        return attributes
    return attributes | {
        "head_": _as_model(attributes["head_"]),
        "tails_": [_as_model(part) for part in attributes["tails_"]],
    }


def _as_model(part: Any) -> Any:
    if type(part) is not SoftmaxClassifier:
        return part
    return LinearModel(part.coef_, part.intercept_, Linear())
