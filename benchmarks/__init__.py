"""Measurements beside other packages: one file a question, ``python -m benchmarks`` for all of them."""

QUESTIONS = (
    "accuracy",
    "optimum",
    "sparse",
    "losses",
    "calibration",
    "many_classes",
    "defaults",
    "kernel_rate",
    "threads",
    "latency",
    "functional",
    "cold_start",
    "memory",
    "grid_search",
)
