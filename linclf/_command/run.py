"""The commands fit, predict and evaluate: from options to files and lines."""

import json
import sys
from argparse import Namespace
from pathlib import Path

from linclf._command.evaluating import evaluate_file
from linclf._command.page import model_page
from linclf._command.predicting import OUTPUTS, Wanted, predict_file
from linclf._command.saving import check_writable
from linclf._command.training import Asked, train_file
from linclf._compare.pictures import require_matplotlib
from linclf._files.archive import load, save
from linclf.losses import LOSSES


def fit(options: Namespace) -> None:
    """Fit a model to a file, save it, and print a summary."""
    check_writable("--output", options.output)
    check_writable("--report", options.report)
    if options.report is not None:
        require_matplotlib()
    if options.model not in LOSSES:
        raise ValueError(f"--model {options.model!r} is no loss; the losses are {', '.join(LOSSES)}")
    trained = train_file(
        Asked(
            path=options.file,
            target=options.target,
            loss=options.model,
            alpha=_alpha(options.alpha),
            class_weight=options.class_weight,
            validation=options.validation,
            memory=options.memory,
            columns=options.columns,
            decimal=options.decimal,
            random_state=options.random_state,
            n_jobs=options.n_jobs,
        )
    )
    save(trained.model, options.output)
    print(*trained.lines, sep="\n")
    for text in trained.warnings:
        print("linclf: warning:", " ".join(text.split()), file=sys.stderr)
    if trained.judged is not None:
        print("on the validation rows:", *trained.judged.lines(), sep="\n")
    print(f"model: {options.output}, {Path(options.output).stat().st_size / 1e6:.2f} MB")
    if options.report is not None:
        title = f"linclf fit: {Path(options.file).name}"
        page = model_page(title, trained.lines, trained.judged, trained.objective, trained.warnings)
        Path(options.report).write_text(page, encoding="utf-8")
        print(f"report: {options.report}")


def _alpha(text: str) -> float | str:
    if text == "auto":
        return text
    try:
        alpha = float(text)
    except ValueError:
        alpha = -1.0
    if not 0.0 <= alpha < float("inf"):
        raise ValueError(f"--alpha {text!r} must be auto, or a number that is 0 or more")
    return alpha


def predict(options: Namespace) -> None:
    """Write predictions."""
    check_writable("--output", options.output, OUTPUTS)
    model = load(options.model)
    done = predict_file(
        model,
        options.file,
        options.output,
        Wanted(options.proba, options.top_k),
        options.columns,
        options.decimal,
    )
    print(done, file=sys.stderr if options.output is None else sys.stdout)


def evaluate(options: Namespace) -> None:
    """Measure a model, and print the measures."""
    check_writable("--json", options.json)
    check_writable("--report", options.report)
    if options.report is not None:
        require_matplotlib()
    model = load(options.model)
    found = evaluate_file(
        model, options.file, options.target, options.memory, options.columns, options.decimal
    )
    print(*found.lines, *found.judged.lines(), sep="\n")
    if options.json is not None:
        facts = found.judged.facts() | {"model": options.model, "data": options.file}
        Path(options.json).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    if options.report is not None:
        title = f"linclf evaluate: {Path(options.model).name} on {Path(options.file).name}"
        page = model_page(title, found.lines, found.judged, [], [])
        Path(options.report).write_text(page, encoding="utf-8")
        print(f"report: {options.report}")
