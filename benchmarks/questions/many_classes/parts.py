"""The parts of the question, one after the other."""

from benchmarks.measure.machine import CORES
from benchmarks.question import Measurements
from benchmarks.questions.many_classes import embeddings, low_rank, memory, zipf
from benchmarks.questions.many_classes.fitting import ALPHA


def run(quick: bool) -> Measurements:
    facts, rows = [], []
    for part in (embeddings, zipf, memory, low_rank):
        of_part = part.run(quick)
        facts += of_part[0]
        rows += of_part[1]
    settings = {
        "threads": CORES,
        "alpha": ALPHA,
        "alpha_low_rank": low_rank.ALPHA,
        "torch_step": embeddings.TORCH_STEP,
        "random_state": 0,
    }
    return {"data": facts, "settings": settings, "rows": rows}
