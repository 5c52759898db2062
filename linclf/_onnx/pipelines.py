"""Converters for skl2onnx, so that pipelines with linclf classifiers become ONNX models."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from linclf import classifiers, large, tuning
from linclf._onnx.export import Outputs, add_classifier, labels_of
from linclf._onnx.graph import Graph, check_opset
from linclf.calibration import CalibratedClassifier

OFFERED = [getattr(room, name) for room in (classifiers, large, tuning) for name in room.__all__]
OURS = [one for one in OFFERED if isinstance(one, type) and issubclass(one, ClassifierMixin)]
# a list of dicts (zipmap) takes longer than the classifier and holds only float32; the converter of
# CalibratedClassifierCV asks for raw scores
OPTIONS = {"zipmap": [False], "raw_scores": [True, False]}


def register_onnx_converters() -> None:
    """Register the classifiers of linclf with skl2onnx, for this process.

    Afterwards ``skl2onnx.to_onnx(pipeline, X[:1])`` converts pipelines and searches that contain classifiers
    of linclf, and meta-estimators around those with probabilities. The first output is that of `predict`. The
    second is that of `predict_proba`, or of `decision_function` if a classifier has no probabilities: an
    array, in float64 if X is, else in float32.

    Raises
    ------
    ImportError
        If skl2onnx is not installed: ``pip install "linclf[onnx]"``.

    Examples
    --------
    >>> import skl2onnx
    >>> from onnxruntime import InferenceSession
    >>> import linclf
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_wine(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), linclf.SoftmaxClassifier()).fit(X, y)
    >>> linclf.register_onnx_converters()
    >>> graph = skl2onnx.to_onnx(pipeline, X[:1])
    >>> labels, p = InferenceSession(graph.SerializeToString()).run(None, {"X": X})
    >>> bool((labels == pipeline.predict(X)).all()), bool(abs(p - pipeline.predict_proba(X)).max() < 1e-6)
    (True, True)
    """
    try:
        import skl2onnx
    except ImportError:
        raise ImportError('register_onnx_converters needs skl2onnx; use pip install "linclf[onnx]"') from None
    for cls in (CalibratedClassifier, *OURS):
        skl2onnx.update_registered_converter(
            cls, _alias(cls), _declare_types, _convert, parser=_declare, options=OPTIONS
        )


def _alias(cls: type) -> str:
    return f"Linclf{cls.__name__}"


def _declare(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """An operator with a label and numbers."""
    if getattr(model, "multilabel_", False):
        raise TypeError(
            f"{type(model).__name__} was fitted to several labels a row, which skl2onnx does not know; "
            "convert the classifier alone by linclf.to_onnx"
        )
    operator = scope.declare_local_operator(_alias(type(model)), model)
    operator.inputs, operator.is_last = inputs, True
    names = "label", "probabilities"
    operator.outputs.extend(map(scope.declare_local_variable, names, _types(operator)))
    return operator.outputs


def _dtype(operator: Any) -> np.dtype:
    """float64 if a column is, else float32, like skl2onnx's own classifiers."""
    is_double = any(type(given.type).__name__.startswith("Double") for given in operator.inputs)
    return np.dtype(np.float64 if is_double else np.float32)


def _types(operator: Any) -> list[Any]:
    """The types of the two outputs."""
    from skl2onnx.common import data_types

    n_rows, labels = operator.inputs[0].get_first_dimension(), labels_of(operator.raw_operator.classes_)
    of_labels = {
        "i": data_types.Int64TensorType,
        "b": data_types.BooleanTensorType,
        "f": data_types.DoubleTensorType,
        "O": data_types.StringTensorType,
    }[labels.dtype.kind]
    of_numbers = data_types.DoubleTensorType if _dtype(operator) == np.float64 else data_types.FloatTensorType
    one = len(labels) == 2 and not hasattr(operator.raw_operator, "predict_proba")
    return [of_labels([n_rows]), of_numbers([n_rows] if one else [n_rows, len(labels)])]


def _declare_types(operator: Any) -> None:
    for output, kind in zip(operator.outputs, _types(operator), strict=True):
        output.type = kind


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the nodes of a classifier to those of a pipeline."""
    from onnx import TensorProto, helper

    check_opset(container.target_opset)
    graph, model = Graph(_dtype(operator)), operator.raw_operator
    found = add_classifier(graph, model, "X")
    numbers = _numbers(graph, found, operator, container)
    names = {"X": scope.get_unique_variable_name("rows"), "label": operator.outputs[0].full_name}
    unused = {output.name for output in graph.outputs} - {"label", numbers}

    def add(operator: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        container.add_node(
            operator, inputs, outputs, name=scope.get_unique_operator_name(operator), **attributes
        )

    kind, columns = helper.np_dtype_to_tensor_dtype(graph.dtype), []
    for given in operator.inputs:  # one for each column of a table
        columns.append(scope.get_unique_variable_name("columns"))
        add("Cast", [given.full_name], columns[-1:], to=kind)
    add("Concat", columns, [names["X"]], axis=1)
    for constant in graph.constants:
        names[constant.name] = scope.get_unique_variable_name(constant.name)
        is_text = constant.data_type == TensorProto.STRING
        values = list(constant.string_data) if is_text else constant
        container.add_initializer(names[constant.name], constant.data_type, list(constant.dims), values)
    for node in graph.nodes:
        if node.output[0] in unused:
            continue
        names |= {name: scope.get_unique_variable_name(name) for name in node.output if name not in names}
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        inputs, outputs = ([names[name] for name in part] for part in (node.input, node.output))
        add(node.op_type, inputs, outputs, **attributes)
    add("Cast", [names[numbers]], [operator.outputs[1].full_name], to=kind)


def _numbers(graph: Graph, found: Outputs, operator: Any, container: Any) -> str:
    """The value for the second output of an operator."""
    model = operator.raw_operator
    if container.get_options(model, {"raw_scores": False})["raw_scores"] and found.scores is not None:
        is_one = len(model.classes_) == 2
        return graph("Concat", graph("Neg", found.scores), found.scores, axis=1) if is_one else found.scores
    if found.probabilities is not None:
        return found.probabilities
    if hasattr(operator, "is_last"):
        return "scores"
    raise ValueError(
        f"{model!r} has no probabilities, which the estimator around it needs in a graph; use "
        "calibration='platt', a softmax loss, or CalibratedClassifier"
    )
