"""``linclf fit``, ``predict`` and ``evaluate``: files in, a model file, predictions and measures out."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.datasets import dump_svmlight_file, load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import linclf
from linclf._command import training
from linclf._command.inputs import columns_of_model
from linclf.cli import main

WORDS = ["fine", "good", "dull", "bad", "film", "plot", "the", "a", "was", "very"]


def people(n=600, seed=0):
    """Numbers, a category, text, gaps, row numbers; three classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    size = rng.normal(size=n) + y
    size[::19] = np.nan
    colour = np.array(["red", "green", "blue"], object)[(y + (rng.random(n) < 0.3)) % 3]
    colour[::23] = None
    words = rng.choice(WORDS[4:], (n, 4))
    review = [" ".join([*some, WORDS[k], str(i)]) for i, (some, k) in enumerate(zip(words, y, strict=True))]
    return pd.DataFrame(
        {
            "number": np.arange(n),
            "size": size,
            "age": rng.integers(18, 90, n),
            "colour": colour,
            "review": review,
            "answer": np.array(["no", "yes", "perhaps"])[y],
        }
    )


def run(capsys, *arguments, code=0):
    """Run the command, and return what it prints."""
    assert main([str(argument) for argument in arguments]) == code
    return capsys.readouterr()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files with rows of `people`, and a model fitted to them."""
    folder = tmp_path_factory.mktemp("people")
    people(600).to_csv(folder / "train.csv", index=False)
    people(200, seed=1).to_csv(folder / "test.csv", index=False, sep=";", decimal=",")
    people(200, seed=1).drop(columns="answer").to_parquet(folder / "new.parquet")
    arguments = ["fit", folder / "train.csv", "-o", folder / "m.linclf", "--alpha", "1e-3"]
    assert main([str(argument) for argument in arguments]) == 0
    return folder


def test_the_file_holds_a_pipeline_that_python_loads(folder):
    model = linclf.load(folder / "m.linclf")
    kinds = {column.name: column.kind for column in columns_of_model(model)}
    assert kinds == {
        "number": "left out",
        "size": "number",
        "age": "number",
        "colour": "category",
        "review": "text",
    }
    table = people(200, seed=1)
    assert accuracy_score(table["answer"], model.predict(table.drop(columns=["answer", "number"]))) > 0.8


def test_predictions_are_those_of_the_pipeline(folder, capsys):
    model = linclf.load(folder / "m.linclf")
    X = people(200, seed=1).drop(columns=["answer", "number"])
    for name in ("new.parquet", "test.csv"):  # with decimal commas
        out = folder / "p.parquet"
        printed = run(capsys, "predict", folder / "m.linclf", folder / name, "-o", out, "--proba").out
        assert printed.startswith(f"200 rows to {out}; not used: number")
        made = pd.read_parquet(out)
        assert list(made["prediction"]) == list(model.predict(X))
        probabilities = made[[f"probability of {label}" for label in model.classes_]].to_numpy()
        np.testing.assert_allclose(probabilities, model.predict_proba(X), rtol=1e-12)
    run(capsys, "predict", folder / "m.linclf", folder / "new.parquet", "-o", folder / "k.csv", "--top-k", 2)
    top = pd.read_csv(folder / "k.csv")
    np.testing.assert_allclose(top["probability 1"], model.predict_proba(X).max(axis=1))
    assert list(top["class 1"]) == list(model.predict(X))
    assert (top["class 1"] != top["class 2"]).all()
    printed = run(capsys, "predict", folder / "m.linclf", folder / "new.parquet")
    assert printed.out.splitlines() == ["prediction", *model.predict(X)]
    assert printed.err == "200 rows; not used: number\n"


def test_evaluation_equals_scikit_learns_measures(folder, capsys):
    model = linclf.load(folder / "m.linclf")
    table = people(200, seed=1)
    X, y = table.drop(columns=["answer", "number"]), table["answer"]
    arguments = ("--json", folder / "e.json", "--report", folder / "e.html")
    printed = run(capsys, "evaluate", folder / "m.linclf", folder / "test.csv", *arguments).out
    found = json.loads((folder / "e.json").read_text())["measures"]
    assert found["accuracy"] == accuracy_score(y, model.predict(X))
    assert found["log_loss"] == pytest.approx(log_loss(y, model.predict_proba(X), labels=model.classes_))
    assert f"200 rows: accuracy {found['accuracy']:.4f}"[:-4].replace("0.", ".") in printed
    assert "target: column 'answer'" in printed
    page = (folder / "e.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "linclf evaluate: m.linclf on test.csv" in page


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_larger_than_memory_gives_the_same_model(ending, tmp_path, capsys, monkeypatch):
    table = people(3000).drop(columns="review")
    path = tmp_path / f"t.{ending}"
    table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path)
    arguments = ("fit", path, "--alpha", "1e-3", "--validation", "0.2", "-o")
    run(capsys, *arguments, tmp_path / "whole.linclf")
    monkeypatch.setattr(training, "SHARE", 10**9)
    monkeypatch.setattr(training, "BLOCKS", (100, 700))
    printed = run(capsys, *arguments, tmp_path / "passes.linclf").out
    assert "3,000 rows, more than memory holds: read again for each pass" in printed
    assert "columns and encoder are those of a sample of 3,000 rows" in printed
    whole, passes = (linclf.load(tmp_path / f"{name}.linclf") for name in ("whole", "passes"))
    # one encoder was fitted to all rows, the other without the held-out rows
    X = table.drop(columns=["answer", "number"])
    np.testing.assert_allclose(passes.predict_proba(X), whole.predict_proba(X), atol=0.01)
    assert re.search(r"on the validation rows:\n6\d\d rows: accuracy", printed)


def test_the_sample_of_a_large_file_is_uniform(tmp_path):
    n = 40_000
    pd.DataFrame({"x": np.arange(n) * 1.5, "y": np.arange(n) % 2}).to_csv(tmp_path / "t.csv", index=False)
    from linclf._command.progress import RowProgress
    from linclf._tables.files import open_table

    sample = training._sample(open_table(tmp_path / "t.csv"), "y", 2**17, RowProgress("t"), 0)
    assert sample.n_rows == n
    assert training.LOOK / 2 <= len(sample.frame) <= training.LOOK
    counts = np.histogram(sample.frame["x"], bins=8, range=(0, 1.5 * n))[0]
    assert abs(counts - counts.mean()).max() < 5 * np.sqrt(counts.mean())


@pytest.mark.parametrize("kind", ["npz", "svm", "sparse npz"])
def test_arrays(kind, tmp_path, capsys):
    X, y = load_iris(return_X_y=True)
    path = tmp_path / f"iris.{kind.split()[-1]}"
    if kind == "npz":
        np.savez(path, X=X, y=y)
    elif kind == "svm":
        dump_svmlight_file(X, y, str(path), zero_based=False)
    else:
        thin = sparse.csr_matrix(X)
        parts = {"data": thin.data, "indices": thin.indices, "indptr": thin.indptr, "shape": thin.shape}
        np.savez(path, y=y, **parts)
    run(capsys, "fit", path, "-o", tmp_path / "m.linclf", "--validation", path)
    printed = run(capsys, "evaluate", tmp_path / "m.linclf", path).out
    assert "150 rows: accuracy .9" in printed
    run(capsys, "predict", tmp_path / "m.linclf", path, "-o", tmp_path / "p.tsv")
    predicted = pd.read_csv(tmp_path / "p.tsv", sep="\t")["prediction"]
    assert accuracy_score(y, predicted) > 0.9


def test_arrays_that_may_not_fit_are_refused(tmp_path, capsys):
    path = tmp_path / "t.npz"
    with open(path, "wb") as file:
        file.truncate(100 * 2**20)
    printed = run(capsys, "fit", path, "-o", tmp_path / "m.linclf", "--memory", "256MiB", code=2)
    assert "has 100 MiB, and files of arrays are read whole" in printed.err
    assert "raise --memory 256MiB, or fit linclf.Batches" in printed.err


def test_the_optimum_is_that_of_logistic_regression(tmp_path, capsys):
    """Standardised numbers, the same penalty."""
    X, y = load_iris(return_X_y=True)
    pd.DataFrame(X, columns=list("abcd")).assign(y=y).to_csv(tmp_path / "iris.csv", index=False)
    run(capsys, "fit", tmp_path / "iris.csv", "-o", tmp_path / "m.linclf", "--alpha", "0.01")
    model = linclf.load(tmp_path / "m.linclf")
    Z = model[0].transform(pd.DataFrame(X, columns=list("abcd")))
    np.testing.assert_allclose(Z, (X - X.mean(axis=0)) / X.std(axis=0))
    rival = LogisticRegression(C=1 / (0.01 * len(y)), tol=1e-10, max_iter=10_000).fit(Z, y)
    np.testing.assert_allclose(model[-1].coef_, rival.coef_, atol=2e-3)


def test_validation_and_report(folder, capsys):
    printed = run(
        capsys,
        *("fit", folder / "train.csv", "-o", folder / "v.linclf", "--validation", folder / "test.csv"),
        *("--report", folder / "v.html", "--model", "focal", "--class-weight", "balanced"),
        *("--columns", "review=left out"),
    ).out
    assert "train.csv: 600 rows, 3 classes (no, perhaps, yes); UTF-8, separated by commas" in printed
    assert "target: column 'answer' (the last one; --target chooses another)" in printed
    assert "review (as --columns says)" in printed
    assert re.search(r"fitted focal with alpha [\d.e-]+, chosen by cross-validation on all rows", printed)
    assert "on the validation rows:\n200 rows: accuracy ." in printed
    page = (folder / "v.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    assert "row numbers, 0 to 599" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("fit nowhere.csv -o m.linclf", "nowhere.csv does not exist"),
        ("fit trian.csv -o m.linclf", "trian.csv does not exist; did you mean train.csv?"),
        ("fit train.csv -o nowhere/m.linclf", "--output 'nowhere/m.linclf' cannot be written"),
        ("fit train.csv -o x.linclf --model softmx", "--model 'softmx' is no loss; the losses are softmax"),
        ("fit train.csv -o x.linclf --alpha -1", "--alpha"),
        ("fit train.csv -o x.linclf --alpha small", "--alpha 'small' must be auto, or a number"),
        ("fit train.csv -o x.linclf --target nswer", "'nswer' is not a column of train.csv; did you mean"),
        ("fit train.csv -o x.linclf --validation 1.5", "--validation 1.5 must lie between 0 and 1"),
        (
            "fit train.csv -o x.linclf --validation t.csv",
            "--validation 't.csv' is neither a share of the rows",
        ),
        ("fit train.csv -o x.linclf --memory 1MB", "memory='1MB' is less than 256 MiB"),
        ("fit train.csv -o x.linclf --columns sise=number", "--columns: 'sise' is not a column"),
        ("fit train.csv -o x.linclf --columns size", "argument --columns: invalid kinds value"),
        ("fit train.csv -o x.linclf --target size", "y has 32 missing labels of 600, the first in row 0"),
        ("fit train.csv -o x.linclf --target age --validation 0.9999", "--validation 0.9999 holds out"),
        ("predict m.linclf other.csv -o p.csv", "other.csv has no column 'size' and 2 more, and the model"),
        ("predict m.linclf letters.csv -o p.csv", "'size' has numbers, and 'big' in row 2; fix it, or say"),
        ("predict m.linclf new.parquet -o p.xlsx", "--output 'p.xlsx' has the ending '.xlsx'; use .parquet"),
        ("predict m.linclf new.parquet -o p.csv --top-k 9", "--top-k 9 must lie between 1 and 3"),
        (
            "predict m.linclf new.parquet --columns age=text",
            "--columns age=text: the model was fitted with it",
        ),
        ("predict train.csv new.parquet", "train.csv is damaged, or no model"),
        ("predict m.linclf iris.npz", "iris.npz has no named columns, and the model was fitted with a table"),
        ("predict svm.linclf new.parquet --proba", "--proba needs probabilities, and this model has none"),
        ("evaluate m.linclf new.parquet", "which column has the labels? --target names it"),
        ("evaluate m.linclf new.parquet --target answer", "'answer' is not a column of new.parquet"),
        ("evaluate numbers.linclf words.csv", "the label in row 0 is 'x', and the classes are numbers"),
    ],
)
def test_errors_are_one_line_and_nothing_is_written(arguments, message, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "other.csv").write_text("a,age\n1,2\n3,4\n")
    (folder / "letters.csv").write_text("size,age,colour,review\n1,2,red,x\n2,3,red,x\nbig,4,red,x\n")
    (folder / "words.csv").write_text("a,b,y\n1,2,x\n3,1,z\n")
    np.savez(folder / "iris.npz", X=np.eye(3), y=np.arange(3))
    if "numbers.linclf" in arguments:
        rows = "".join(f"{i % 7}.5,{i % 5},{i % 2}\n" for i in range(40))
        (folder / "numbers.csv").write_text("a,b,y\n" + rows)
        run(capsys, "fit", "numbers.csv", "-o", "numbers.linclf", "--alpha", "1")
    if "svm.linclf" in arguments:
        run(capsys, "fit", "train.csv", "-o", "svm.linclf", "--model", "weston-watkins", "--alpha", "1e-3")
    before = sorted(path.name for path in folder.iterdir())
    try:
        code = main(arguments.split())
    except SystemExit as stop:  # argparse
        code = stop.code
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("linclf: error: ")
    assert error.count("\n") == 1
    assert message in error
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.fixture
def codes(tmp_path, capsys, monkeypatch):
    """Models with a category that determines the class, and looks partly or entirely like a number."""
    monkeypatch.chdir(tmp_path)
    for name, values in {
        "mixed": ["01", "02", "A3"],
        "whole": ["1", "2", "3"],
        "flag": ["TRUE", "FALSE", "no"],
    }.items():
        rows = [f"{value},{i % 7}.5,{'uvw'[k]}" for i in range(20) for k, value in enumerate(values)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["code,x,label", *rows]) + "\n")
        run(
            capsys,
            "fit",
            f"{name}.csv",
            "-o",
            f"{name}.linclf",
            "--columns",
            "code=category",
            "--alpha",
            "1e-6",
        )
    return tmp_path


@pytest.mark.parametrize(
    ("model", "values", "predicted"),
    [
        ("mixed", "01 02 01", "u v u"),  # 01 is not 1, even if no row has a letter
        ("mixed", "A3 01 02", "w u v"),
        ("whole", "1 2 3 -", "u v w u"),  # a gap turns them into floats: autogluon/autogluon#601
        ("whole", "1.0 2.0 3.0 -", "u v w u"),
        ("whole", "3 2", "w v"),
        ("flag", "TRUE FALSE", "u v"),  # without other words, pandas reads bools
        ("flag", "true False no", "u v w"),
        ("flag", "no TRUE", "w u"),
    ],
)
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_category_is_the_same_whatever_else_its_column_holds(
    model, values, predicted, ending, codes, capsys
):
    path = codes / f"new{ending}"
    texts = [value.strip("-") for value in values.split()]
    (codes / "new.csv").write_text("code,x\n" + "".join(f"{text},0.5\n" for text in texts))
    if ending == ".parquet":
        options = {"dtype": {"code": str}} if model == "mixed" else {}
        pd.read_csv(codes / "new.csv", **options).to_parquet(path)
    printed = run(capsys, "predict", f"{model}.linclf", path)
    assert printed.out.split()[1:] == predicted.split()
    assert "did not have" not in printed.err


def test_values_that_the_fit_did_not_have_are_said(codes, capsys):
    """They are ignored, and without a message a wrong file would pass (pycaret/pycaret#1060)."""
    (codes / "new.csv").write_text("code,x,label\nred ,0.5,u\n01,0.5,u\n1,0.5,u\n,0.5,u\n")
    said = "2 rows have a value of 'code' that was not seen in fit, such as 'red': it is ignored"
    assert said in run(capsys, "predict", "mixed.linclf", "new.csv").err
    assert said in run(capsys, "evaluate", "mixed.linclf", "new.csv").out


@pytest.mark.parametrize(
    ("fitted", "judged"),
    [("True False", "TRUE FALSE"), ("TRUE FALSE", "True False"), ("1 0", "1.0 0.0"), ("1.0 0.0", "1 0")],
)
def test_labels_of_another_file_are_the_same_classes(fitted, judged, tmp_path, capsys, monkeypatch):
    """R and Excel write TRUE, and pandas writes 1.0 if a label was missing (autogluon/autogluon#3017)."""
    monkeypatch.chdir(tmp_path)
    for name, labels in {"fit.csv": fitted.split(), "judge.csv": judged.split()}.items():
        rows = "".join(f"{k + i % 7 / 9:.3f},{labels[k]}\n" for i in range(20) for k in (0, 1))
        (tmp_path / name).write_text("x,label\n" + rows)
    run(capsys, "fit", "fit.csv", "-o", "m.linclf", "--alpha", "1e-6")
    assert "40 rows: accuracy 1.0000" in run(capsys, "evaluate", "m.linclf", "judge.csv").out


@pytest.mark.parametrize("labels", ["True TRUE no", "1 1.0 no", "TRUE True FALSE"])
def test_a_model_is_judged_on_the_classes_of_its_fit(labels, tmp_path, capsys, monkeypatch):
    """A file may spell a class in two ways, for example if its rows come from two programs."""
    monkeypatch.chdir(tmp_path)
    classes = labels.split()
    (tmp_path / "t.csv").write_text(
        "x,label\n" + "".join(f"{k // 2 + i % 7 / 9:.3f},{classes[k]}\n" for i in range(20) for k in range(3))
    )
    run(capsys, "fit", "t.csv", "-o", "m.linclf", "--alpha", "1e-6")
    assert list(linclf.load("m.linclf").classes_) == sorted([classes[labels.startswith("TRUE")], classes[2]])
    assert "60 rows: accuracy 1.0000" in run(capsys, "evaluate", "m.linclf", "t.csv").out


@pytest.mark.parametrize(
    "parts",
    [
        [("category", "one-hot", ["k"])],
        [
            ("category", "one-hot", [0]),
            ("category m", "one-hot", slice(1, 2)),
            ("number", "passthrough", ["x"]),
        ],
        [
            ("category k", "one-hot", [True, False, False]),
            ("left out", "drop", ["m"]),
            ("x", "passthrough", ["x"]),
        ],
        [("category", "pipeline", ["k"]), ("dropped", "drop", slice("m", "x"))],
    ],
)
def test_pipelines_of_the_user_are_taken(parts, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    steps = {
        "one-hot": OneHotEncoder(handle_unknown="ignore"),
        "pipeline": make_pipeline(
            SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
        ),
    }
    encoder = ColumnTransformer([(name, steps.get(step, step), columns) for name, step, columns in parts])
    table = pd.DataFrame({"k": ["red", "blue"] * 20, "m": ["u", "v", "v", "u"] * 10, "x": np.arange(40) % 7})
    y = np.where(table["k"] == "red", "yes", "no")
    model = make_pipeline(encoder, linclf.SoftmaxClassifier(alpha=1e-3)).fit(table, y)
    linclf.save(model, "m.linclf")
    table.loc[0, "k"] = "green"
    table.assign(label=y).to_csv("t.csv", index=False)
    said = "1 row has a value of 'k' that was not seen in fit, such as 'green': it is ignored"
    printed = run(capsys, "predict", "m.linclf", "t.csv")
    assert printed.out.split()[1:] == list(model.predict(table))
    assert said in printed.err
    printed = run(capsys, "evaluate", "m.linclf", "t.csv", "--target", "label")
    assert said in printed.out
    assert f"40 rows: accuracy {model.score(table, y):.4f}".replace(" 0.", " .") in printed.out


def test_texts_alone_are_predicted(folder, tmp_path, capsys):
    """A test file has no labels, so it may have a single column."""
    table = people(300)[["review", "answer"]]
    table.to_csv(tmp_path / "t.csv", index=False)
    run(capsys, "fit", tmp_path / "t.csv", "-o", tmp_path / "t.linclf", "--alpha", "1e-4")
    table[["review"]].to_csv(tmp_path / "new.csv", index=False)
    printed = run(capsys, "predict", tmp_path / "t.linclf", tmp_path / "new.csv")
    model = linclf.load(tmp_path / "t.linclf")
    assert printed.out.split()[1:] == list(model.predict(table[["review"]]))
    assert (model.predict(table[["review"]]) == table["answer"]).mean() > 0.9


def test_svmlight_with_fewer_features_names_the_remedy(tmp_path, capsys):
    """It omits zeros (mwydmuch/napkinXC#18), and may begin with 0 or 1: only the user knows."""
    rows = "".join(f"{i % 2} 1:{i % 5} 2:{i % 2} 4:1\n" for i in range(40))
    (tmp_path / "t.svm").write_text(rows)
    run(capsys, "fit", tmp_path / "t.svm", "-o", tmp_path / "t.linclf", "--alpha", "1e-3")
    (tmp_path / "new.svm").write_text("0 1:1\n1 1:1 2:1\n")
    said = run(capsys, "predict", tmp_path / "t.linclf", tmp_path / "new.svm", code=2).err
    assert "has 2 columns, and the model was fitted with 4; write 4:0 into one of its rows, or 3:0 if" in said
    (tmp_path / "new.svm").write_text("0 1:1 4:0\n1 1:1 2:1\n")
    assert run(capsys, "predict", tmp_path / "t.linclf", tmp_path / "new.svm").out.split()[1:] == ["0", "1"]


def test_ctrl_c_leaves_no_half_written_file(folder, capsys, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("linclf._command.predicting.predictions", interrupted)
    before = sorted(path.name for path in folder.iterdir())
    printed = run(
        capsys, "predict", folder / "m.linclf", folder / "new.parquet", "-o", folder / "x.parquet", code=130
    )
    assert printed.err == "linclf: interrupted\n"
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_fit_that_does_not_converge_says_so(folder, capsys, monkeypatch):
    make = training._classifier
    monkeypatch.setattr(
        training, "_classifier", lambda *given: make(*given).set_params(max_iter=1, solver="lbfgs")
    )
    printed = run(capsys, "fit", folder / "train.csv", "-o", folder / "c.linclf", "--alpha", "1e-6")
    assert printed.err.startswith("linclf: warning: ")
    assert "max_iter" in printed.err
