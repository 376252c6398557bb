"""The page of all commands, made from the parser itself."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import typer

from orchestrator.cli.main import build

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD: Final = """# Commands

<!-- Made by `make reference` from the command line itself. -->

Every command that reads a database takes `--dsn-file FILE`, the environment variable `CHANGEOVER_DSN`, or `--dsn`,
which other users of the machine can read. `PLAN` is the name of a shipped plan or the path of a folder.
Text that others have written (reasons, names, keys, rows) reaches a terminal with every control character escaped.

Exit codes: 0 done · 1 try again · 2 wrong use · 3 a gate is not met · 4 rows differ · 5 drift or refusal · 7 no lock to be had.
"""
_EVERYWHERE: Final = {"dsn", "dsn_file", "verbose", "help", "as_json", "json"}
"""Options that the head explains."""


def commands() -> Iterator[tuple[str, Any]]:
    """Each command that does something, with its full name. Hidden ones are left out."""
    yield from _walk(typer.main.get_command(build()), "changeover")


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    # Any: the class is click's, which typer brings under a name of its own.
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for word, child in sorted(children.items()):
        if not child.hidden:
            yield from _walk(child, f"{name} {word}")


def page() -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *(_section(name, command) for name, command in commands())])


def _section(name: str, command: Any) -> str:
    given = [p for p in command.params if p.name not in _EVERYWHERE and not getattr(p, "hidden", False)]
    usage = " ".join([name, *(_usage(p) for p in given)])
    lines = [f"## {name}", "", f"    {usage}", "", _prose(command.help or "")]
    rows = [_row(p) for p in given]
    if rows:
        lines += ["", "| | meaning |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _usage(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = re.sub(r"[\[\]{}.]", "", parameter.metavar or parameter.name).upper()
        name += "…" if parameter.nargs == -1 else ""
        return name if parameter.required else f"[{name}]"
    flag = max(parameter.opts, key=len)
    shown = flag if getattr(parameter, "is_flag", False) else f"{flag} {_value(parameter)}"
    return shown if parameter.required else f"[{shown}]"


def _value(parameter: Any) -> str:
    kind = parameter.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(each.value) for each in kind)
    given: str = parameter.metavar or {"int": "N", "float": "NUMBER"}.get(getattr(kind, "__name__", ""), parameter.name)
    return given.upper().replace(" ", "_")


def _row(parameter: Any) -> str:
    name = _usage(parameter).strip("[]")
    text = " ".join((parameter.help or "").split())
    return f"| `{_cell(name)}` | {_cell(text)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _prose(text: str) -> str:
    """The help text; lines that are indented or begin with the program's name are examples."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", text.replace("\b", "").strip()):
        lines = [line.strip() for line in paragraph.strip().splitlines()]
        if lines and all(line.startswith("changeover ") for line in lines):
            paragraphs.append("\n".join(f"    {line}" for line in lines))
        else:
            paragraphs.append(" ".join(lines))
    return "\n\n".join(paragraphs)
