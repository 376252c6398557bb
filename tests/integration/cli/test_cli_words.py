"""What is said is so: once, with what to do, and with the code that the process leaves with."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
from pathlib import Path

import psycopg
import pytest

import orchestrator
from orchestrator.kernel.errors import translate
from tests.support.cli import Cli, spawn
from tests.support.database import Database

EXAMPLE = Path(orchestrator.__file__).parent / "plans" / "example"

DSN_THAT_CANNOT = (
    "postgresql://u@no-such-host.invalid/db",
    "host=/nowhere/at/all dbname=x",
    "postgresql://u@127.0.0.1:99999/db",
    "host=127.0.0.1 port=abc",
    "host=127.0.0.1 port=1 sslmode=maybe",
    "nonsense",
)


def test_a_phase_that_waits_at_a_gate_has_not_failed(verified: Database, cli: Cli) -> None:
    assert cli("start", "example").code == 3
    stage = cli.ok("status", "--json").json["plans"][0]["stages"][0]
    assert stage["phases"]["contract"]["state"] == "pending"
    assert verified.value("SELECT count(*) FROM changeover.event WHERE kind = 'phase.failed'") == 0
    cli.ok("rollback", "--plan", "example", "--to", "backfill")
    whys = {why for (why,) in verified.rows("SELECT detail ->> 'why' FROM changeover.event WHERE kind ~ 'back$'")}
    assert whys == {"it is taken back after success", "everything that it did is taken back"}


def test_a_job_logs_nothing_but_json_and_the_code_that_it_leaves_with(verified: Database) -> None:
    job = spawn(verified.dsn, "run", "contract", "--plan", "example", "--stage", "customers")
    _, err = job.communicate(timeout=60)
    lines = [json.loads(line) for line in err.splitlines()]
    failed = next(line for line in lines if line["event"] == "job.failed")
    assert (job.returncode, failed["exit_code"], failed["level"]) == (3, 3, "error")
    assert lines[-1]["event"] == "job.error"
    assert lines[-1]["todo"]
    for wrong in (("--plan", "nowhere"), ("--plan", "example", "--no-such-option")):
        job = spawn(verified.dsn, "run", "verify", *wrong, "--stage", "customers")
        _, err = job.communicate(timeout=60)
        (line,) = [json.loads(line) for line in err.splitlines()]
        assert (job.returncode, line["exit_code"], line["level"]) == (2, 2, "error")


def test_a_signal_is_in_the_log_as_the_code_that_the_process_leaves_with(verified: Database) -> None:
    with verified.connect(autocommit=False) as holder:
        holder.execute("LOCK TABLE public.customers IN ACCESS EXCLUSIVE MODE")
        job = spawn(verified.dsn, "run", "verify", "--plan", "example", "--stage", "customers", "--grace", "1")
        assert job.stderr is not None
        heard = [json.loads(job.stderr.readline())]
        while heard[-1]["event"] != "phase.started":
            heard.append(json.loads(job.stderr.readline()))
        job.send_signal(signal.SIGTERM)
        _, err = job.communicate(timeout=60)
    lines = [json.loads(line) for line in err.splitlines()]
    ends = [line["exit_code"] for line in lines if line["event"] in {"job.failed", "job.ended"}]
    assert (job.returncode, ends) == (130, [130])


@pytest.mark.parametrize("dsn", DSN_THAT_CANNOT)
def test_a_dsn_that_can_never_work_is_the_users_mistake(dsn: str) -> None:
    done = Cli(dsn)("status", "--json")
    assert done.code == 2
    assert done.error["todo"]


def test_a_server_that_is_not_there_may_come_back() -> None:
    assert Cli("postgresql://u@127.0.0.1:1/db")("status").code == 1


@pytest.mark.parametrize(
    "statement",
    ["SELECT 1 / 0", "SELECT nothing", "INSERT INTO pg_class DEFAULT VALUES", "DO $$ BEGIN RAISE 'so'; END $$"],
)
def test_every_error_of_the_server_has_a_to_do(database: Database, statement: str) -> None:
    with pytest.raises(psycopg.Error) as raised:
        database.run(statement)
    assert translate(raised.value).todo


def test_start_waits_for_a_runner_that_is_still_there(verified: Database, cli: Cli) -> None:
    with verified.connect() as runner:
        runner.execute(
            "UPDATE changeover.lease SET owner = 'another', expires_at = clock_timestamp() + interval '4 seconds', "
            "pids = ARRAY[pg_backend_pid()]"
        )
        assert cli("start", "example", "--until", "verify").code == 1
        cli.ok("start", "example", "--until", "verify", "--wait", "60")


def test_a_table_that_is_left_alone_is_in_the_last_word(database: Database, tmp_path: Path) -> None:
    database.run("CREATE TABLE public.a (id integer PRIMARY KEY, n text)")
    database.run("CREATE TABLE public.b (id integer, n text) PARTITION BY LIST (id)")
    (tmp_path / "new.sql").write_text("CREATE TABLE public.c (id integer PRIMARY KEY, src text, n text, o jsonb);")
    (tmp_path / "find.sql").write_text(
        "SELECT 'public.' || t AS table_name, t AS discriminator FROM (VALUES ('a'), ('b')) AS v (t)"
    )
    (tmp_path / "plan.yaml").write_text(
        "plan: alone\nversion: 1\nstages:\n  - stage: s\n    expand: [new.sql]\n    mappings:\n"
        "      - {unify: public.c, discover: find.sql, key: {column: id}, discriminator: src, originals: o,\n"
        "         types: {n: text}, columns: {n: s.n}, reverse: {n: t.n}}\n"
    )
    out = Cli(database.dsn).ok("plan", "check", str(tmp_path)).out
    assert out.splitlines()[-1] == "Nothing stops this plan. It leaves 1 table alone: public.b."
    find = (tmp_path / "find.sql").read_text()
    (tmp_path / "find.sql").write_text(find.replace("('b')", "('aa')"))
    out = Cli(database.dsn).ok("plan", "check", str(tmp_path)).out
    assert out.splitlines()[-1] == "Nothing stops this plan. Named, and not there: public.aa."


def test_what_there_is_to_do_can_be_typed_as_it_is(shops: Database, tmp_path: Path) -> None:
    """A hint gives the plan as the operator gave it."""
    folder = tmp_path / "our plans" / "shops"
    shutil.copytree(EXAMPLE, folder)
    text = (folder / "plan.yaml").read_text()
    (folder / "plan.yaml").write_text(text.replace("plan: example", "plan: shops"))
    cli = Cli(shops.dsn)
    cli.ok("init")
    early = cli("run", "backfill", "--plan", str(folder), "--stage", "customers", "--json")
    hints = [early.error["todo"]]
    cli.ok("start", str(folder / "plan.yaml"), "--until", "verify")  # the file itself will do
    hints += [gate["todo"] or "" for gate in cli.ok("gate", "list", str(folder), "--json").json]
    typed = [shlex.split(each) for hint in hints for each in re.findall(r"`changeover ([^`]+)`", hint)]
    of_files = [words for words in typed if words[0] in {"run", "start", "verify", "gate"}]
    assert of_files != []
    assert [words for words in of_files if str(folder) not in words and str(folder / "plan.yaml") not in words] == []
    (plan,) = cli.ok("status", "--json").json["plans"]
    assert plan["waiting"]["todo"].startswith("Move the readers")  # its gates are known: the run remembers the folder
