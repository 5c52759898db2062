"""The package matches docs/architecture.md: its files, its rooms, and their imports.

A room is a folder of the package or a module at its root. Imports inside functions count, because cycles
hide there. Imports only for type checkers do not count.
"""

import ast
import pathlib
import re

import pytest

HERE = pathlib.Path(__file__).resolve()
ROOT = next(folder for folder in HERE.parents if (folder / "pyproject.toml").is_file())
PACKAGE = ROOT / "linclf"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TOP = {"__init__.py", "__main__.py"}  # the package itself, which imports its public names
MOST_LINES, MOST_PRIVATE = 400, 6


# ---------------------------------------------------------------- what the page says


def layout(page):
    """Files by room, in the order of the block that begins with ``linclf/``.

    A room is indented by two spaces; deeper lines continue with its files, or with a folder inside it.
    """
    rooms, folder = {}, ""
    for line in re.search(r"```\nlinclf/\n(.+?)```", page, re.S)[1].splitlines():
        first = line.split()[0]
        if line.startswith("  ") and line[2] != " ":
            room, folder = first.rstrip("/"), first if first.endswith("/") else ""
            rooms[room] = []
        elif first.endswith("/"):
            folder = f"{room}/{first}"
        rooms[room] += [folder + name for name in re.findall(r"\b\w+\.py\b", line)]
    return rooms


def test_the_layout_is_read_as_people_read_it():
    lines = [
        "  _a/      one.py  two.py",
        "           the first",
        "    inner/ three.py",
        "  four.py  the last",
    ]
    page = "\n".join(["```", "linclf/", *lines, "```"])
    assert layout(page) == {"_a": ["_a/one.py", "_a/two.py", "_a/inner/three.py"], "four.py": ["four.py"]}


def test_every_file_of_the_layout_exists_and_every_file_is_there_once():
    named = [name for files in layout(PAGE).values() for name in files]
    expected = [name for name in FILES if not name.endswith("__init__.py") and name not in TOP]
    assert sorted(named) == sorted(expected)


def test_every_other_file_that_the_page_names_exists():
    prose = re.sub(r"```\n.+?```", "", PAGE, flags=re.S)
    for name in re.findall(r"[\w./-]+\.(?:py|md|in|json|toml)\b", prose):
        places = (PACKAGE / name, ROOT / name, ROOT / "docs" / name)
        assert any(place.is_file() for place in places), f"docs/architecture.md names {name}"


# ---------------------------------------------------------------- what the code says


def imports(tree, is_file):
    """Files that a module of the package imports; ``is_file`` distinguishes them from names inside files."""

    class Visitor(ast.NodeVisitor):
        def __init__(self):
            self.found = set()

        def visit_If(self, node):
            for_checkers = ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
            for part in node.orelse if for_checkers else [node.test, *node.body, *node.orelse]:
                self.visit(part)

        def visit_Import(self, node):
            for alias in node.names:
                if alias.name.partition(".")[0] == "linclf" and alias.name != "linclf":
                    self.add(alias.name, None)

        def visit_ImportFrom(self, node):
            assert node.level == 0, "imports name the whole path"
            if node.module.partition(".")[0] == "linclf":
                for alias in node.names:
                    self.add(node.module, alias.name)

        def visit_Attribute(self, node):  # `import linclf` alone is harmless; attributes of it are not
            if isinstance(node.value, ast.Name) and node.value.id == "linclf":
                self.add("linclf", node.attr)
            self.generic_visit(node)

        def add(self, module, name):
            parts = module.split(".")[1:]
            paths = ["/".join([*parts, name or ""]).rstrip("/"), "/".join(parts)]
            candidates = [path + end for path in paths for end in (".py", "/__init__.py")]
            target = next(filter(is_file, (each.lstrip("/") for each in candidates)))
            if (target, name) != ("__init__.py", "__version__"):
                self.found.add(target)

    visitor = Visitor()
    visitor.visit(tree)
    return visitor.found


def test_imports_are_found_wherever_they_are():
    files = {"__init__.py", "a/__init__.py", "a/b.py", "c.py", "d.py", "e.py"}
    source = """
import linclf
import linclf.c
from linclf import __version__, d
from linclf.a import b, function
if TYPE_CHECKING:
    from linclf import e
def later():
    from linclf import Classifier
    return linclf.__version__
"""
    found = imports(ast.parse(source), files.__contains__)
    assert found == {"c.py", "d.py", "a/b.py", "a/__init__.py", "__init__.py"}


@pytest.fixture(scope="module")
def graph():
    """File -> the files that it imports."""
    return {
        name: imports(ast.parse(path.read_text(encoding="utf-8")), FILES.__contains__) - {name}
        for name, path in FILES.items()
    }


def circle(graph):
    """A cycle of files, each of which imports the next; empty if there is none."""
    done = set()

    def walk(name, path):
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        for other in sorted(graph[name]):
            if found := walk(other, [*path, name]):
                return found
        done.add(name)
        return []

    return next(filter(None, (walk(name, []) for name in sorted(graph))), [])


def test_no_circle_of_imports(graph):
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle(graph) == []


def room_of(name):
    return name.partition("/")[0]


def test_rooms_import_from_those_above_only(graph):
    order = list(layout(PAGE))
    wrong = [
        f"{name} imports {other}"
        for name in graph
        if name not in TOP
        for other in sorted(graph[name])
        if other in TOP or order.index(room_of(other)) > order.index(room_of(name))
    ]
    assert wrong == []


def test_files_fit_a_reading():
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in FILES.items()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_private_files_are_in_rooms():
    private = [name for name in FILES if re.fullmatch(r"_[^_/]\w*\.py", name)]
    assert len(private) <= MOST_PRIVATE
