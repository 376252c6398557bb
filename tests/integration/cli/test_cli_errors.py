"""Every way to get it wrong ends in words and a code, never in a traceback."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from psycopg.conninfo import make_conninfo

from orchestrator.cli.main import build
from orchestrator.demo.ports import free_port
from orchestrator.engine import commands
from orchestrator.engine.errors import StoppedError
from orchestrator.kernel import connections
from orchestrator.kernel.errors import LockTimeoutError
from tests.support.cli import Cli, spawn
from tests.support.database import Database

NOT_INSTALLED = [
    ("history",),
    ("rejects", "list"),
    ("rejects", "show", "1"),
    ("rejects", "replay", "--all"),
    ("rejects", "waive", "--all", "--reason", "x"),
    ("flag", "list"),
    ("flag", "get", "X"),
    ("flag", "set", "X", "--stage", "off"),
    ("flag", "history"),
    ("start", "example"),
    ("run", "expand", "--plan", "example", "--stage", "customers"),
    ("verify", "--plan", "example"),
    ("rollback", "--plan", "example"),
    ("gate", "list", "example"),
]


def every_command() -> Iterator[tuple[str, ...]]:
    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        children = getattr(command, "commands", None)
        if children is None:
            yield path
            return
        for name, child in children.items():
            yield from walk(child, (*path, name))

    yield from walk(typer.main.get_command(build()), ())


NAMES_NOTHING = [
    ("status", "--plan"),
    ("history", "--plan"),
    ("drain", "--plan"),
    ("rejects", "list", "--plan"),
    ("rejects", "summary", "--plan"),
    ("rejects", "waivers", "--plan"),
    ("rejects", "replay", "--all", "--plan"),
    ("rejects", "waive", "--all", "--reason", "x", "--plan"),
    ("flag", "history"),
    ("flag", "mismatches"),
]


@pytest.mark.newest
def test_a_slip_in_a_name_is_no_empty_answer(shops: Database) -> None:
    cli = Cli(shops.dsn)
    assert cli("init").code == 0
    for arguments in NAMES_NOTHING:
        done = cli(*arguments, "no_such")
        assert done.code in {2, 5}, arguments
        assert "no_such" in done.err
        assert "Traceback" not in done.err
        assert not done.out
    assert "Plan umig was not run here yet" in cli("status", "--plan", "umig").out


@pytest.mark.newest
@pytest.mark.parametrize("arguments", NOT_INSTALLED, ids=" ".join)
def test_not_initialised_says_so(shops: Database, arguments: tuple[str, ...]) -> None:
    done = Cli(shops.dsn)(*arguments)
    assert done.code == 5
    assert "changeover init" in done.err
    assert "Traceback" not in done.err
    as_json = Cli(shops.dsn)(*arguments, "--json")
    assert as_json.out == ""
    assert as_json.error["exit_code"] == 5


def test_status_without_ledger_is_an_answer(shops: Database) -> None:
    assert "changeover init" in Cli(shops.dsn).ok("status").out


def test_a_wrong_password_is_the_users_mistake(database: Database) -> None:
    secret = "not-the-password-at-all"
    done = Cli(make_conninfo(database.dsn, password=secret))("status", "--json")
    assert done.code == 2
    assert done.error["sqlstate"] == "28P01"
    assert secret not in done.err


def test_a_database_that_is_not_there_is_the_users_mistake(database: Database) -> None:
    done = Cli(make_conninfo(database.dsn, dbname="nowhere"))("status", "--json")
    assert done.code == 2
    assert done.error["sqlstate"] == "3D000"


@pytest.mark.parametrize(
    "arguments", [("status",), ("init",), ("doctor",), ("plan", "check", "example"), ("flag", "list")]
)
def test_a_server_that_is_down_may_come_back(arguments: tuple[str, ...]) -> None:
    done = Cli(f"postgresql://ann:secret@127.0.0.1:{free_port()}/x")(*arguments)
    assert done.code == 1
    assert "Check that the server is up" in done.err
    assert "secret" not in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("dsn", "arguments", "words"),
    [
        (None, ("status",), "CHANGEOVER_DSN"),
        ("nonsense", ("status",), "Check the DSN"),
        ("dbname=x", ("strat",), "start"),
        (None, ("status",), "--dsn-file"),
        (None, ("flag",), "No command was given"),
        ("dbname=x", ("start", "exmple"), "Shipped plans"),
        ("dbname=x", ("rollback", "--plan", "my_shop"), "the path of its folder"),
        ("dbname=x", ("start", "example", "--wrokers", "2"), "changeover start --help"),
        ("dbname=x", ("start", "example", "--workers", "0"), "--workers"),
        ("dbname=x", ("start", "example", "--kind", "party"), "rehearsal"),
        ("dbname=x", ("start",), "PLAN"),
        ("dbname=x", ("plan", "lint", "./nowhere"), "./nowhere"),
        ("dbname=x", ("rejects", "show", "one"), "changeover rejects show --help"),
    ],
)
def test_a_mistake_on_the_command_line_ends_with_2(dsn: str | None, arguments: tuple[str, ...], words: str) -> None:
    done = Cli(dsn)(*arguments)
    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err
    as_json = Cli(dsn)(*arguments, "--json")
    assert as_json.code == 2
    assert as_json.out == ""
    assert as_json.error["exit_code"] == 2


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGEOVER_WORKERS", "many")
    done = Cli("dbname=x")("status")
    assert done.code == 2
    assert "CHANGEOVER_WORKERS" in done.err


@pytest.mark.newest
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "bakcfill", "--plan", "example", "--stage", "customers"),
        ("run", "backfill", "--plan", "example", "--stage", "shops"),
        ("start", "example", "--until", "never"),
        ("verify", "--plan", "example", "--stage", "shops"),
    ],
    ids=" ".join,
)
def test_a_phase_or_stage_that_is_none_ends_with_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)
    assert done.code == 2
    assert "customers" in done.err or "expand" in done.err


def test_a_lock_timeout_ends_with_7(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise LockTimeoutError("No lock.", kept="Nothing was changed.")

    monkeypatch.setattr(commands, "start", refused)
    done = Cli("dbname=x")("start", "example", "--json")
    assert done.code == 7
    assert done.error["kept"] == "Nothing was changed."


def test_a_fault_of_ours_shows_where_it_is_and_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(dsn: str, *_: Any, **__: Any) -> None:
        raise LookupError(dsn)

    monkeypatch.setattr(commands, "status", broken)
    done = Cli("postgresql://ann:secret@db/x")("status")
    assert done.code == 1
    assert "Traceback" in done.err
    assert "a fault in Changeover" in done.err
    assert "secret" not in done.err


def test_the_first_signal_stops_after_the_batch_and_says_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def working(*_: Any, stop: threading.Event, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(60)
        raise StoppedError("The copy")

    monkeypatch.setattr(commands, "start", working)
    before = signal.getsignal(signal.SIGTERM)
    done = Cli("dbname=x")("start", "example")
    assert signal.getsignal(signal.SIGTERM) is before
    assert done.code == 130
    assert "Stopping after the batch in hand" in done.err
    assert "Every committed batch" in done.err


def test_the_second_signal_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def stubborn(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(commands, "start", stubborn)
    done = Cli("dbname=x")("start", "example", "--json")
    assert done.code == 130
    assert "kept" in done.error


@pytest.mark.newest
def test_ctrl_c_ends_a_watch_quietly(shops: Database) -> None:
    process = spawn(shops.dsn, "status", "--watch", "--json", "--interval", "0.2")
    assert process.stdout is not None
    assert process.stdout.readline().startswith('{"installed": false')
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == ""


@pytest.mark.newest
def test_a_reader_that_goes_away_is_no_fault(verified: Database) -> None:
    process = spawn(verified.dsn, "status", "--watch", "--interval", "0.2")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stream:
        err = stream.read()
    assert process.wait(60) != 0
    assert "Traceback" not in err


@pytest.mark.parametrize("command", list(every_command()), ids=" ".join)
def test_every_command_explains_itself_with_an_example(command: tuple[str, ...]) -> None:
    done = Cli(None).ok(*command, "--help")
    words = " ".join(done.out.split())
    assert f"changeover {' '.join(command)}" in words.replace("Usage: changeover", "Usage:")


def test_the_version_is_printed() -> None:
    assert Cli(None).ok("--version").out.startswith("changeover ")


def test_the_shell_completes_commands_plans_and_stages() -> None:
    for line, expected in (
        ("changeover sta", "status"),
        ("changeover start ex", "example"),
        ("changeover start example --stage c", "customers"),
        ("changeover start example --until back", "backfill"),
    ):
        words = line.split()
        env = {"_CHANGEOVER_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        out, _ = spawn(None, env=env).communicate(timeout=60)
        assert expected in out.split()


def test_a_table_that_somebody_holds_is_no_reason_to_hang(shops: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LOCK_TIMEOUT", "200ms")
    monkeypatch.setenv("CHANGEOVER_LOCK__ATTEMPTS", "3")
    cli = Cli(shops.dsn)
    cli.ok("init")
    cli.ok("run", "expand", "--plan", "example", "--stage", "customers")
    before = shops.schema_dump()
    with shops.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE public.customers_old IN ACCESS EXCLUSIVE MODE")
        held = cli("run", "dual-write", "--plan", "example", "--stage", "customers")
    assert held.code == 7
    assert "Traceback" not in held.err
    assert shops.schema_dump() == before
    cli.ok("run", "dual-write", "--plan", "example", "--stage", "customers")
