"""linclf: linear classifiers with every loss, behind one scikit-learn API and one fast engine."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from linclf._version import __version__ as __version__

MODULES = (
    "calibration",
    "callbacks",
    "class_weights",
    "classifiers",
    "conformal",
    "decisions",
    "display",
    "embedding",
    "functional",
    "heads",
    "large",
    "losses",
    "metrics",
    "optimizers",
    "tuning",
)

if TYPE_CHECKING:
    from linclf._public import *  # noqa: F403
    from linclf._public import load as load
    from linclf._public import save as save
else:

    def __getattr__(name: str) -> Any:
        """Import on first use: it takes seconds, and `linclf --help` does not need it."""
        if name in MODULES:
            return import_module(f"linclf.{name}")
        # most programs need only a classifier
        room = "classifiers" if name.endswith("Classifier") else "_public"
        is_private = name.startswith("_") and name != "__all__"
        module = None if is_private else import_module(f"linclf.{room}")
        if not hasattr(module, name):
            raise AttributeError(f"module 'linclf' has no attribute {name!r}")
        return getattr(module, name)


def __dir__() -> list[str]:
    public = import_module("linclf._public")
    return sorted({"__version__", "load", "save", *public.__all__, *MODULES})
