"""``python -m benchmarks``: measure, write JSON, and make docs/benchmarks.md from it."""

import argparse
import datetime
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import ROOT, questions
from benchmarks.measure import machine, processor
from benchmarks.measure.limits import limits
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
        _use(options.processor)
        for name in options.only or QUESTIONS:
            print(f"{name} ...", file=sys.stderr, flush=True)
            path = write(measure(name, options.quick), folder)
            print(f"{name}: {path}", file=sys.stderr, flush=True)
    print(page.write(page.load(folder), ROOT / "docs" if committed else folder))


def _use(wanted: str) -> None:
    """Continue with the instructions of this processor, in a new process if this one uses others."""
    try:
        environment = processor.environment_for(wanted)
    except (ValueError, processor.Mixed) as fault:
        sys.exit(f"--processor {wanted}: {fault}")
    if environment is not None:
        command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | environment)


def measure(name: str, quick: bool) -> Result:
    """The result of one question: its measurements, and the facts needed to judge them."""
    started = time.perf_counter()
    measurements = questions.load(name).run(quick)
    return {
        "question": name,
        "date": datetime.date.today().isoformat(),
        "quick": quick,
        "seconds": time.perf_counter() - started,
        "machine": machine.machine() | {"limits": limits()},
        "versions": machine.versions(),
        **measurements,
    }


def write(result: Result, folder: Path) -> Path:
    """Write a result into the folder of the instructions that it was measured with."""
    path = folder / result["machine"]["instructions"] / f"{result['question']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small generated and bundled data, a few minutes"
    )
    parser.add_argument(
        "--only", action="append", choices=QUESTIONS, metavar="NAME", help=", ".join(QUESTIONS)
    )
    parser.add_argument(
        "--processor",
        choices=["native", *processor.NAMES],
        default="native",
        help="instructions to use: all that the machine has, or avx2 on a machine that has AVX-512",
    )
    parser.add_argument("--report", action="store_true", help="measure nothing, write the page and pictures")
    parser.add_argument("--out", type=Path, help="folder of the JSON results (and of the page, if not ours)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
