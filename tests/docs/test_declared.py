"""Every package that the code imports is declared in pyproject.toml, and every dependency is imported.

Whether the declared versions work together is not tested here.
"""

import ast
import importlib.metadata
import pathlib
import re
import sys
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

import pytest

HERE = pathlib.Path(__file__).resolve()
ROOT = next(folder for folder in HERE.parents if (folder / "pyproject.toml").is_file())
LOCAL = {"linclf", "tests", "benchmarks"} | {
    path.stem for folder in ("tests", "docs") for path in (ROOT / folder).rglob("*.py")
}
IMPORTERS = {"import_module", "importorskip", "__import__"}  # functions that import a package by name

project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
distributions = importlib.metadata.packages_distributions()


class Import(NamedTuple):
    package: str
    when_needed: bool  # in a function or for type checkers, not on import of the module


def imports(node: ast.AST, when_needed: bool = False) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        yield from (Import(name.partition(".")[0], when_needed) for name in names_imported_by(child))
        deferred = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        deferred |= isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from imports(child, when_needed or deferred)


def names_imported_by(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(name), level=0):
            return [name]
        case ast.Call(func, [ast.Constant(str(name)), *_]):
            return [name] if ast.unparse(func).rpartition(".")[2] in IMPORTERS else []
    return []


def imported(folder: str) -> set[tuple[str, Import]]:
    """Imports of third-party packages in a folder, with the importing file."""
    found = {
        (str(path.relative_to(ROOT)), one)
        for path in sorted((ROOT / folder).rglob("*.py"))
        for one in imports(ast.parse(path.read_text(encoding="utf-8")))
    }
    return {
        (path, one) for path, one in found if one.package not in LOCAL | ELSEWHERE | sys.stdlib_module_names
    }


ELSEWHERE = {"adelie"}  # packages that only run in an environment of their own, in another process
OTHER_NAMES = {  # for packages that may not be installed here
    "imblearn": "imbalanced-learn",
    "mlflow": "mlflow-skinny",
    "sklearnex": "scikit-learn-intelex",
}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions_of(package: str) -> set[str]:
    """Distributions of a package; if it is not installed, the one of the same name is assumed."""
    return {normalized(name) for name in distributions.get(package, [OTHER_NAMES.get(package, package)])}


def declared(*extras: str) -> set[str]:
    """Names of the runtime dependencies and of the dependencies in extras."""
    requirements, names = list(project["dependencies"]), set()
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    for requirement in requirements:
        name, included = re.match(r"([\w.-]+)(?:\[([^]]*)\])?", requirement).groups()
        names |= declared(*included.split(",")) if name == "linclf" else {normalized(name)}
    return names


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("linclf", ["plot", "compare", "disk", "dask", "onnx"]),
        ("tests", ["test", "oracles", "docs"]),
        ("benchmarks", ["bench"]),
        ("docs", ["docs"]),
    ],
)
def test_what_is_imported_is_declared(folder, extras):
    undeclared = [
        f"{path} imports {one.package}"
        for path, one in imported(folder)
        if not distributions_of(one.package) & declared(*extras)
    ]
    assert undeclared == []


def test_what_linclf_imports_at_once_is_a_dependency():
    undeclared = [
        f"{path} imports {one.package}"
        for path, one in imported("linclf")
        # `import linclf` does not import linclf.dask
        if not path.startswith("linclf/dask/")
        and not one.when_needed
        and not distributions_of(one.package) & declared()
    ]
    assert undeclared == []


def test_every_dependency_is_imported():
    used = set().union(*(distributions_of(one.package) for _, one in imported("linclf")))
    assert declared() <= used


def test_every_requirement_has_a_floor():
    extras = project["optional-dependencies"].values()
    for requirement in [*project["dependencies"], *(one for extra in extras for one in extra)]:
        assert re.fullmatch(r"linclf\[.*\]|[\w.-]+[>=]=[\d.]+", requirement), requirement


def test_how_imports_are_found():
    code = """
import a.b, c
if TYPE_CHECKING:
    from d import e
try:
    import f
except ImportError:
    f = None
def function():
    from g.h import i
    from . import j
k = importlib.import_module("l.m")
"""
    expected = {("a", False), ("c", False), ("d", True), ("f", False), ("g", True), ("l", False)}
    assert set(imports(ast.parse(code))) == expected
