"""docs/benchmarks.md and its pictures, made only from the JSON results and README.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import ROOT, questions
from benchmarks.measure.processor import NAMES
from benchmarks.question import Mark, NotMeasured, Question, Result
from benchmarks.questions import QUESTIONS
from benchmarks.report.text import markdown_table

README = ROOT / "benchmarks" / "README.md"


Results = dict[str, dict[str, Result]]  # question -> instructions of the processor -> result


def load(folder: Path) -> Results:
    """The results in the subfolders of a folder, one for each kind of processor, in the order of the page."""
    kinds = sorted(path.name for path in folder.iterdir() if path.is_dir())
    kinds = [kind for kind in NAMES if kind in kinds] + [kind for kind in kinds if kind not in NAMES]
    results: Results = {}
    for name in QUESTIONS:
        paths = {kind: folder / kind / f"{name}.json" for kind in kinds}
        found = {kind: path.read_text(encoding="utf-8") for kind, path in paths.items() if path.is_file()}
        if found:
            results[name] = {kind: json.loads(text) for kind, text in found.items()}
    return results


def write(results: Results, docs: Path) -> Path:
    """Write ``docs/benchmarks.md`` and ``docs/images/*.svg``; returns the path of the page."""
    (docs / "images").mkdir(parents=True, exist_ok=True)
    head, how_to_add = README.read_text(encoding="utf-8").rstrip().split("\n\n## ")
    parts = [head, "## Marks", marks_table(results)]
    for name, by_kind in results.items():
        question = questions.load(name)
        parts += [f"## {question.title}", question.asks or ""]
        for kind, result in by_kind.items():
            parts += [f"### {_title(kind)}"] if len(by_kind) > 1 else []
            parts += [_circumstances(kind, result), *_generated_and_absent(result), question.table(result)]
            suffix = "" if kind == next(iter(by_kind)) else f"_{kind}"
            parts += _pictures(question, result, docs / "images", suffix)
    parts.append(f"## {how_to_add}")
    page = docs / "benchmarks.md"
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return page


def marks_table(results: Results) -> str:
    """Each mark with the measurement on each kind of processor, and whether it is met there."""
    kinds = list(dict.fromkeys(kind for by_kind in results.values() for kind in by_kind))
    kinds.sort(key=[*NAMES, *kinds].index)
    lines = []
    for name in QUESTIONS:
        for mark in questions.load(name).marks:
            judged = [_judged(mark, results.get(name, {}).get(kind)) for kind in kinds]
            cells = [cell for measured, met in judged for cell in (measured, VERDICTS[met])]
            lines.append([mark.work, mark.bar, *cells])
    heads = [cell for kind in kinds for cell in (f"measured with {_title(kind)}", "met")]
    return markdown_table(["work", "mark", *heads], lines)


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


def _title(kind: str) -> str:
    return NAMES.get(kind, kind)


def _circumstances(kind: str, result: Result) -> str:
    machine, versions = result["machine"], result["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    quick = " **A quick run on small data.**" if result["quick"] else ""
    where = f"{machine['processor']} with {_title(kind)}, {machine['cores']} cores, {machine['system']}"
    if "emulated" in machine:
        switches = " ".join(f"{name}={value}" for name, value in machine["emulated"].items() if value)
        where += f"; a machine with {_title(machine['has'])}, restricted to {_title(kind)} by `{switches}`"
    limits = f"; {_limits(machine['limits'])}" if "limits" in machine else ""
    return f"{result['date']}, {where}{limits}; {listed}.{quick}"


def _limits(limits: dict[str, Any]) -> str:
    """The limits of the machine, measured in the run of the result."""

    def of_threads(name: str) -> str:
        return " / ".join(f"{value:.0f}" for value in limits[name].values())

    return (
        f"on one / two threads sgemm {of_threads('sgemm_gflops')} and dgemm {of_threads('dgemm_gflops')} "
        f"GFLOP/s, reading {of_threads('read_gb_s')} GB/s; rows of 3 KB in random order "
        f"{limits['random_rows_gb_s']:.1f} GB/s, a random load {limits['load_ns']:.0f} ns"
    )


def _generated_and_absent(result: Result) -> Iterator[str]:
    """Notes before the table: which data are generated, and which packages are absent."""
    generated = [data["name"] for data in result["data"] if data["source"] == "generated"]
    absent = result.get("absent", {})
    if generated:
        yield f"Generated data: {'; '.join(generated)}."
    if absent:
        yield "Absent: " + "; ".join(f"{name} ({why})" for name, why in absent.items()) + "."


def _pictures(question: Question, result: Result, folder: Path, suffix: str) -> list[str]:
    pictures = question.pictures(result)
    if not pictures:
        return []
    try:
        from benchmarks.report import drawing
    except ImportError as fault:
        return [f"(No pictures: {fault}.)"]
    links = []
    for name, picture in pictures.items():
        drawing.save(picture, folder / f"{name}{suffix}.svg")
        links.append(f"![{picture.title}](images/{name}{suffix}.svg)")
    return links
