"""``python -m benchmarks``: measure, write JSON, and make docs/benchmarks.md from it."""

import argparse
import datetime
import importlib
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import QUESTIONS, _measure, _report

ROOT = Path(__file__).absolute().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def main(arguments=None):
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
    page = _report.write(_report.load(folder), ROOT / "docs" if committed else folder)
    print(page)


def measure(name, quick):
    """The result of one question: its measurements, and all that is needed to judge them."""
    started = time.perf_counter()
    body = importlib.import_module(f"benchmarks.{name}").run(quick)
    return {
        "question": name,
        "date": datetime.date.today().isoformat(),
        "quick": quick,
        "seconds": time.perf_counter() - started,
        "machine": _measure.machine(),
        "versions": _measure.versions(),
        **body,
    }


def _options(arguments):
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
