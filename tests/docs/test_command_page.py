"""The page of the command: its Python examples and console sessions print the output shown."""

import doctest
import os
import pathlib
import re
import shlex

import pytest

from linclf.cli import main

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "command.md"
CHECKER = doctest.OutputChecker()


def sessions(text):
    """Pairs of a command and what it prints, by the line of the page."""
    for block in re.finditer(r"```console\n(.+?)```", text, re.S):
        for part in re.split(r"^\$ ", block[1], flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield block.start(), command, output


@pytest.fixture
def back():
    here = os.getcwd()
    yield
    os.chdir(here)


def test_the_page_prints_what_it_says(back, capsys):
    text = PAGE.read_text(encoding="utf-8")
    runner = doctest.DocTestRunner()
    names: dict = {}
    events = [
        (match.start(), "python", match[1]) for match in re.finditer(r"```python\n(.+?)```", text, re.S)
    ]
    events += [(at, command, output) for at, command, output in sessions(text)]
    assert len(events) == 5
    for _, command, content in sorted(events, key=lambda event: event[0]):
        if command == "python":
            example = doctest.DocTestParser().get_doctest(content, names, "page", None, 0)
            runner.run(example, clear_globs=False)
            names = example.globs
            continue
        capsys.readouterr()
        assert main(shlex.split(command)[1:]) == 0
        printed = capsys.readouterr().out
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert CHECKER.check_output(content, printed, options), f"{command} prints\n{printed}"
    assert runner.summarize(verbose=False).failed == 0
