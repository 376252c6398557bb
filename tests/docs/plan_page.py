"""The page of all keys of a plan, made from the plan's schema and the table of what an expression may name."""

from __future__ import annotations

import json
from typing import Any, Final

from orchestrator.mapping.expressions import KNOWN, Scope
from orchestrator.mapping.kinds import KINDS
from orchestrator.plan.schema import schema

_PLACES: Final = {
    Scope.FORWARD: "`columns`, `match`, `create`",
    Scope.RULE: "`rejects`, `exempt`",
    Scope.BACK: "`reverse`, `value`",
    Scope.SOURCE: "`key`, `valid`, `order`, and the `when` of a split",
    Scope.TARGET: "`exists_when`, `on_source_delete`, and the `when` of a source",
    Scope.JOIN: "`join`",
}

HEAD: Final = """# Every key of a plan

<!-- Made by `make reference` from the schema of `plan.yaml`. -->

`changeover plan schema` prints the same as a JSON schema, for editors that complete and check while you write.
A key that begins with `x-` holds YAML anchors for the rest of the file and is not read. Unknown keys are refused.
A key marked *required* must be given. A type with a link has a section of its own.
"""
_PLAIN: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "map",
}


def page() -> str:
    """The page as Markdown."""
    whole = schema()
    parts = [HEAD, _section("Plan", whole)]
    order = _order(whole)
    parts += [_section(name, whole["$defs"][name]) for name in order]
    return "\n".join([*parts, _sight()])


def _sight() -> str:
    """What an expression may name, by kind and place."""
    lines = [
        "## What an expression may name",
        "",
        "`sources` are the names of a merge's sources, `lookups` those of the mapping's lookups.",
        "",
        "| kind | place | may name |",
        "|---|---|---|",
    ]
    for kind, each in KINDS.items():
        for scope, names in each.sight.items():
            shown = ", ".join(f"`{name}`" if name in KNOWN else name for name in sorted(names))
            lines.append(f"| {kind} | {_PLACES[scope]} | {shown} |")
    return "\n".join(lines) + "\n"


def _order(whole: dict[str, Any]) -> list[str]:
    """The definitions in the order in which a reader meets them."""
    found: list[str] = []

    def meet(node: Any) -> None:
        if isinstance(node, dict):
            name = _name(node)
            if name is not None and name not in found:
                found.append(name)
                meet(whole["$defs"][name])
            for key, value in node.items():
                if key not in {"$defs", "default", "discriminator"}:
                    meet(value)
        elif isinstance(node, list):
            for each in node:
                meet(each)

    meet(whole)
    return found


def _name(node: dict[str, Any]) -> str | None:
    reference = node.get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else None


def _shown(name: str) -> str:
    """The title of a section. Two classes of one name have their modules before them."""
    module, _, last = name.rpartition("__")
    return "AddedColumn" if last == "NewColumn" and "alter" in module else last


def _section(name: str, node: dict[str, Any]) -> str:
    lines = [f"## {_shown(name)}", "", " ".join(node.get("description", "").split()), ""]
    properties: dict[str, Any] = node.get("properties", {})
    if properties:
        required = set(node.get("required", []))
        lines += ["| key | type | meaning |", "|---|---|---|"]
        lines += [_row(key, value, required=key in required) for key, value in properties.items()]
    return "\n".join(lines) + "\n"


def _row(key: str, node: dict[str, Any], *, required: bool) -> str:
    meaning = " ".join(node.get("description", "").split())
    default = node.get("default")
    if required:
        meaning += " *Required.*"
    elif default not in (None, "", [], {}) and "$ref" not in json.dumps(node):
        meaning += f" Default: `{json.dumps(default)}`."
    return f"| `{key}` | {_cell(_type(node))} | {_cell(meaning.strip())} |"


def _type(node: dict[str, Any]) -> str:
    if (name := _name(node)) is not None:
        return f"[{_shown(name)}](#{_shown(name).lower()})"
    if options := node.get("anyOf") or node.get("oneOf"):
        return " or ".join(dict.fromkeys(_type(each) for each in options if each.get("type") != "null"))
    if values := node.get("enum") or ([node["const"]] if "const" in node else []):
        return " or ".join(f"`{each}`" for each in values)
    if node.get("type") == "array":
        return f"list of {_type(node.get('items', {}))}"
    members = node.get("additionalProperties")
    if node.get("type") == "object" and isinstance(members, dict) and members:
        return f"map to {_type(members)}"
    return _PLAIN.get(str(node.get("type")), "anything")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
