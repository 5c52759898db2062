"""The site: built without warnings, complete, and readable in Chromium on a desktop and a phone."""

import importlib
import pathlib
import re
import subprocess
import sys

import pytest
from browsing import SCHEMES, WIDTHS, overflows, show

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ROOMS = (
    "_public",
    "calibration",
    "conformal",
    "embedding",
    "large",
    "losses",
    "optimizers",
    "metrics",
    "functional",
    "display",
    "dask",
)


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_in_the_reference(room):
    names = set(importlib.import_module(f"linclf.{room}").__all__)
    page = (DOCS / "reference.md").read_text(encoding="utf-8")
    module = "linclf" if room == "_public" else f"linclf.{room}"
    (section,) = re.findall(rf"\n## (?:[^\n]*: )?{re.escape(module)}\n(.+?)(?=\n## |\Z)", page, re.S)
    listed = {*re.findall(r"^   (\w+)$", section, re.M), *re.findall(r"`([A-Z_]+)`", section)}
    assert listed == names | ({"load", "save"} if room == "_public" else set())


def test_every_page_is_in_the_navigation():
    pages = {path.stem for path in DOCS.glob("*.md")} - {"index"}
    trees = "".join(
        (DOCS / f"{page}.md").read_text(encoding="utf-8") for page in ("index", "guide", "project")
    )
    listed = re.findall(r"```{toctree}\n(.+?)```", trees, re.S)
    named = re.findall(r"^(?:.*<)?([\w-]+)>?$", "\n".join(listed), re.M)
    assert sorted(named) == sorted(pages)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Pages of the site, built in the documented way, with warnings as errors."""
    pytest.importorskip("sphinx")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "docs", folder]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), list(zip(WIDTHS, SCHEMES, strict=True)))
def test_nothing_overflows_pictures_load_and_there_are_no_errors(browser, site, width, scheme):
    pages = [page for page in sorted(site.rglob("*.html")) if "_static" not in page.parts]
    assert len(pages) > 120
    faults = []
    for page in pages:
        show(browser, page.as_uri(), width, scheme)
        missing = browser.execute_script(
            "return [...document.images].filter(e => e.loading !== 'lazy' && !e.naturalWidth).map(e => e.src)"
        )
        errors = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        if overflows(browser) or missing or errors:
            faults.append((page.name, overflows(browser), missing, errors))
    assert faults == []


@pytest.mark.browser
def test_the_search_finds_a_classifier(browser, site):
    wait = pytest.importorskip("selenium.webdriver.support.wait").WebDriverWait
    show(browser, (site / "search.html").as_uri() + "?q=SparsemaxClassifier")
    found = wait(browser, 20).until(lambda one: one.find_elements("css selector", "#search-results li a"))
    assert any("SparsemaxClassifier" in link.get_attribute("href") for link in found)


@pytest.mark.browser
def test_code_is_copied_without_prompts(browser, site):
    show(browser, (site / "index.html").as_uri())
    copied = browser.execute_script(
        """
        let text = null;
        document.execCommand = () => { text = document.activeElement.value; return true };
        document.querySelector('button.copybtn').click();
        return text
        """
    )
    assert copied.startswith("from sklearn.datasets import load_wine\n")
    assert ">>>" not in copied
    assert "(True, True)" not in copied
