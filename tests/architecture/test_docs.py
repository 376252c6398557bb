"""What the README promises is there, and what is there stands in the README."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterator
from typing import Any

import typer

from tests.architecture.source import ROOT

README = (ROOT / "README.md").read_text()


def commands() -> Iterator[str]:
    """All commands of the command line: `init`, `plan show` and so on."""
    if importlib.util.find_spec("orchestrator.cli") is None:
        return
    main = importlib.import_module("orchestrator.cli.main")
    yield from walk(typer.main.get_command(main.build()), "")


def walk(command: Any, path: str) -> Iterator[str]:
    # Any: the class is click's, which typer brings under a name of its own.
    children = getattr(command, "commands", None)
    if children is None:
        yield path.strip()
        return
    for name, child in children.items():
        if not child.hidden:
            yield from walk(child, f"{path} {name}")


def test_every_command_is_shown() -> None:
    missing = [name for name in commands() if not re.search(rf"\bchangeover {re.escape(name)}\b", README)]
    assert missing == []


def test_every_make_target_that_is_shown_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^\s*|`)make ([a-z]+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"README shows `make {target}`"


def test_every_file_that_is_linked_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README):
        assert (ROOT / target).exists(), f"README links to {target}"
