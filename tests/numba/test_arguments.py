"""Arguments of kernels: few, and with named fields instead of positions in a tuple."""

import ast
import pathlib

import pytest

import linclf

PACKAGE = pathlib.Path(linclf.__file__).parent
COMPILED = {"kernel", "bare", "inlined", "compiled", "compiled_fast", "generic"}
MOST = 8


def is_compiled(function):
    """Whether a decorator compiles the function with Numba."""
    for decorator in function.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")
        if name in COMPILED or name == "register":
            return True
    return False


def compiled_functions():
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and is_compiled(node):
                yield f"{path.relative_to(PACKAGE)}:{node.name}", node


FUNCTIONS = dict(compiled_functions())


def test_kernels_are_found():
    assert {
        "_kernels/epoch.py:epoch",
        "_storage/csr.py:descend_csr",
        "losses/hinge.py:crammer_singer",
    } <= set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_few_arguments(name):
    arguments = FUNCTIONS[name].args
    assert len(arguments.args) + len(arguments.kwonlyargs) <= MOST


@pytest.mark.parametrize("name", FUNCTIONS)
def test_operands_have_names_for_their_parts(name):
    """Arguments are not unpacked, and only arrays are indexed by a number."""
    arrays = {"count", "slots", "scores", "x", "y", "z", "V", "G", "S", "T", "work"}
    arguments = {argument.arg for argument in FUNCTIONS[name].args.args} - arrays
    for node in ast.walk(FUNCTIONS[name]):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            by_number = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int)
            assert not (by_number and node.value.id in arguments), ast.unparse(node)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            assert not (isinstance(node.value, ast.Name) and node.value.id in arguments), ast.unparse(node)
