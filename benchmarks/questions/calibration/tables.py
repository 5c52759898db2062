"""Tables of calibrations, and the sentences under them: computed from the result."""

from typing import Any

from benchmarks.measure.scores import CLEAR
from benchmarks.question import Result, Row
from benchmarks.questions.calibration.methods import MEASURES, NOTHING
from benchmarks.report.text import markdown_table, number, shortened

DIGITS = {"ece": 2, "classwise_ece": 3}  # else 4


def table(result: Result) -> str:
    """How it was measured, a count of what each method improves, then each data set."""
    parts = [_said(result["settings"]), _counts(result["rows"])]
    later = {(row["scores"], row["later"]) for row in result["rows"] if "later" in row}
    parts += [f"The rows of {scores} were measured later: {when}." for scores, when in sorted(later)]
    for data in result["data"]:
        rows = [row for row in result["rows"] if row["data"] == data["name"]]
        parts += [
            f"### {data['name']}\n\n{_facts(data)}",
            _table(rows),
            _hurts(rows),
        ]
        parts += [
            f"{row['scores']}, {row['method']}, warns: {shortened(row['warnings'])}."
            for row in rows
            if row.get("warnings")
        ]
    return "\n\n".join(parts)


def _said(settings: dict[str, Any]) -> str:
    set_too = "" if settings["max_iter"] == "auto" else f" with max_iter={settings['max_iter']}"
    return (
        "Outputs of networks: half of the rows fit the calibrator and half test it, in "
        f"{settings['splits']} random splits. Classifiers of linclf{set_too}: trained on four fifths of the "
        "training rows with the last fifth as `X_val`, which stops the training and fits `calibration`; "
        "tested on the test rows. All other settings are the defaults.\n\n"
        f"± is the standard deviation over the splits, or for classifiers over {settings['resamples']} "
        "random weightings of the test rows. The best of each group is bold. Calibration errors have 15 bins "
        "of equal width. Log loss is not clipped: it is infinite if a true class has probability 0, and the "
        "share of such rows is given with it. A difference from doing nothing is called clear if it is "
        f"at least {CLEAR} times its standard deviation, taken over the differences in each split or "
        "weighting. If doing nothing gives no probabilities or an infinite log loss, nothing is compared."
    )


def _counts(rows: list[Row]) -> str:
    """In how many groups each method makes a score clearly better, and in how many clearly worse."""
    lines = []
    for method in dict.fromkeys(row["method"] for row in rows if row["method"] != NOTHING):
        compared = {
            name: [row[name] for row in rows if row["method"] == method and "gain" in row.get(name, {})]
            for name in MEASURES
        }
        cells = []
        for found in compared.values():
            better, worse = (sum(_is_clear(sign, score) for score in found) for sign in (1, -1))
            cells.append(f"{better} / {worse} of {len(found)}")
        lines.append([method, *cells])
    head = ["clearly better / worse than doing nothing", *(measure.title for measure in MEASURES.values())]
    return markdown_table(head, lines)


def _is_clear(sign: int, score: dict[str, float]) -> bool:
    return sign * score["gain"] > 0 and abs(score["gain"]) >= CLEAR * score["gain_std"]


def _facts(data: dict[str, Any]) -> str:
    if "validation_rows" in data:
        return (
            f"{data['rows']:,} training, {data['validation_rows']:,} validation and {data['test_rows']:,} "
            f"test rows, {data['classes']} classes."
        )
    return f"{data['rows']:,} rows, {data['classes']} classes."


def _table(rows: list[Row]) -> str:
    groups = list(dict.fromkeys(row["scores"] for row in rows))
    lines = []
    for group in groups:
        members = [row for row in rows if row["scores"] == group]
        best = {name: _best(members, name, measure.better) for name, measure in MEASURES.items()}
        for row in members:
            named = [group, row["method"]] if len(groups) > 1 else [row["method"]]
            if "absent" in row:
                lines.append([*named, f"absent: {row['absent']}", *[""] * (len(MEASURES) - 1)])
                continue
            lines.append([*named, *(_cell(row, name, best[name]) for name in MEASURES)])
    head = ["classifier", "calibration"] if len(groups) > 1 else ["calibration"]
    return markdown_table([*head, *(measure.title for measure in MEASURES.values())], lines)


def _best(rows: list[Row], name: str, better: int) -> float | None:
    values = [row[name]["value"] for row in rows if row.get(name, {}).get("value") is not None]
    return max(values, key=lambda value: better * value, default=None)


def _cell(row: Row, name: str, best: float | None) -> str:
    score = row.get(name)
    if score is None:
        return "-"
    if score["value"] is None:
        return f"∞ ({row['impossible']:.2%})" if row.get("impossible") else "∞"
    digits = DIGITS.get(name, 4)
    text = f"{score['value']:.{digits}f} ± {score['std']:.{digits}f}"
    return f"**{text}**" if score["value"] == best else text


def _hurts(rows: list[Row]) -> str:
    """Which methods are worse than doing nothing, by how much, and whether clearly."""
    several = len({row["scores"] for row in rows}) > 1
    found = {True: [], False: []}
    for row in rows:
        for name, measure in MEASURES.items():
            score = row.get(name, {})
            if row["method"] == NOTHING or score.get("gain", 0) >= 0:
                continue
            where = f"{row['scores']}, {row['method']}" if several else row["method"]
            by = f"{measure.title.removesuffix(', %')} by {number(-score['gain'])}"
            unit = " points" if measure.title.endswith("%") else ""
            found[_is_clear(-1, score)].append(f"{where}: {by}{unit}")
    none = [
        row["scores"] for row in rows if row["method"] == NOTHING and not {"log_loss", "absent"} & set(row)
    ]
    sentences = [
        f"Clearly worse than doing nothing: {'; '.join(found[True]) or 'none'}.",
        f"Worse, not clearly: {'; '.join(found[False]) or 'none'}.",
    ]
    if none:
        sentences.append(f"Without calibration {' and '.join(none)} have no probabilities.")
    return " ".join(sentences)
