"""Command lines that stand in documents and manifests, held against the real command line without running anything."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import typer

from orchestrator.cli.main import build

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(argv: Sequence[str]) -> dict[str, Any]:
    """Parse what comes after `changeover`, as the program would; the values of the options. What is wrong raises."""
    command, name, arguments = _program(), "changeover", list(argv)
    while hasattr(command, "commands"):
        assert arguments, f"`{name}` alone is no command"
        word = arguments.pop(0)
        assert word in command.commands, f"`{name}` has no command {word!r}"
        command, name = command.commands[word], f"{name} {word}"
    with command.make_context(name, arguments) as context:
        return dict(context.params)


@cache
def _program() -> Any:
    return typer.main.get_command(build())
