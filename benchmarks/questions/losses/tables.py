"""Tables of the losses and the sentences under them, computed from the result, whichever loss wins."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.measure.scores import CLEAR, DOUBTS, SCORES
from benchmarks.question import Result, Row
from benchmarks.questions.losses.models import REFERENCE
from benchmarks.report.text import markdown_table, number, shortened

Column = tuple[str, str]  # "default" or "chosen", and the name of a score

PARTS = {"default": "default alpha", "chosen": "chosen alpha"}
UNRANKED = ("impossible",)  # shown with log loss


def table(result: Result) -> str:
    """How it was measured, a summary, then each data set with who won."""
    parts, summary = [], []
    for data in result["data"]:
        rows = [row for row in result["rows"] if row["data"] == data["name"]]
        parts.append(f"### {data['name']}\n\n{_facts(data)}")
        for columns in _column_groups(rows, result["settings"]["alpha"]):
            verdicts = [_verdict(rows, contest) for contest in _contests(columns)]
            sentences = [f"- {verdict.sentence()}" for verdict in verdicts if verdict]
            parts += [_table(rows, columns), "\n".join(sentences)]
            summary += [(data["name"], verdict) for verdict in verdicts if verdict]
        parts += [
            f"{row['model']} warns: {shortened(row['warnings'])}." for row in rows if row.get("warnings")
        ]
    return "\n\n".join([_said(result["settings"]), _summary(summary), *parts])


def _said(settings: dict[str, Any]) -> str:
    set_too = "" if settings["max_iter"] == "auto" else f" and max_iter={settings['max_iter']}"
    return (
        f"All settings except alpha{set_too} are the defaults. Scores are given with the default alpha, "
        f"{settings['alpha']:g}, and with one chosen by the first score of the table on a held-out fifth of "
        "the training rows (of each split; with the wrong labels): from the default by factors of 10 as "
        f"long as that gains more than {settings['better']:g}. The length of the weights does not change a "
        "cosine, so losses on cosines keep the default. For two classes the three forms of a hinge are the "
        "same, and are shown once. Tables are scaled to variance 1, which the cosines need.\n\n"
        "Average precision is the mean over the classes, ranked by probabilities; for two classes, and for "
        "losses without probabilities, by scores. Log loss is not clipped: it is infinite if a true class "
        "has probability 0, and the share of such rows is given with it.\n\n"
        f"± is the standard deviation over {settings['splits']} splits of a table, or else over "
        f"{settings['resamples']} random weightings of the test rows. A difference from {REFERENCE} is "
        f"called clear if it is at least {CLEAR} times its standard deviation, taken over the "
        "differences in each split or weighting. The best model is picked on the test rows, "
        "which favours it: of this many equal models, one would look better by about 2 std."
    )


def _facts(data: dict[str, Any]) -> str:
    splits = f"; {data['splits']} splits" if data["splits"] > 1 else ""
    return (
        f"{data['rows']:,} training and {data['test_rows']:,} test rows, {data['features']:,} features, "
        f"{data['classes']} classes, the rarest with {data['rarest']:,} training rows{splits}."
    )


def _summary(verdicts: list[tuple[str, "Verdict"]]) -> str:
    won = [verdict for _, verdict in verdicts if verdict.rival and verdict.clear]
    head = ["data", "score", "best", "its value", "compared with", "its value", "behind by"]
    lines = [[name, v.score, v.first, v.first_value, v.second, v.second_value, v.gap] for name, v in verdicts]
    lost = [verdict for _, verdict in verdicts if not verdict.rival]
    said = (
        f"In {len(won)} of {len(verdicts)} comparisons another loss or variant is clearly better than "
        f"{REFERENCE}; {REFERENCE} itself is best in {len(lost)}."
    )
    return said + "\n\n" + markdown_table(head, lines)


def _column_groups(rows: list[Row], default_alpha: float) -> list[list[Column]]:
    """The columns of each table: scores on the classes, then scores of doubt on rows of no class."""
    measured = [row for row in rows if "absent" not in row]
    present = [name for name in SCORES if any(name in row["chosen"] for row in measured)]
    is_chosen = any(set(row["alphas"]) != {default_alpha} for row in measured)
    parts = tuple(PARTS) if is_chosen else ("default",)
    groups = [
        [(part, name) for name in present if name not in (*DOUBTS, *UNRANKED) for part in parts],
        [("chosen", name) for name in present if name in DOUBTS],
    ]
    return [columns for columns in groups if columns]


def _contests(columns: list[Column]) -> list[list[Column]]:
    """Groups of columns to compare: all scores of doubt together, every other score alone."""
    if columns[0][1] in DOUBTS:
        return [columns]
    return [[column] for column in columns if SCORES[column[1]].better]


def _table(rows: list[Row], columns: list[Column]) -> str:
    both = len({part for part, _ in columns}) > 1
    head = [SCORES[name].title + (f", {PARTS[part]}" if both else "") for part, name in columns]
    best = {column: entries[0].value for column in columns if (entries := _ranked(rows, [column]))}
    lines = []
    for row in rows:
        if "absent" in row:
            lines.append([row["model"], f"absent: {row['absent']}", *[""] * len(columns)])
            continue
        cells = [_cell(row[part], name, best.get((part, name))) for part, name in columns]
        lines.append([row["model"], _alphas(row["alphas"]), *cells])
    return markdown_table(["loss", "chosen alpha", *head], lines)


def _alphas(alphas: list[float]) -> str:
    """The chosen alphas of all splits, the most frequent first."""
    return ", ".join(f"{alpha:g}" for alpha in sorted(set(alphas), key=lambda a: (-alphas.count(a), a)))


def _cell(scores: dict[str, Any], name: str, best: float | None) -> str:
    score = scores.get(name)
    if score is None:
        return "-"
    if score["value"] is None:
        return f"∞ ({scores['impossible']['value']:.2%})"
    if not SCORES[name].better:
        return number(score["value"])
    text = f"{score['value']:.4f} ± {score['std']:.4f}"
    return f"**{text}**" if score["value"] == best else text


class Entry(NamedTuple):
    """A finite score of one model."""

    model: str
    name: str
    value: float
    gain: float | None
    gain_std: float | None


def _ranked(rows: list[Row], columns: Sequence[Column]) -> list[Entry]:
    """Entries of columns that share a direction, best first; empty if neither direction is better."""
    better = SCORES[columns[0][1]].better
    found = []
    for row in rows if better else []:
        for part, name in columns:
            score = {} if "absent" in row else row[part].get(name, {})
            if score.get("value") is not None:
                found.append(
                    Entry(row["model"], name, score["value"], score.get("gain"), score.get("gain_std"))
                )
    return sorted(found, key=lambda entry: -better * entry.value)


class Verdict(NamedTuple):
    """The best model, and its lead over the reference, or over the next if the reference is best."""

    score: str
    first: str
    first_value: str
    second: str
    second_value: str
    gap: str
    rival: bool  # whether a loss or variant other than the reference is best
    clear: bool

    def sentence(self) -> str:
        return (
            f"{self.score}: {self.first} is best with {self.first_value}; {self.second} has "
            f"{self.second_value}, behind by {self.gap}."
        )


def _verdict(rows: list[Row], columns: list[Column]) -> Verdict | None:
    """The verdict on some columns together, or None if there is nothing to compare."""
    ranked = _ranked(rows, columns)
    together = len(columns) > 1
    named = SCORES[columns[0][1]].beside or columns[0][1]
    base = next((entry for entry in ranked if (entry.model, entry.name) == (REFERENCE, named)), None)
    others = [entry for entry in ranked if entry.gain]  # neither the reference nor the same as it
    if base is None or not others:
        return None
    first, second = (others[0], base) if others[0].gain > 0 else (base, others[0])
    gap, std = abs(others[0].gain), others[0].gain_std
    clear = gap >= CLEAR * std
    times = f"{gap / std:.1f} std" if std else "in each repeat"
    part, name = columns[0]
    return Verdict(
        "AUROC of doubt" if together else f"{SCORES[name].title}, {PARTS[part]}",
        *(_named(first, together), f"{first.value:.4f}", _named(second, together), f"{second.value:.4f}"),
        f"{number(gap)} ({times}, {'clear' if clear else 'not clear'})",
        first is not base,
        clear,
    )


def _named(entry: Entry, together: bool) -> str:
    return entry.model + f" by {SCORES[entry.name].title.removeprefix('AUROC of ')}" * together
