"""docs/benchmarks.md and its pictures, from the JSON results, README.md and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks import ROOT, questions
from benchmarks.question import Mark, NotMeasured, Question, Result
from benchmarks.questions import QUESTIONS
from benchmarks.report.text import markdown_table

README = ROOT / "benchmarks" / "README.md"


def load(folder: Path) -> dict[str, Result]:
    """Question -> its result, for the questions that have one in the folder."""
    paths = [(name, folder / f"{name}.json") for name in QUESTIONS]
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths if path.is_file()}


def write(results: dict[str, Result], docs: Path) -> Path:
    """Write ``docs/benchmarks.md`` and ``docs/images/*.svg``; returns the path of the page."""
    (docs / "images").mkdir(parents=True, exist_ok=True)
    circumstances = list(dict.fromkeys(map(_circumstances, results.values())))
    same = len(circumstances) == 1  # if all questions were measured in one run, once is enough
    head, how_to_add = README.read_text(encoding="utf-8").rstrip().split("\n\n## ")
    parts = [head, "## Marks", *circumstances[:same], marks_table(results)]
    for name, result in results.items():
        question = questions.load(name)
        parts += [f"## {question.title}", question.asks or ""]
        parts += [] if same else [_circumstances(result)]
        parts += [*_generated_and_absent(result), question.table(result)]
        parts += _pictures(question, result, docs / "images")
    parts.append(f"## {how_to_add}")
    page = docs / "benchmarks.md"
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return page


def marks_table(results: dict[str, Result]) -> str:
    """Each mark with what was measured and whether it is met."""
    lines = []
    for name in QUESTIONS:
        for mark in questions.load(name).marks:
            measured, met = _judged(mark, results.get(name))
            lines.append([mark.work, mark.bar, measured, VERDICTS[met]])
    return markdown_table(["work", "mark", "measured here", "met"], lines)


VERDICTS = {True: "yes", False: "**no**", None: "not measured"}


def _judged(mark: Mark, result: Result | None) -> tuple[str, bool | None]:
    """What was measured, and whether the mark is met."""
    if result is None:
        return "no result", None
    if result["quick"]:
        return "only a quick run on small data", None
    try:
        return mark.judge(result)
    except NotMeasured as reason:
        return str(reason), None


def _circumstances(result: Result) -> str:
    machine, versions = result["machine"], result["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    quick = " **A quick run on small data.**" if result["quick"] else ""
    where = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
    return f"{result['date']}, {where}; {listed}.{quick}"


def _generated_and_absent(result: Result) -> Iterator[str]:
    """What a reader must know before the table: which data are generated, which packages are absent."""
    generated = [data["name"] for data in result["data"] if data["source"] == "generated"]
    absent = result.get("absent", {})
    if generated:
        yield f"Generated data: {'; '.join(generated)}."
    if absent:
        yield "Absent: " + "; ".join(f"{name} ({why})" for name, why in absent.items()) + "."


def _pictures(question: Question, result: Result, folder: Path) -> list[str]:
    pictures = question.pictures(result)
    if not pictures:
        return []
    try:
        from benchmarks.report import drawing
    except ImportError as fault:
        return [f"(No pictures: {fault}.)"]
    links = []
    for name, picture in pictures.items():
        drawing.save(picture, folder / f"{name}.svg")
        links.append(f"![{picture.title}](images/{name}.svg)")
    return links
