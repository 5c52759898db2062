"""The pages in docs/: examples print the output shown, docs/losses.md is up to date, and links are valid.

Pictures are not compared: they need matplotlib, and its versions differ in the last digit.
"""

import doctest
import importlib.util
import pathlib
import re
import shutil

import pytest

import linclf
from linclf import _public
from linclf.heads import Cosine
from linclf.losses import LOSSES
from linclf.losses._names import loss_for
from linclf.losses._registry import LossTraits, trait

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def script(name):
    """A module in docs/, which is not a package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make_losses():
    return script("make_losses")


def read(path):
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "at_least"),
    [
        ("why-softmax.md", 70),
        ("losses.md", 40),
        ("calibration.md", 45),
        ("many-classes.md", 30),
        ("prediction-sets.md", 18),
        ("new-classes.md", 9),
        ("making-decisions.md", 33),
        ("several-labels.md", 7),
        ("offsets-and-priors.md", 25),
        ("learned-projections.md", 9),
        ("sparse-weights.md", 14),
    ],
)
def test_examples_print_what_the_page_says(name, at_least):
    found = doctest.testfile(str(DOCS / name), module_relative=False, encoding="utf-8")
    assert found.failed == 0, "see the captured output"
    assert found.attempted >= at_least


def test_the_page_of_losses_is_what_its_script_makes(make_losses):
    assert make_losses.page() == read(DOCS / "losses.md"), "run python docs/make_losses.py"


@pytest.mark.parametrize("name", LOSSES)
def test_each_loss_has_its_rows_its_paragraph_and_its_estimator(make_losses, name):
    page = read(DOCS / "losses.md")
    assert f"\n| [{name}](#{name}) |" in page
    assert f"\n| {name} | `{LOSSES[name].__name__}` | " in page
    (paragraph,) = re.findall(rf"\n### {name}\n\n(.+?)(?=\n#)", page, re.S)
    assert "gradient" in paragraph
    assert make_losses.example(name) in paragraph
    estimator = eval(make_losses.ESTIMATORS[name], vars(_public))
    assert type(loss_for(estimator._loss(), 3)) is LOSSES[name]


def test_a_loss_that_the_text_leaves_out_is_noticed(make_losses, monkeypatch, tmp_path):
    shutil.copy(DOCS / "losses.md.in", tmp_path)
    monkeypatch.setattr(make_losses, "DOCS", tmp_path)
    text = read(tmp_path / "losses.md.in").replace("{{at focal}}", "")
    (tmp_path / "losses.md.in").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"has no mark for \['at focal'\]"):
        make_losses.page()


def test_the_facts_of_the_table(make_losses):
    rows = [line.strip("| ").split(" | ") for line in make_losses.table().splitlines()[2:]]
    facts = {re.match(r"\[(.+)\]", row[0])[1]: row[1:] for row in rows}
    assert facts["softmax"] == ["yes", "yes", "yes", "yes", "all but dual"]
    assert facts["sparsemax"] == ["yes", "yes", "yes", "yes, with zeros", "all but dual"]
    assert facts["one-vs-rest"] == ["yes", "no", "no", "no", "all but newton, lbfgs"]
    assert facts["cosface"][-1] == "all but newton, dual"
    lines = make_losses.facts()
    assert "| softmax | never | 1.00 | 0.13 | 0.40 |" in lines  # log(.4 / .35) = .134
    assert "| entmax | 2 | 1.00 |" in lines
    assert "| squared-weston-watkins | 1 | 44.00 |" in lines  # 2 rivals, 2 * (10 + 1) each
    assert lines.count("\n") - 1 == 1 + sum(trait(loss, "head") is not Cosine for loss in LOSSES.values())
    assert all(f"| `{name}" in make_losses.traits() for name in vars(LossTraits) if not name.startswith("_"))


def slug(heading):
    """GitHub's anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor and target.name != "benchmarks.md":  # its sections depend on the available results
            headings = re.findall(r"^#+ (.+)$", read(target), re.M)
            assert anchor in map(slug, headings), f"{page.name} links to {link}"


def test_the_version_to_cite_is_this_one():
    citation = (DOCS / "CITATION.cff").read_text(encoding="utf-8")
    project = (DOCS / "project.md").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.M)[1] == linclf.__version__
    assert re.search(r"version = {(.+)}", project)[1] == linclf.__version__


def test_every_test_that_the_page_of_promises_names_is_there():
    named = re.findall(r"`(test_\w+)::(test_\w+)`", read(DOCS / "robustness.md"))
    assert len(named) >= 20
    sources = {path.stem: read(path) for path in (ROOT / "tests").rglob("test_*.py")}
    for module, test in named:
        assert f"\ndef {test}(" in sources[module], f"{module}::{test}"


def test_pictures_are_drawn_and_the_same_twice(make_losses, tmp_path):
    pytest.importorskip("matplotlib")
    pictures = script("_loss_pictures")
    drawn = [tmp_path / "once", tmp_path / "twice"]
    for folder in drawn:
        pictures.draw_all(folder, make_losses.scores_at)
    names = sorted(path.name for path in drawn[0].iterdir())
    assert set(names) == {*re.findall(r"images/(\w+\.svg)", read(DOCS / "losses.md"))}
    for name in names:
        assert read(drawn[0] / name) == read(drawn[1] / name)
        assert "<dc:date>" not in read(drawn[0] / name)
