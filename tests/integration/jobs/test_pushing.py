"""A job that is over before anybody scrapes it leaves its metrics at a Pushgateway; a broken one disturbs nobody."""

from __future__ import annotations

import urllib.request

import pytest

from tests.support.cli import Cli
from tests.support.database import Database
from tests.support.gateway import Gateway
from tests.support.running import ROWS, Running

pytestmark = pytest.mark.newest


def test_a_short_job_pushes_what_it_did_and_how_things_stand(mirrored: Database) -> None:
    phase = {"plan": "example", "stage": "customers", "phase": "backfill"}
    table = {"source": "public.customers_old"}
    with Gateway() as gateway:
        env = {"CHANGEOVER_METRICS__PUSH_URL": gateway.address}
        with Running(mirrored.dsn, "backfill", "--metrics-port", "0", env=env) as job:
            port = job.until("metrics.listening")["port"]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                assert b"changeover_phase_state" in answer.read()
            assert job.ended() == 0, job.text
        assert gateway.refused == []
        assert set(gateway.groups) == {"example/customers/backfill", "ledger"}
        mine = gateway.value("example/customers/backfill", "changeover_rows_copied_total", **table)
        assert mine is not None
        assert mine >= ROWS
        assert gateway.value("ledger", "changeover_phase_state", state="done", **phase) == 1
        assert gateway.value("ledger", "changeover_lease_held", plan="example") == 0

        with Running(mirrored.dsn, "contract", env=env) as job:
            assert job.ended() == 5, "verify comes first"
        assert gateway.value("ledger", "changeover_ledger_readable") == 1
        assert gateway.value("example/customers/backfill", "changeover_rows_copied_total", **table) == mine, (
            "its own group"
        )


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://[oops", "ftp://x y/", "refusing"])
def test_a_gateway_that_is_not_there_costs_a_line_in_the_log(mirrored: Database, address: str) -> None:
    with Gateway(500) as gateway:
        env = {"CHANGEOVER_METRICS__PUSH_URL": gateway.address if address == "refusing" else address}
        with Running(mirrored.dsn, "expand", env=env) as job:
            assert job.ended() == 0, job.text
        job.until("metrics.push_failed")


def test_without_a_database_the_push_says_that(mirrored: Database, cli: Cli) -> None:
    cli.ok("status")
    with Gateway() as gateway:
        wrong = f"{mirrored.dsn} password=wrong"
        with Running(wrong, "expand", env={"CHANGEOVER_METRICS__PUSH_URL": gateway.address}) as job:
            assert job.ended() != 0
        assert gateway.value("ledger", "changeover_ledger_readable") == 0
