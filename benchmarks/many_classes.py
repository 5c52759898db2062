"""What do many classes cost, and what is lost by those methods that do not score them all?"""

from benchmarks import _many_low_rank, _many_memory, _many_oewn, _many_tables, _many_zipf
from benchmarks._many_oewn import FULL, SAMPLED, TORCH
from benchmarks._many_zipf import ADAPTIVE
from benchmarks._marks import Mark, fewer, found, row_of
from benchmarks._measure import CORES

TITLE = "Many classes"
LIMIT = 200e6  # bytes


def run(quick):
    facts, rows = [], []
    for part in (_many_oewn, _many_zipf, _many_memory, _many_low_rank):
        of_part = part.run(quick)
        facts += of_part[0]
        rows += of_part[1]
    settings = {
        "threads": CORES,
        "alpha": _many_oewn.ALPHA,
        "alpha_low_rank": _many_low_rank.ALPHA,
        "torch_step": _many_oewn.TORCH_STEP,
        "random_state": 0,
    }
    return {"data": facts, "settings": settings, "rows": rows}


table, pictures = _many_tables.tables, _many_tables.pictures


def _beside_torch(result):
    ours, theirs = (row_of(result, part="methods", method=name) for name in (FULL, TORCH))
    nats = found(ours["log_loss"], "a finite log loss")
    said = (
        f"{ours['top1']:.4f} and {nats:.3f} in {ours['seconds']:.1f} s, "
        f"{fewer(ours['seconds'], theirs['seconds'])} of torch's {theirs['seconds']:.0f} s "
        f"({theirs['top1']:.4f} and {theirs['log_loss']:.3f})"
    )
    return said, ours["top1"] >= 0.51 and nats <= 2.65 and 3 * ours["seconds"] <= theirs["seconds"]


def _rate(result):
    row = row_of(result, part="rate")
    said = f"{row['share']:.0%} ({row['gflops']:.0f} of {row['sgemm_gflops']:.0f} GFLOP/s)"
    return said, row["share"] >= 0.6


def _sampled(result):
    full, sampled = (row_of(result, part="methods", method=name) for name in (FULL, SAMPLED))
    share = fewer(sampled["seconds"], full["seconds"])
    said = f"{sampled['top1']:.4f} in {sampled['seconds']:.1f} s, {share} of the full softmax's time"
    return said, sampled["top1"] >= 0.45 and 2 * sampled["seconds"] <= full["seconds"]


def _top10(result):
    row = row_of(result, part="top 10")
    said = f"{row['seconds_topk']:.2f} s against {row['seconds_product']:.2f} s ({row['ratio']:.2f} times)"
    return said, row["ratio"] <= 1.3


def _adaptive(result):
    said, verdicts = [], []
    for drawn in (300_000, 100_000):  # the first is judged
        case = {"part": "perplexity", "classes": 50_000, "drawn": drawn}
        full, ours = (row_of(result, **case, method=name) for name in (FULL, ADAPTIVE))
        worse = found(ours["perplexity"], "a finite perplexity") / full["perplexity"] - 1
        times = full["seconds"] / ours["seconds"]
        said.append(
            f"{times:.1f} times as fast, {ours['perplexity']:.0f} against {full['perplexity']:.0f} "
            f"({worse:+.1%}) with {drawn:,}"
        )
        verdicts.append(times >= 2.5 and worse <= 0.03)
    return "; ".join(said), verdicts[0]


def _memory(result):
    row = row_of(result, part="memory", method="predict")
    return f"{row['growth_bytes'] / 1e6:.0f} MB", row["growth_bytes"] <= LIMIT


MARKS = [
    Mark(
        "OEWN, 12,369 classes, `SoftmaxClassifier(alpha=1e-8, max_iter=2)`",
        "test accuracy at least .51 and log loss at most 2.65 in 1/3 of torch's time for 5 epochs of Adam",
        _beside_torch,
    ),
    Mark("OEWN, one epoch of the full softmax", "60 % of two cores' sgemm rate", _rate),
    Mark(
        "OEWN, `SampledSoftmaxClassifier(max_iter=2)`",
        "test accuracy at least .45 in 1/2 of the full softmax's time",
        _sampled,
    ),
    Mark("OEWN, `predict_topk(X, 10)`, 9,624 rows", "at most 1.3 times `X @ W.T + b`", _top10),
    Mark(
        "Zipf, 300,000 rows of 50,000 classes, `AdaptiveSoftmaxClassifier`",
        "2.5 times as fast as the full softmax, perplexity of held-out rows at most 3 % worse",
        _adaptive,
    ),
    Mark("`predict`, 1,000,000 x 128, 800 classes", "at most 200 MB above X", _memory),
]
