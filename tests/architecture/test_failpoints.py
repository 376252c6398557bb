"""Failpoints are declared, and what is declared is really passed."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator

from orchestrator.kernel import failpoints
from tests.architecture.source import PACKAGES, ROOT, named


def calls(function: str) -> Iterator[ast.expr]:
    """The first argument of every call of `failpoint(...)` or `failpoints.failpoint(...)` in the program."""
    for path in named(".py", under=PACKAGES):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name == function:
                    yield node.args[0]


def test_every_failpoint_is_declared_and_every_declared_one_is_used() -> None:
    for path in named(".py", under=PACKAGES):
        if "declare(" in path.read_text() and path.name != "failpoints.py":
            module = path.relative_to(ROOT).with_suffix("")
            importlib.import_module(".".join(module.parts))
    literal = {node.value for node in calls("failpoint") if isinstance(node, ast.Constant)}
    constants = sum(not isinstance(node, ast.Constant) for node in calls("failpoint"))
    declared = set(failpoints.NAMES)
    assert literal <= declared, "declare these at import: failpoints.declare(name, what has happened there)"
    if not constants:
        assert declared == literal, "these are declared and never passed"
