"""The ``linclf`` command: files of every kind, options, and errors in one line."""

import gzip
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import dump_svmlight_file, load_iris

from linclf import compare
from linclf._compare.apart import as_times
from linclf._tables.reading import read_table
from linclf.cli import main

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def table():
    """120 rows with numbers, text, booleans and missing values."""
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=120)
    size, colour = rng.normal(size=120) + y, np.array(["red", "green", "blue"], object)[y]
    size[::17], colour[::13] = np.nan, None
    columns = {"size": size, "colour": colour, "big": size > 1, "Label": np.array(["a", "b", "c"])[y]}
    return pd.DataFrame(columns)


def write_csv(path, table):
    table.to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",")


def write_semicolons(path, table):
    table.to_csv(path, index=False, sep=";", na_rep="?")


def write_parquet(path, table):
    table.to_parquet(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.csv", write_csv),
        ("t.csv.gz", write_csv),
        ("t.tsv", write_csv),
        ("semicolons.csv", write_semicolons),
        ("t.parquet", write_parquet),
    ],
)
def test_files_of_columns(name, write, table, tmp_path, capsys):
    path, out = tmp_path / name, tmp_path / "out.json"
    write(path, table)
    assert (
        main(
            ["compare", str(path), "--models", "sklearn:R*,sklearn:D*", "--repeats", "2", "--json", str(out)]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert printed.splitlines()[1] == "target: column 'Label'"
    held = json.loads(out.read_text())
    direct = compare(table.drop(columns="Label"), table["Label"], models=["sklearn:R*"], repeats=2)
    assert held["facts"]["data"] == name
    assert held["facts"]["n_missing"] == direct.facts["n_missing"]
    assert held["rows"][0]["accuracy"] == direct.rows[0]["accuracy"]


@pytest.mark.parametrize("kind", ["npz", "sparse npz", "svm", "svm.gz"])
def test_files_of_arrays(kind, tmp_path):
    X, y = load_iris(return_X_y=True)
    path, out = tmp_path / f"iris.{kind.split()[-1]}", tmp_path / "out.json"
    if kind == "npz":
        np.savez(path, X=X, y=y)
    elif kind == "sparse npz":
        thin = sparse.csr_matrix(X)
        parts = {"data": thin.data, "indices": thin.indices, "indptr": thin.indptr, "shape": thin.shape}
        np.savez(path, y=y, **parts)
    elif kind == "svm":
        dump_svmlight_file(X, y, str(path))
    else:
        with gzip.open(path, "wb") as file:
            dump_svmlight_file(X, y, file)
    assert (
        main(["compare", str(path), "--models", "sklearn:Ridge*", "--repeats", "1", "--json", str(out)]) == 0
    )
    held = json.loads(out.read_text())
    data = X if kind == "npz" else sparse.csr_matrix(X)
    direct = compare(data, y, models=["sklearn:Ridge*"], repeats=1)
    assert held["rows"][0]["accuracy"] == pytest.approx(direct.rows[0]["accuracy"])
    assert (held["facts"]["reading"] == ["columns standardised"]) == (kind == "npz")


def test_the_first_models_are_printed_before_the_others(capsys):
    assert (
        main(["compare", "--models", "sklearn:Ridge*,sklearn:SGD-hinge", "--repeats", "1", "--no-tune"]) == 0
    )
    first, _, whole = capsys.readouterr().out.partition("the rest follows\n\n")
    assert first.startswith("first models:\nmodel ")
    assert "sklearn:RidgeClassifier" in first
    assert "sklearn:SGD-hinge" not in first
    assert whole.startswith("digits: 1,797 rows")
    assert whole.splitlines()[-1].startswith("Take sklearn:")


def test_groups_and_times_are_columns_and_no_features(table, tmp_path, capsys):
    table["patient"], table["day"] = np.arange(120) // 4, pd.date_range("2026-01-01", periods=120)
    table.to_csv(tmp_path / "t.csv", index=False)
    arguments = ["compare", str(tmp_path / "t.csv"), "--models", "sklearn:R*", "--repeats", "2", "--no-tune"]
    frame = table.drop(columns=["Label", "patient", "day"])
    # dates are not a feature
    for option, name, n_features in (("--groups", "patient", 3), ("--times", "day", 4)):
        left = frame.assign(**{other: table[other] for other in {"patient", "day"} - {name}})
        left.assign(**{name: table[name], "Label": table["Label"]}).to_csv(tmp_path / "t.csv", index=False)
        assert main([*arguments, option, name, "--json", str(tmp_path / "out.json")]) == 0
        held = json.loads((tmp_path / "out.json").read_text())
        assert held["facts"]["n_features"] == n_features
        assert held["facts"]["n_splits"] == 2
    assert "2 random splits of the groups" in capsys.readouterr().out
    assert list(as_times(pd.Series(["2025-09-30", "2026-01-01T10:00"])).dt.month) == [9, 1]
    with pytest.raises(ValueError, match="neither numbers nor dates such as 2026-01-31"):
        as_times(pd.Series(["9/1/2025"], name="day"))


def test_digits_are_the_default_and_the_report_is_written(tmp_path, capsys):
    report = tmp_path / "out.html"
    arguments = [
        "--models",
        "sklearn:R*,sklearn:D*",
        "--repeats",
        "1",
        "--test-size",
        "0.5",
        "--random-state",
        "4",
    ]
    assert main(["compare", *arguments, "--report", str(report)]) == 0
    printed = capsys.readouterr().out
    assert "digits: 1,797 rows, 64 features, 10 classes" in printed
    assert "898 rows for training and 899 for testing" in printed
    assert printed.startswith(f"report: {report}\n\ndigits: "), "one stage needs no first table"
    assert "command: linclf compare --models 'sklearn:R*,sklearn:D*' --repeats 1 " in printed
    assert "linclf compare: digits" in report.read_text(encoding="utf-8")


def test_the_last_column_is_the_target_where_none_is_named_so(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,species\n1,2,u\n3,4,v\n")
    X, y, lines = read_table(path)
    assert list(X.columns) == ["a", "b"]
    assert list(y) == ["u", "v"]
    assert lines[1] == "target: column 'species' (the last one; --target chooses another)"
    X, y, _ = read_table(path, "a")
    assert list(X.columns) == ["b", "species"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "missing.csv does not exist"),
        (["folder.csv"], "folder.csv is a folder"),
        (["data.xlsx"], "has the ending '.xlsx', and linclf reads .csv"),
        (["good.csv", "--target", "clas"], "'clas' is not a column of good.csv; did you mean 'class'?"),
        (["good.csv", "--target", "zzz"], "'zzz' is not a column of good.csv; it has a, class"),
        (["good.csv", "--target", "a"], "y looks continuous"),
        (["good.csv", "--models", "nope"], "'nope' matches no model; the models are softmax"),
        (["good.csv", "--json", "nowhere/out.json"], "--json 'nowhere/out.json' cannot be written"),
        (["good.csv", "--report", "folder.csv"], "--report 'folder.csv' cannot be written"),
        (["good.csv", "--test-size", "2"], "test_size=2.0 must lie between 0 and 1"),
        (["good.csv", "--alpha", "1e-3"], "alpha=0.001 is one penalty for all models; it needs tune=False"),
        (["good.csv", "--alphas", "1,x"], "argument --alphas: invalid numbers value: '1,x'"),
        (["good.csv", "--sort", "auc"], "sort='auc' is not a measure; use one of accuracy, "),
        (["good.csv", "--cv", "1"], "cv=1 must be 2 folds or more"),
        (["good.csv", "--groups", "b"], "--groups 'b' is not a column; it has a"),
        (["good.csv", "--loss-curves"], "--loss-curves needs --report"),
        (["good.csv", "--target", "a", "--times", "class"], "--times 'class' has neither numbers nor dates"),
        (["good.svm", "--times", "day"], "--times 'day': this file has no named columns"),
        (["--groups", "patient"], "--groups 'patient' needs a FILE"),
        (
            ["good.csv", "--repeats", "x"],
            "argument --repeats: invalid int value: 'x' (see linclf compare --help)",
        ),
        (["good.csv", "--unknown"], "unrecognized arguments: --unknown"),
        (["one.csv"], "y has one class only, 'u'"),
        (["rare.csv"], "1 of 2 classes with a single row ('v')"),
        (["gap.csv"], "y has 1 missing labels of 4"),
        (["headless.csv"], "2 of 2 classes with a single row"),
        (["narrow.csv"], "narrow.csv has one column, and a fit needs a target and features"),
        (["empty.csv"], "empty.csv cannot be read as CSV: it is empty"),
        (["bad.parquet"], "bad.parquet cannot be read as PARQUET"),
        (["bad.npz"], "bad.npz cannot be read as NPZ"),
        (["other.npz"], "other.npz has no array 'X', only data"),
        (["bad.svm"], "bad.svm cannot be read as svmlight"),
        (["good.svm", "--target", "y"], "--target 'y': good.svm is svmlight"),
        (["--target", "y"], "--target 'y' needs a FILE"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    texts = {
        "data.xlsx": "",
        "good.csv": "a,class\n" + "".join(f"{i}.5,{'uv'[i % 2]}\n" for i in range(40)),
        "one.csv": "a,class\n1,u\n2,u\n",
        "rare.csv": "a,class\n1,u\n2,u\n3,v\n",
        "gap.csv": "a,class\n1,u\n2,u\n3,v\n4,\n",
        "headless.csv": "5.1,3.5,u\n4.9,3.0,v\n",
        "narrow.csv": "class\nu\nv\n",
        "empty.csv": "",
        "bad.parquet": "not parquet",
        "bad.npz": "not npz",
        "bad.svm": "1 a:b\n",
        "good.svm": "1 1:0.5\n2 2:0.5\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    np.savez(tmp_path / "other.npz", data=np.eye(2))
    try:
        code = main(["compare", *arguments])
    except SystemExit as stop:  # argparse
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("linclf: error: ")
    assert error.count("\n") == 1
    assert message in error


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["fit", "--help"]])
def test_help_imports_nothing_that_takes_seconds(arguments):
    code = (
        "import sys; from linclf.cli import main\n"
        f"try: main({arguments!r})\n"
        "finally: print({'numpy', 'scipy', 'sklearn', 'numba', 'linclf.classifiers'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout.endswith("\nset()\n"), run.stdout + run.stderr


def test_version_and_missing_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("linclf ")
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_exits_with_130(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("linclf._compare.comparison.comparisons", interrupted)
    assert main(["compare", "--models", "softmax"]) == 130
    assert capsys.readouterr().err == "linclf: interrupted\n"


@pytest.mark.parametrize(("missing", "extra"), [("matplotlib", "plot"), ("pandas", "compare")])
def test_missing_packages_are_named_with_the_extra(missing, extra, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, missing, None)
    (tmp_path / "t.csv").write_text("a,b\n1,u\n2,v\n")
    option = ["--report", str(tmp_path / "o.html")] if missing == "matplotlib" else []
    assert main(["compare", str(tmp_path / "t.csv"), *option]) == 2
    assert f'needs {missing}: pip install "linclf[{extra}]"' in capsys.readouterr().err


# ---------------------------------------------------------------- warmup


def run_fresh(code, cache, *arguments):
    """Run code in a new process with this kernel cache; return its output."""
    environment = os.environ | {"LINCLF_CACHE": str(cache)}
    command = [sys.executable, *(["-c", code] if code else ["-m", "linclf"]), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    return done.stdout + done.stderr


def test_warmup(capsys):
    assert main(["warmup", "--losses", "softmax", "--dtypes", "float64"]) == 0
    assert "softmax, float64" in capsys.readouterr().out


@pytest.mark.exhaustive
def test_warmup_compiles_what_fits_need(tmp_path):
    output = run_fresh("", tmp_path, "warmup", "--losses", "softmax", "--dtypes", "float64")
    assert "softmax, float64" in output
    assert f"kernels are in {tmp_path}" in output
    code = (
        "import numpy as np; from scipy import sparse; from linclf import SoftmaxClassifier\n"
        "from linclf._kernels.epoch import epoch, epoch_direct\n"
        "from linclf.losses._registry import row_losses\n"
        "X, y = np.random.default_rng(0).normal(size=(1500, 4)), np.arange(1500) % 3\n"
        "for data in (X, X[:99], sparse.csr_array(X)):\n"
        "    labels = y[: data.shape[0]]\n"
        "    SoftmaxClassifier(max_iter=2).fit(data, labels, X_val=data, y_val=labels)\n"
        "SoftmaxClassifier(solver='lbfgs', tol=1e-2).fit(X, y)\n"
        "for kernel in (epoch, epoch_direct, row_losses):\n"
        "    stats = kernel.stats\n"
        "    print(len(stats.cache_hits) > 0, len(stats.cache_misses))\n"
    )
    assert run_fresh(code, tmp_path).split() == ["True", "0"] * 3


def test_warmup_refuses_what_it_cannot_do(capsys, monkeypatch):
    assert main(["warmup", "--losses", "softmux"]) == 2
    assert "softmux" in capsys.readouterr().err
    assert main(["warmup", "--dtypes", "float16"]) == 2
    assert "float16" in capsys.readouterr().err
    monkeypatch.setenv("LINCLF_CACHE", "0")
    assert main(["warmup"]) == 2
    assert "LINCLF_CACHE=0" in capsys.readouterr().err
