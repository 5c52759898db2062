"""Targets for many classes."""

from benchmarks.question import Mark, Result, require, row_of
from benchmarks.questions.many_classes.embeddings import TORCH
from benchmarks.questions.many_classes.fitting import ADAPTIVE, FULL, SAMPLED
from benchmarks.report.text import fraction

LIMIT = 200e6  # bytes


def _beside_torch(result: Result) -> tuple[str, bool]:
    ours, theirs = (row_of(result, part="methods", method=name) for name in (FULL, TORCH))
    nats = require(ours["log_loss"], "a finite log loss")
    said = (
        f"{ours['top1']:.4f} and {nats:.3f} in {ours['seconds']:.1f} s, "
        f"{fraction(ours['seconds'], theirs['seconds'])} of torch's {theirs['seconds']:.0f} s "
        f"({theirs['top1']:.4f} and {theirs['log_loss']:.3f})"
    )
    return said, ours["top1"] >= 0.51 and nats <= 2.65 and 3 * ours["seconds"] <= theirs["seconds"]


def _rate(result: Result) -> tuple[str, bool]:
    row = row_of(result, part="rate")
    said = f"{row['share']:.0%} ({row['gflops']:.0f} of {row['sgemm_gflops']:.0f} GFLOP/s)"
    return said, row["share"] >= 0.6


def _sampled(result: Result) -> tuple[str, bool]:
    full, sampled = (row_of(result, part="methods", method=name) for name in (FULL, SAMPLED))
    share = fraction(sampled["seconds"], full["seconds"])
    said = f"{sampled['top1']:.4f} in {sampled['seconds']:.1f} s, {share} of the full softmax's time"
    return said, sampled["top1"] >= 0.45 and 2 * sampled["seconds"] <= full["seconds"]


def _top10(result: Result) -> tuple[str, bool]:
    row = row_of(result, part="top 10")
    said = f"{row['seconds_topk']:.2f} s against {row['seconds_product']:.2f} s ({row['ratio']:.2f} times)"
    return said, row["ratio"] <= 1.3


def _adaptive(result: Result) -> tuple[str, bool]:
    said, verdicts = [], []
    for drawn in (300_000, 100_000):  # the first is judged
        case = {"part": "perplexity", "classes": 50_000, "drawn": drawn}
        full, ours = (row_of(result, **case, method=name) for name in (FULL, ADAPTIVE))
        worse = require(ours["perplexity"], "a finite perplexity") / full["perplexity"] - 1
        times = full["seconds"] / ours["seconds"]
        said.append(
            f"{times:.1f} times as fast, {ours['perplexity']:.0f} against {full['perplexity']:.0f} "
            f"({worse:+.1%}) with {drawn:,}"
        )
        verdicts.append(times >= 2.5 and worse <= 0.03)
    return "; ".join(said), verdicts[0]


def _memory(result: Result) -> tuple[str, bool]:
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
