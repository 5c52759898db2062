"""Puts code of the package into docs/contributing.md: ``python docs/make_contributing.py``.

The block after ``<!-- live: FILE NAME ... -->`` has the code of these names in FILE, without docstrings, and
the block after ``<!-- live: FILE -->`` has all of FILE.
"""

import ast
import pathlib
import re
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "contributing.md"
LIVE = re.compile(r"<!-- live: (.+?) -->\n```python\n.*?```", re.S)


def page(text):
    """The text of the page with the code as it is now."""

    def renewed(match):
        file, *names = match[1].split()
        return f"<!-- live: {match[1]} -->\n```python\n{source(ROOT / file, names)}```"

    return LIVE.sub(renewed, text)


def source(path, names):
    """The code of top-level names, or of ``Class.method``, with blank lines between definitions."""
    text = path.read_text(encoding="utf-8")
    if not names:
        return text
    parts = [_code(text.splitlines(), _found(ast.parse(text), name)) for name in names]
    return "\n\n\n".join(parts) + "\n"


def _found(node, name):
    for part in name.split("."):
        (node,) = [each for each in node.body if part in _names(each)]
    return node


def _names(node):
    if isinstance(node, ast.Assign):
        return [ast.unparse(target) for target in node.targets]
    return [ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else getattr(node, "name", None)]


def _code(lines, node):
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))]) - 1
    kept = lines[first : node.end_lineno]
    if hasattr(node, "body") and ast.get_docstring(node) is not None:
        start, end = node.body[0].lineno - 1 - first, node.body[0].end_lineno - first
        kept = kept[:start] + kept[end + (not kept[end].strip()) :]  # and the blank line after it
    return textwrap.dedent("\n".join(kept))


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
