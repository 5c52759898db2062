"""The questions in the order of the page: one file each, or a folder if a question needs several files."""

import importlib

from benchmarks.question import Question

QUESTIONS = (
    "accuracy",
    "optimum",
    "sparse",
    "sparse_weights",
    "streams",
    "losses",
    "calibration",
    "prediction_sets",
    "many_classes",
    "labels",
    "defaults",
    "small_tables",
    "hinges",
    "kernel_rate",
    "pass_profile",
    "threads",
    "latency",
    "functional",
    "cold_start",
    "memory",
    "grid_search",
    "penalties",
    "beyond_memory",
)


def load(name: str) -> Question:
    """The question of this name; its module is imported only now, so that processes stay small."""
    return importlib.import_module(f"{__name__}.{name}").QUESTION
