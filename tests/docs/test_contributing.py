"""docs/contributing.md: the code it shows is that of the package, and the files it names exist."""

import importlib.util
import pathlib
import re

import pytest

HERE = pathlib.Path(__file__).resolve()
ROOT = next(folder for folder in HERE.parents if (folder / "pyproject.toml").is_file())

MODULE = '''
LIMIT = 1


class A:
    """Text."""

    @property
    def b(self):
        return 2
'''


@pytest.fixture(scope="module")
def make_contributing():
    """The script in docs/, which is not a package."""
    path = ROOT / "docs" / "make_contributing.py"
    spec = importlib.util.spec_from_file_location("make_contributing", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page():
    return (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")


def test_code_is_that_of_the_package(make_contributing, page):
    assert page.count("<!-- live: ") == len(make_contributing.LIVE.findall(page)) >= 3
    assert make_contributing.page(page) == page, "run python docs/make_contributing.py"


def test_definitions_are_shown_without_docstrings(make_contributing, tmp_path):
    path = tmp_path / "module.py"
    path.write_text(MODULE)
    expected = MODULE[1:].replace('    """Text."""\n\n', "")
    assert make_contributing.source(path, ["LIMIT", "A"]) == expected
    assert make_contributing.source(path, []) == MODULE
    assert make_contributing.source(path, ["A.b"]) == "@property\ndef b(self):\n    return 2\n"


def test_files_that_it_names_exist(page):
    for name in re.findall(r"`(?:python )?([\w./-]+\.(?:py|md|in))`", page):
        assert (ROOT / name).is_file(), f"docs/contributing.md names {name}"
