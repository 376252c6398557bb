"""What a job shows: metrics that Prometheus' own checker accepts, health, and logs without secrets."""

from __future__ import annotations

import json
import subprocess
import threading
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import conninfo_to_dict

from orchestrator.observability.state import FAMILIES
from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.running import ROWS, Running, eventually, moving, nothing_is_lost, slow
from tests.support.tools import program

pytestmark = pytest.mark.newest


def samples(text: str) -> dict[tuple[str, str], float]:
    """Every sample by name and labels; what does not parse raises."""
    return {
        (sample.name, ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def check(text: str) -> dict[tuple[str, str], float]:
    """Promtool and the parser of the client library take it."""
    command = [program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    found = samples(text)
    ours = [name for name, _ in found if name.startswith("changeover_")]
    assert ours
    return found


def get(job: Running, path: str) -> tuple[int, str]:
    """Ask the job's own server."""
    port = job.until("metrics.listening")["port"]
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode()


def test_a_job_is_watched_while_it_works(mirrored: Database, cli: Cli) -> None:
    slow(cli)
    with Running(mirrored.dsn, "backfill", "--metrics-port", "0") as job:
        moving(mirrored)
        assert get(job, "/healthz")[0] == 200
        assert get(job, "/readyz")[0] == 200
        assert get(job, "/nothing")[0] == 404
        cli.ok("throttle", "set", "example", "--sql-probe", "queue=SELECT 9", "limit.queue=5")
        stage = "stage=customers"
        eventually(
            lambda: (
                samples(get(job, "/metrics")[1]).get(("changeover_throttled", f"plan=example,reason=queue,{stage}"))
                == 1
            )
        )
        found = check(get(job, "/metrics")[1])
        assert found["changeover_phase_state", f"phase=backfill,plan=example,{stage},state=running"] == 1
        assert found["changeover_throttled", f"plan=example,reason=queue,{stage}"] == 1
        assert found["changeover_throttle_seconds_total", f"plan=example,reason=queue,{stage}"] > 0
        assert found["changeover_probe_value", f"plan=example,probe=queue,{stage}"] == 9
        assert found["changeover_lease_held", "plan=example"] == 1
        assert found["changeover_lease_age_seconds", "plan=example"] < 60
        assert found["changeover_rows_copied_total", "source=public.customers_old"] > 0
        source = "plan=example,source=public.customers_old,stage=customers"
        assert 0 < found["changeover_rows_processed", source] < ROWS
        assert found["changeover_rows_remaining", source] > 0
        with Running(mirrored.dsn, "backfill", "--wait", "60", "--metrics-port", "0") as second:
            second.until("lease.waiting")
            assert get(second, "/healthz")[0] == 200
            assert get(second, "/readyz")[0] == 503
        cli.ok("cancel", "example")
        job.ended()


def test_numbers_are_right_after_a_restart(mirrored: Database, cli: Cli) -> None:
    nothing_is_lost(mirrored)
    found = check(cli.ok("metrics").out)
    where = "plan=example,source=public.customers_old,stage=customers"
    assert found["changeover_rows_processed", where] == ROWS + 5
    assert found["changeover_rows_remaining", where] == 0
    assert found["changeover_queue_waiting", where] == 0
    stage = "plan=example,stage=customers"
    assert found["changeover_verify_clean", stage] == 1
    assert ROWS < found["changeover_verify_rows", stage] < 2 * ROWS, "each row of the two tables once"
    rejects = {labels: value for (name, labels), value in found.items() if name == "changeover_rejects"}
    assert sum(rejects.values()) == 2
    assert found["changeover_gate_met", f"gate=verified,{stage}"] == 1
    assert found["changeover_flag_stage", "flag=USE_UNIFIED_CUSTOMERS,stage=dualwrite"] == 1
    assert found["changeover_ledger_readable", ""] == 1


def test_every_metric_of_the_ledger_is_read(mirrored: Database, cli: Cli) -> None:
    nothing_is_lost(mirrored)
    cli.ok("pause", "example")
    mirrored.run("UPDATE public.customers SET name = 'other' WHERE name = 'N1000'; DELETE FROM changeover.queue")
    mirrored.run("""INSERT INTO changeover.flag_reading (flag, version, read, second, compared, old_ms, new_ms)
                    SELECT flag, version, 'report', now(), 3, '{3}', '{3}' FROM changeover.feature_flags""")
    names = {name.removeprefix("changeover_") for name, _ in check(cli.ok("metrics").out)}
    # Only where there are some.
    rare = {"warnings", "verify_mismatches", "lease_age_seconds", "refresh_age_seconds", "refresh_overdue_seconds"}
    assert {f"{name}_total" if family.counter else name for name, family in FAMILIES.items()} - names <= rare


def test_without_a_ledger_that_is_said_and_nothing_else(database: Database) -> None:
    found = check(Cli(database.dsn).ok("metrics").out)
    assert found["changeover_ledger_readable", ""] == 0
    assert {name for name, _ in found} == {"changeover_build_info", "changeover_ledger_readable"}


def test_labels_hold_no_keys(mirrored: Database, cli: Cli) -> None:
    nothing_is_lost(mirrored)
    text = cli.ok("metrics").out
    assert "example.com" not in text
    assert "SELECT" not in text


def test_logs_are_json_bound_and_without_secrets(mirrored: Database) -> None:
    password = str(conninfo_to_dict(mirrored.dsn)["password"])
    with Running(mirrored.dsn, "backfill", "--verbose") as job:
        assert job.ended() == 0
    assert password not in job.text
    bound = {(line["plan"], line["stage"], line["phase"]) for line in job.lines}
    assert bound == {("example", "customers", "backfill")}
    begun = next(number for number, line in enumerate(job.lines) if line["event"] == "phase.started")
    assert {line["run"] for line in job.lines[begun:]} == {1}
    batches = [line for line in job.lines if line["event"] == "backfill.batch"]
    assert {line["worker"] for line in batches} <= {0, 1}
    assert all(line.keys() >= {"timestamp", "level"} for line in job.lines)


def test_a_wrong_password_is_not_logged(mirrored: Database) -> None:
    wrong = f"{mirrored.dsn} password=hush-hush"
    with Running(wrong, "backfill") as job:
        assert job.ended() != 0
    assert "hush-hush" not in job.text
    assert json.loads(next(line for line in job.text.splitlines() if line.startswith("{")))


def test_who_waits_for_a_lock_is_counted_in_every_phase(mirrored: Database, cli: Cli) -> None:
    def waits() -> tuple[float, float]:
        found = check(cli.ok("metrics").out)
        return found["changeover_lock_waits", "whose=own"], found["changeover_lock_waits", "whose=behind"]

    assert waits() == (0, 0)
    ours, theirs = mirrored.connect(autocommit=False), mirrored.connect(autocommit=False)
    theirs.execute("SET application_name = 'the application'")
    theirs.commit()
    ours.execute("LOCK TABLE public.customers_old")
    reader = threading.Thread(target=theirs.execute, args=("SELECT FROM public.customers_old",))
    reader.start()
    eventually(lambda: waits() == (0, 1))
    ours.rollback()
    reader.join()
    writer = threading.Thread(target=ours.execute, args=("LOCK TABLE public.customers_old",))
    writer.start()
    eventually(lambda: waits() == (1, 0))
    theirs.rollback()
    writer.join()


def test_a_verification_under_way_hides_nothing_and_counts_as_progress(mirrored: Database, cli: Cli) -> None:
    nothing_is_lost(mirrored)
    stage = "plan=example,stage=customers"
    before = check(cli.ok("metrics").out)
    mirrored.run("""INSERT INTO changeover.verification (plan, stage, checksum, started_at)
                    VALUES ('example', 'customers', 'x', now() - interval '9 hours')""")
    stalled = check(cli.ok("metrics").out)
    assert stalled["changeover_verify_running", stage] == 1
    for name in ("verify_clean", "verify_rows", "verify_end_timestamp_seconds"):
        assert stalled[f"changeover_{name}", stage] == before[f"changeover_{name}", stage], name
    last = "changeover_last_progress_timestamp_seconds", "plan=example"
    assert stalled[last] == before[last]
    mirrored.run("""INSERT INTO changeover.verify_range (verification_id, scope, lo, hi)
                    SELECT max(id), 's', 0, 1 FROM changeover.verification""")
    assert check(cli.ok("metrics").out)[last] > before[last]
