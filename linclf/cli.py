"""The ``linclf`` command."""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from linclf._version import __version__


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"linclf: error: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code: 0, 2 after an error, 130 after Ctrl-C.

    Examples
    --------
    >>> from linclf.cli import main
    >>> main(["compare", "missing.csv"])
    2
    """
    options = _parser().parse_args(argv)
    options.command_line = shlex.join(["linclf", *(sys.argv[1:] if argv is None else argv)])
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")  # a terminal that cannot show ± gets a ?
    try:
        options.run(options)
    except (OSError, ValueError, ImportError, MemoryError) as fault:
        print("linclf: error:", " ".join(str(fault).split()) or type(fault).__name__, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("linclf: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="linclf", description="Linear classifiers with every loss.")
    parser.add_argument("--version", action="version", version=f"linclf {__version__}")
    names = "compare | fit | predict | evaluate | warmup"
    commands = parser.add_subparsers(dest="command", required=True, metavar=names)
    _add_compare(commands)
    _add_fit(commands)
    _add_predict(commands)
    _add_evaluate(commands)
    _add_warmup(commands)
    return parser


def _add_compare(commands: "argparse._SubParsersAction[_Parser]") -> None:
    command = commands.add_parser(
        "compare",
        help="tune, fit and judge every loss and the scikit-learn rivals on a table",
        description="Tune and fit every loss and the scikit-learn rivals on the same splits of a table, "
        "and recommend one.",
    )
    command.set_defaults(run=_compare)
    add = command.add_argument
    add("file", nargs="?", help="CSV, TSV, Parquet, NPZ (X, y) or svmlight; default: scikit-learn's digits")
    add(
        "--target",
        metavar="COLUMN",
        help="column with the labels; default: target, label, class, y or the last",
    )
    _add_reading(command)
    add("--models", metavar="A,B", help="names or patterns such as 'softmax,sklearn:*'; default: all")
    add("--no-tune", action="store_true", help="one penalty for all models instead of one chosen for each")
    add("--alpha", type=float, metavar="A", help="that penalty (default: 1e-4); needs --no-tune")
    add("--alphas", type=numbers, metavar="A,B", help="penalties to choose from; default: 1 to 1e-6")
    add("--sort", metavar="MEASURE", help="accuracy, macro_f1, roc_auc, average_precision, log_loss, ...")
    add("--test-size", type=float, metavar="F", help="share of rows held out (default: 0.25)")
    add("--repeats", type=int, metavar="N", help="number of random splits (default: 5)")
    add("--cv", type=int, metavar="K", help="K folds instead of random splits")
    add("--groups", metavar="COLUMN", help="rows with the same value in this column stay together")
    add("--times", metavar="COLUMN", help="test rows are later than training rows by this column")
    add("--random-state", type=int, default=0, metavar="S", help="seed (default: %(default)s)")
    add("--n-jobs", type=int, metavar="N", help="threads of a fit; -1 uses all cores")
    add("--json", metavar="OUT", help="write the numbers to this JSON file")
    add("--report", metavar="OUT.html", help="write a self-contained report with pictures")
    add("--loss-curves", action="store_true", help="draw the training objectives too; needs --report")


_FILE = "CSV, TSV, Parquet (also a folder or 'part-*.parquet'), NPZ (X, y) or svmlight"


def _add_fit(commands: "argparse._SubParsersAction[_Parser]") -> None:
    command = commands.add_parser(
        "fit",
        help="fit a model to a table and save it with its encoder",
        description="Fit a model to a table and save it with the encoder that turns columns into numbers. A "
        "file larger than memory is read again for each pass.",
    )
    command.set_defaults(run=_fit)
    add = command.add_argument
    add("file", help=_FILE)
    add("-o", "--output", required=True, metavar="M.linclf", help="file for the model")
    add(
        "--target",
        metavar="COLUMN",
        help="column with the labels; default: target, label, class, y or the last",
    )
    add("--model", default="softmax", metavar="LOSS", help="its loss (default: %(default)s)")
    add("--alpha", default="auto", metavar="A", help="the penalty, or auto: by cross-validation (default)")
    add("--class-weight", choices=("balanced",), help="classes weigh the same, however rare they are")
    add(
        "--validation",
        metavar="F",
        help="a share of the rows, or a file, to evaluate the model on; it is not trained on",
    )
    _add_reading(command)
    _add_memory(command)
    add("--random-state", type=int, default=0, metavar="S", help="seed (default: %(default)s)")
    add("--n-jobs", type=int, metavar="N", help="threads; -1 uses all cores")
    add("--report", metavar="OUT.html", help="write a self-contained report with pictures")


def _add_predict(commands: "argparse._SubParsersAction[_Parser]") -> None:
    command = commands.add_parser(
        "predict",
        help="predict the rows of a file with a model saved by linclf fit or linclf.save",
        description="Predict the rows of a file, in their order.",
    )
    command.set_defaults(run=_predict)
    add = command.add_argument
    add("model", metavar="M.linclf")
    add("file", help=_FILE)
    add("-o", "--output", metavar="OUT", help=".parquet, .csv or .tsv; default: CSV on the standard output")
    add("--proba", action="store_true", help="also the probability of each class")
    add("--top-k", type=int, metavar="K", help="the K most probable classes and their probabilities")
    _add_reading(command)


def _add_evaluate(commands: "argparse._SubParsersAction[_Parser]") -> None:
    command = commands.add_parser(
        "evaluate",
        help="measure a model on a file with labels",
        description="Measure a model on a file with labels.",
    )
    command.set_defaults(run=_evaluate)
    add = command.add_argument
    add("model", metavar="M.linclf")
    add("file", help=_FILE)
    add("--target", metavar="COLUMN", help="column with the labels; default: the one that is not a feature")
    _add_reading(command)
    _add_memory(command)
    add("--json", metavar="OUT", help="write the numbers to this JSON file")
    add("--report", metavar="OUT.html", help="write a self-contained report with pictures")


def _add_memory(command: _Parser) -> None:
    command.add_argument(
        "--memory", default="2GiB", metavar="SIZE", help="how much of it rows may use (default: %(default)s)"
    )


def _add_reading(command: _Parser) -> None:
    """How the columns of a file are read."""
    add = command.add_argument
    add(
        "--columns",
        type=kinds,
        metavar="NAME=KIND,...",
        help="kinds of columns that are detected wrongly: number, category, text or 'left out'",
    )
    add("--decimal", choices=(".", ","), help="the decimal sign, if 1,234 could be read both ways")


def kinds(text: str) -> dict[str, str]:
    """The value of ``--columns``; argparse names this function in its error."""
    pairs = [part.rpartition("=") for part in text.split(",")]
    if not all(name and kind for name, _, kind in pairs):
        raise ValueError
    return {name.strip(): kind.strip() for name, _, kind in pairs}


def _add_warmup(commands: "argparse._SubParsersAction[_Parser]") -> None:
    command = commands.add_parser(
        "warmup",
        help="compile ahead of time, for example when building a container image",
        description="Compile the kernels of every loss into the disk cache (LINCLF_CACHE names its folder).",
    )
    command.set_defaults(run=_warmup)
    add = command.add_argument
    add("--losses", metavar="A,B", help="names such as softmax,weston-watkins; default: all")
    add("--dtypes", metavar="A,B", default="float32,float64", help="of X (default: %(default)s)")


def _fit(options: argparse.Namespace) -> None:
    from linclf._command.run import fit

    fit(options)


def _predict(options: argparse.Namespace) -> None:
    from linclf._command.run import predict

    predict(options)


def _evaluate(options: argparse.Namespace) -> None:
    from linclf._command.run import evaluate

    evaluate(options)


def _warmup(options: argparse.Namespace) -> None:
    from linclf._compare.warmup import warm_up
    from linclf._numba import cache_directory

    started = time.perf_counter()
    losses = options.losses.split(",") if options.losses is not None else None
    for line in warm_up(losses, options.dtypes.split(",")):
        print(f"{time.perf_counter() - started:6.1f} s  {line}", flush=True)
    print(f"kernels are in {cache_directory()}")


def numbers(text: str) -> list[float]:
    """The value of ``--alphas``; argparse names this function in its error."""
    return [float(part) for part in text.split(",")]


def _compare(options: argparse.Namespace) -> None:
    from linclf._command.saving import check_writable
    from linclf._compare.apart import as_times, columns_apart
    from linclf._compare.candidates import chosen
    from linclf._compare.comparison import comparisons
    from linclf._compare.pictures import require_matplotlib
    from linclf._compare.text import first_table
    from linclf._compare.tuning import check_penalty
    from linclf._tables.columns import words_in
    from linclf._tables.reading import read_table

    # errors that would otherwise appear after minutes of fitting
    for name, path in (("--json", options.json), ("--report", options.report)):
        check_writable(name, path)
    if options.report is not None:
        require_matplotlib()
    elif options.loss_curves:
        raise ValueError("--loss-curves needs --report OUT.html")
    models = options.models.split(",") if options.models is not None else None
    chosen(models)
    check_penalty(not options.no_tune, options.alpha, options.alphas)
    if options.file is None:
        for option in ("target", "groups", "times"):
            if (value := getattr(options, option)) is not None:
                raise ValueError(f"--{option} {value!r} needs a FILE; without one the data are digits")
        from sklearn.datasets import load_digits

        X, y = load_digits(return_X_y=True)
        title = "digits"
    else:
        X, y, lines = read_table(options.file, options.target, words_in(options.columns))
        title = Path(options.file).name
        print(*lines, sep="\n")
    X, (groups, times) = columns_apart(X, {"--groups": options.groups, "--times": options.times})
    times = None if times is None else as_times(times)
    stages = comparisons(
        X,
        y,
        models=models,
        columns=options.columns,
        decimal=options.decimal,
        tune=not options.no_tune,
        alpha=options.alpha,
        alphas=options.alphas,
        sort=options.sort,
        test_size=options.test_size,
        repeats=options.repeats,
        cv=options.cv,
        groups=groups,
        times=times,
        random_state=options.random_state,
        n_jobs=options.n_jobs,
        progress=True,
    )
    comparison = next(stages)
    if len(comparison.rows) < comparison.facts["n_models"]:
        print(first_table(comparison), flush=True)
    for comparison in stages:  # noqa: B007
        pass
    comparison.facts |= {"data": title, "command": options.command_line}
    if options.json is not None:
        comparison.to_json(options.json)
    if options.report is not None:
        comparison.to_html(options.report, loss_curves=options.loss_curves)
        print(f"report: {options.report}\n")
    print(comparison)
