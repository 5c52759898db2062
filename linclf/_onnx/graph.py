"""A graph of ONNX operators that grows node by node."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from linclf._data.limits import is_integer
from linclf._types import FloatArray

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

LARGEST = 2**31  # limit of protobuf for the bytes of a file
OLDEST_OPSET = 18  # the first in which reductions have axes as inputs


def require_onnx() -> Any:
    try:
        import onnx
    except ImportError:
        raise ImportError('to_onnx needs onnx; use pip install "linclf[onnx]"') from None
    return onnx


class Graph:
    """The nodes so far. Strings name values; an array stands for a constant."""

    def __init__(self, dtype: np.dtype) -> None:
        self.onnx, self.dtype = require_onnx(), dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.outputs: list[Any] = []

    def __call__(self, operator: str, *inputs: str | NDArray[Any], **attributes: Any) -> str:
        """Add a node, and return its value."""
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(operator, names, [name], **attributes))
        return name

    def two(self, operator: str, *inputs: str | NDArray[Any], **attributes: Any) -> tuple[str, str]:
        """Add a node, and return its two values."""
        first = self(operator, *inputs, **attributes)
        self.nodes[-1].output.append(second := f"{first}_second")
        return first, second

    def constant(self, values: NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def number(self, value: float, dtype: np.dtype | type | None = None) -> NDArray[Any]:
        """A single number in the dtype of the graph."""
        return np.array(value, self.dtype if dtype is None else dtype)

    def cast(self, value: str, dtype: np.dtype | type) -> str:
        to = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self("Cast", value, to=to)

    def columns(self, value: str, index: NDArray[Any]) -> str:
        return self("Gather", value, np.asarray(index, np.int64), axis=1)

    def filled(self, like: str, number: NDArray[Any]) -> str:
        """A column (n, 1) filled with a number, with as many rows as a value."""
        n_rows = self("Slice", self("Shape", like), np.array([0]), np.array([1]))
        shape = self("Concat", n_rows, np.array([1]), axis=0)
        tensor = self.onnx.numpy_helper.from_array(number.reshape(1))
        return self("ConstantOfShape", shape, value=tensor)

    def publish(self, name: str, value: str, dtype: np.dtype, shape: list[int | str]) -> None:
        """Make a value an output with this name."""
        helper = self.onnx.helper
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(object) if dtype.kind in "UO" else dtype)
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def model(self, n_features: int, opset: int, producer: str) -> "ModelProto":
        onnx = self.onnx
        size = sum(constant.ByteSize() for constant in self.constants)
        if size >= LARGEST:
            raise ValueError(
                f"the weights take {size / 2**30:.1f} GiB, and an ONNX file holds 2; use dtype='float32', or "
                "fewer features"
            )
        kind = onnx.helper.np_dtype_to_tensor_dtype(self.dtype)
        rows = onnx.helper.make_tensor_value_info("X", kind, ["n_samples", n_features])
        graph: GraphProto = onnx.helper.make_graph(self.nodes, "linclf", [rows], self.outputs, self.constants)
        opsets = [onnx.helper.make_opsetid("", opset)]
        version = onnx.helper.find_min_ir_version_for(opsets)
        model = onnx.helper.make_model(
            graph, opset_imports=opsets, producer_name=producer, ir_version=version
        )
        onnx.checker.check_model(model)
        return model


def log_sigmoid(graph: Graph, value: str, dtype: np.dtype | type | None = None) -> str:
    """``log sigmoid(f) = min(f, 0) - log(1 + exp(-|f|))``."""
    zero, one = graph.number(0, dtype), graph.number(1, dtype)
    grown = graph("Add", graph("Exp", graph("Neg", graph("Abs", value))), one)
    return graph("Sub", graph("Min", value, zero), graph("Log", grown))


def two_columns(graph: Graph, value: str, dtype: np.dtype | type | None = None) -> str:
    """``[0, f]`` from the single score of two classes."""
    return graph("Concat", graph.filled(value, graph.number(0, dtype)), value, axis=1)


def row_max(graph: Graph, value: str) -> str:
    return graph("ReduceMax", value, np.array([1]), keepdims=1)


def row_sum(graph: Graph, value: str) -> str:
    return graph("ReduceSum", value, np.array([1]), keepdims=1)


def floats(values: FloatArray, dtype: np.dtype | type) -> NDArray[Any]:
    """Convert numbers to another dtype, which must hold them."""
    values = np.asarray(values)
    with np.errstate(over="ignore"):
        found = values.astype(dtype, copy=False)
    if not np.isfinite(found).all():
        raise ValueError(
            f"weights reach {np.abs(values).max():.1e} and overflow {np.dtype(dtype)}; use float64"
        )
    return found


def intercepts(values: FloatArray, dtype: np.dtype) -> NDArray[Any]:
    """The same for intercepts, with clipping: huge ones belong to classes that are never predicted."""
    limits = np.finfo(dtype)
    return np.clip(values, limits.min, limits.max).astype(dtype)


def check_opset(opset: Any) -> int:
    newest = require_onnx().defs.onnx_opset_version()
    if not (is_integer(opset) and OLDEST_OPSET <= opset <= newest):
        raise ValueError(
            f"target_opset={opset!r} must be an integer between {OLDEST_OPSET} and {newest}, the newest of "
            "the onnx that is installed"
        )
    return int(opset)
