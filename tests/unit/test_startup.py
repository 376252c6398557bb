"""What a process imports before it begins: counted, not timed, so that it does not grow unnoticed on any machine."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import typer

from orchestrator.cli import main

_IMPORTED = """
import json, sys
sys.argv = ["changeover", *{arguments}]
from orchestrator.cli.entry import main
try:
    main()
except SystemExit as exc:
    print()
    print(json.dumps([exc.code, sorted(sys.modules)]))
"""

DRIVERS = {"psycopg", "asyncpg", "sqlalchemy", "pydantic", "structlog", "yaml", "prometheus_client"}
UNUSED_BY_A_PHASE = {"sqlalchemy", "prometheus_client", "structlog"}
"""What describes the ledger's tables for `init`, counts where a port is set, and logs where a phase begins to."""
SERVERS = {"uvicorn", "starlette", "openfeature", "opentelemetry"}


def imported(*arguments: str) -> set[str]:
    """The modules of a process that carried out these arguments, successfully."""
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED.format(arguments=list(arguments))], capture_output=True, text=True, check=True
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


def test_the_version_needs_no_driver_and_no_command() -> None:
    modules = imported("--version")
    assert modules.isdisjoint(DRIVERS | SERVERS)
    assert {name for name in modules if name.startswith("orchestrator.")} == {
        "orchestrator.cli",
        "orchestrator.cli.entry",
        "orchestrator.cli.main",
    }
    assert len(modules) <= 320, f"{len(modules)} modules"  # 279 with Python 3.11


def test_a_phase_needs_no_server_and_no_other_command() -> None:
    modules = imported("run", "--help")
    assert modules.isdisjoint(SERVERS | UNUSED_BY_A_PHASE)
    commands = {f"orchestrator.cli.{name}" for name in (*main.MODULES, *sum(main.GROUPS.values(), ()))}
    assert modules & commands <= {"orchestrator.cli.jobs", "orchestrator.cli.moves"}
    other_work = {"check.check", "rollback.rollback", "contract.retiring", "verify.verifying", "contract.archiving"}
    other_work |= {"report.status", "drain.upkeep", "gates.answering"}
    assert modules.isdisjoint({f"orchestrator.engine.{name}" for name in other_work})
    assert len(modules) <= 880, f"{len(modules)} modules"  # 864 with Python 3.11


def test_every_command_is_built_alone_as_it_is_in_the_whole() -> None:
    whole = commands()
    assert list(whole) == [name for names in (*main.MODULES.values(), main.GROUPS) for name in names]
    for name, each in whole.items():
        alone = commands(name)
        assert name in alone
        assert [p.name for p in alone[name].params] == [p.name for p in each.params]
        assert list(getattr(alone[name], "commands", ())) == list(getattr(each, "commands", ()))


@pytest.mark.parametrize("first", ["", "--help", "no-such-command", "--verbose"])
def test_anything_else_has_all_commands(first: str) -> None:
    assert list(commands(first)) == list(commands())


def commands(first: str = "") -> dict[str, Any]:
    """The commands of the command line that begins with this word."""
    found: dict[str, Any] = typer.main.get_command(main.build(first)).commands  # type: ignore[attr-defined]
    return found
