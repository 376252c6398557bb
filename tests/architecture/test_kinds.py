"""Nobody asks which kind a mapping is: the kinds answer, in `orchestrator/mapping/kinds/` and nowhere else.

The modules beside that folder that are named after a kind (`unify.py`, `merge_back.py`) compile it and know its class.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from orchestrator.mapping.kinds import KINDS
from tests.architecture.source import PACKAGES, ROOT, named, shown

HOME = ROOT / "orchestrator/mapping/kinds"
CLASSES = {each.__name__ for each in KINDS.values()}
FIELDS = {name for each in KINDS.values() for name in each.model_fields}


def questions(text: str) -> Iterator[str]:
    """Where a text imports a kind, tests for its class, or guesses at a field that only some kinds have."""
    for node in ast.walk(ast.parse(text)):
        asked = ""
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("orchestrator.mapping"):
            asked = ", ".join(sorted({name.name for name in node.names} & CLASSES))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1:
            words = {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
            if node.func.id == "isinstance" and words & CLASSES:
                asked = ast.unparse(node)
            elif node.func.id in {"getattr", "hasattr"} and isinstance(node.args[1], ast.Constant):
                about = ast.unparse(node.args[0])
                if node.args[1].value in FIELDS and about.split(".")[-1] in {"mapping", "spec", "kind"}:
                    asked = ast.unparse(node)
        elif isinstance(node, ast.Compare) and ast.unparse(node.left).endswith(".kind"):
            words = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
            asked = ast.unparse(node) if words & set(KINDS) else ""
        if asked:
            yield f"{getattr(node, 'lineno', 0)}: {asked}"


def test_only_the_kinds_know_which_kind_a_mapping_is() -> None:
    files = [p for p in named(".py", under=PACKAGES) if p.parent != HOME]
    compilers = {
        p for p in files if p.parent.name == "mapping" and any(f"{p.stem}_".startswith(f"{k}_") for k in KINDS)
    }
    asking = [f"{shown(p)}:{each}" for p in files if p not in compilers for each in questions(p.read_text())]
    assert asking == []


@pytest.mark.parametrize(
    "text",
    [
        "from orchestrator.mapping.kinds.split import Split",
        "isinstance(m, Split | Unify)",
        "getattr(mapping, 'discover', None)",
        "mapping.kind == 'merge'",
    ],
)
def test_a_question_is_noticed(text: str) -> None:
    assert list(questions(text)) == [f"1: {text.rpartition('import ')[2]}"]


def test_every_kind_has_a_module_of_its_own() -> None:
    assert {each.__module__ for each in KINDS.values()} == {f"orchestrator.mapping.kinds.{kind}" for kind in KINDS}
    assert {path.stem for path in HOME.glob("*.py")} == {"__init__", "base", *KINDS}
