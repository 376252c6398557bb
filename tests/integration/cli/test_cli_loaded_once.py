"""A command reads its plan once, from the line that is typed to the first statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestrator.plan import loader

if TYPE_CHECKING:
    from tests.support.cli import Cli

pytestmark = pytest.mark.newest


@pytest.mark.parametrize(
    "command",
    [
        ("start", "example", "--until", "verify"),
        ("run", "expand", "--plan", "example", "--stage", "customers"),
        ("verify", "--plan", "example"),
        ("plan", "check", "example"),
        ("rollback", "--plan", "example", "--dry-run"),
        ("rollback", "--plan", "example", "--yes", "--to", "verify"),
    ],
    ids=" ".join,
)
def test_the_plan_is_read_once(cli: Cli, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    read: list[str] = []
    real = loader.parse

    def counted(text: str, label: str, *more: object) -> object:
        read.append(label)
        return real(text, label, *more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(loader, "parse", counted)
    cli.ok(*command)
    assert len(read) == 1, read
