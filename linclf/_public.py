"""The public names of `import linclf`."""

from linclf._compare.comparison import Comparison, compare
from linclf._files.archive import load as load
from linclf._files.archive import save as save
from linclf._onnx.export import to_onnx
from linclf._onnx.pipelines import register_onnx_converters
from linclf._sources.batches import Batches
from linclf.callbacks import EpochCallback
from linclf.class_weights import effective_number_weights
from linclf.classifiers import (
    EntmaxClassifier,
    FocalClassifier,
    LinearClassifier,
    MarginSoftmaxClassifier,
    SoftmaxClassifier,
    SparsemaxClassifier,
    SVMClassifier,
)
from linclf.embedding.estimator import LinearEmbedding
from linclf.tuning import LinearClassifierCV, SoftmaxClassifierCV, SVMClassifierCV, path

# without load and save: a star import would hide those of NumPy, PyTorch or joblib
__all__ = [
    "Batches",
    "Comparison",
    "EntmaxClassifier",
    "EpochCallback",
    "FocalClassifier",
    "LinearClassifier",
    "LinearClassifierCV",
    "LinearEmbedding",
    "MarginSoftmaxClassifier",
    "SVMClassifier",
    "SVMClassifierCV",
    "SoftmaxClassifier",
    "SoftmaxClassifierCV",
    "SparsemaxClassifier",
    "compare",
    "effective_number_weights",
    "path",
    "register_onnx_converters",
    "to_onnx",
]
