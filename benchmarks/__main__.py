"""``python -m benchmarks``: measure, write JSON, and make docs/benchmarks.md from it."""

import argparse
import datetime
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import ROOT, questions
from benchmarks.measure import machine
from benchmarks.question import Result
from benchmarks.questions import QUESTIONS
from benchmarks.report import page

RESULTS = ROOT / "benchmarks" / "results"


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    folder = options.out or (
        Path(tempfile.mkdtemp(prefix="linclf-benchmarks-")) if options.quick else RESULTS
    )
    committed = folder.resolve() == RESULTS.resolve()
    if options.quick and committed:
        sys.exit("--quick does not write into the committed results; choose another folder with --out")
    if not options.report:
        folder.mkdir(parents=True, exist_ok=True)
        for name in options.only or QUESTIONS:
            print(f"{name} ...", file=sys.stderr, flush=True)
            result = measure(name, options.quick)
            text = json.dumps(result, indent=1, ensure_ascii=False)
            (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
            print(f"{name}: {result['seconds']:.0f} s, {folder / name}.json", file=sys.stderr, flush=True)
    print(page.write(page.load(folder), ROOT / "docs" if committed else folder))


def measure(name: str, quick: bool) -> Result:
    """The result of one question: its measurements, and what a reader needs to judge them."""
    started = time.perf_counter()
    measurements = questions.load(name).run(quick)
    return {
        "question": name,
        "date": datetime.date.today().isoformat(),
        "quick": quick,
        "seconds": time.perf_counter() - started,
        "machine": machine.machine(),
        "versions": machine.versions(),
        **measurements,
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small generated and bundled data, a few minutes"
    )
    parser.add_argument(
        "--only", action="append", choices=QUESTIONS, metavar="NAME", help=", ".join(QUESTIONS)
    )
    parser.add_argument("--report", action="store_true", help="measure nothing, write the page and pictures")
    parser.add_argument("--out", type=Path, help="folder of the JSON results (and of the page, if not ours)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
