from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.cli import Cli
from tests.support.database import Database

FLAG = "USE_UNIFIED_CUSTOMERS"

pytestmark = pytest.mark.every


def phases(cli: Cli) -> dict[str, str]:
    (plan,) = cli.ok("status", "--json").json["plans"]
    return {name: phase["state"] for name, phase in plan["stages"][0]["phases"].items()}


def go_live(cli: Cli) -> None:
    at = cli.ok("flag", "get", FLAG, "--json").json["stage"]
    ladder = ["off", "dualwrite", "shadow", "live"]
    for stage in ladder[ladder.index(at) + 1 :]:
        cli.ok("flag", "set", FLAG, "--stage", stage, "--reason", "test", "--yes")


def test_start_stops_in_words_at_the_first_unmet_gate(shops: Database) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    done = cli("start", "example", "--workers", "1", "--json")
    assert done.code == 3
    assert [p["phase"] for p in done.json["phases"]] == ["expand", "dual-write", "backfill", "verify"]
    assert "gate" in done.error["what"]
    assert done.error["exit_code"] == 3
    assert phases(cli)["verify"] == "done"
    again = cli("start", "example")
    assert again.code == 3
    assert "gate" in again.err
    assert "Traceback" not in again.err


def test_until_stops_there_and_a_second_start_finds_it_done(shops: Database) -> None:
    cli = Cli(shops.dsn)
    cli.ok("init")
    assert "expand" in cli.ok("start", "example", "--until", "expand").out
    assert phases(cli)["dual-write"] == "pending"
    assert "done already" in cli.ok("start", "example", "--until", "expand").out
    done = cli.ok("run", "dual-write", "--plan", "example", "--stage", "customers", "--json").json
    assert (done["phase"], done["state"]) == ("dual-write", "done")
    assert cli("run", "verify", "--plan", "example", "--stage", "customers").code == 5


def test_the_whole_way_to_contract_and_back(verified: Database, cli: Cli) -> None:
    go_live(cli)
    waived = cli.ok("rejects", "waive", "--all", "--reason", "agreed", "--json").json
    assert len(waived["waived"]) == 2
    cli.ok("start", "example")
    assert phases(cli)["contract"] == "done"
    assert verified.value("SELECT to_regclass('archive.customers_old') IS NOT NULL") is True
    unasked = cli("rollback", "--plan", "example", "--json")
    assert (unasked.code, FLAG in unasked.error["what"]) == (2, True)
    ahead = cli.ok("rollback", "--plan", "example", "--dry-run", "--json").json
    assert (ahead["phases"][0][1], ahead["flags"][0]["stage"]) == ("contract", "live")
    assert FLAG in cli.ok("rollback", "--plan", "example", "--dry-run").out
    assert phases(cli)["contract"] == "done"
    back = cli.ok("rollback", "--plan", "example", "--reason", "wrong night", "--yes", "--json").json
    assert {p["state"] for p in back} == {"rolled_back"}
    assert verified.value("SELECT count(*) FROM public.customers_old") == 5
    assert "done already" in cli.ok("rollback", "--plan", "example").out
    assert cli("rollback", "--plan", "example", "--to", "nowhere").code == 2
    cli.ok("uninstall")


def test_a_rollback_can_stop_on_the_way(cli: Cli) -> None:
    cli.ok("rollback", "--plan", "example", "--stage", "customers", "--to", "dual-write")
    assert phases(cli)["dual-write"] == "done"
    assert phases(cli)["backfill"] == "rolled_back"
    assert cli("rollback", "--plan", "example", "--to", "nowhere").code == 2


def test_status_shows_stages_tables_rejects_and_gates(cli: Cli) -> None:
    (plan,) = cli.ok("status", "--json").json["plans"]
    (stage,) = plan["stages"]
    assert {s["name"] for s in stage["sources"]} == {"public.customers_old", "public.customers_west"}
    assert sum(s["rejects"] for s in stage["sources"]) == 2
    assert {g["gate"]: g["met"] for g in stage["gates"]} == {"verified": True, "flag": False, "rejects": False}
    shown = cli.ok("status").out
    for words in ("public.customers_old", "gate flag: not met", FLAG, "verification: clean"):
        assert words in shown


def test_history_tells_who_did_what(cli: Cli) -> None:
    events = cli.ok("history", "--json", "--limit", "5").json
    assert len(events) == 5
    assert all(event["actor"] for event in events)
    assert "phase.done" in cli.ok("history").out


def test_verify_is_clean_and_counts(cli: Cli) -> None:
    (result,) = cli.ok("verify", "--plan", "example", "--json").json
    assert result["clean"] is True
    assert all(c["legacy"] == c["migrated"] + c["rejected"] for c in result["counts"])
    shown = cli.ok("verify", "--plan", "example", "--stage", "customers").out
    assert "adds up" in shown
    assert re.search(rf"{result['counts'][0]['source']} +{result['counts'][0]['mapping']} ", shown)


def test_verify_ends_with_4_names_the_difference_and_repairs_it(verified: Database, cli: Cli) -> None:
    verified.run(
        "ALTER TABLE public.customers DISABLE TRIGGER USER;"
        "UPDATE public.customers SET name = 'Mallory' WHERE email = 'ann@example.com';"
        "ALTER TABLE public.customers ENABLE TRIGGER USER"
    )
    done = cli("verify", "--plan", "example", "--json")
    assert done.code == 4
    (result,) = done.json
    assert result["differences"] == 1
    assert result["samples"][0]["columns"] == ["name"]
    assert done.error["exit_code"] == 4
    cli("verify", "--plan", "example", "--repair")
    cli.ok("verify", "--plan", "example")
    assert verified.value("SELECT name FROM public.customers WHERE email = 'ann@example.com'") == "Ann Archer"


def test_rejects_are_listed_as_the_contract_says(cli: Cli) -> None:
    found: list[dict[str, Any]] = cli.ok("rejects", "list", "--json").json
    assert len(found) == 2
    for reject in found:
        assert reject.keys() >= {"source", "key", "reason", "stage", "row", "created_at", "id", "state"}
        assert reject["reason"] == "no_mail"
        assert reject["stage"] == "customers"
    assert {r["source"] for r in found} == {"public.customers_old", "public.customers_west"}
    only = cli.ok("rejects", "list", "--source", "public.customers_old", "--json").json
    assert [r["key"] for r in only] == ["5"]
    assert cli.ok("rejects", "list", "--reason", "nothing", "--json").json == []
    assert "no_mail" in cli.ok("rejects", "list", "--plan", "example", "--stage", "customers").out


def test_one_reject_is_shown_whole(cli: Cli) -> None:
    (first, _) = cli.ok("rejects", "list", "--json").json
    shown = cli.ok("rejects", "show", str(first["id"]), "--json").json
    assert shown["row"] == first["row"]
    assert first["reason"] in cli.ok("rejects", "show", str(first["id"])).out
    assert cli("rejects", "show", "4711").code == 2


def test_rejects_are_replayed_and_waived_by_name_and_never_by_mistake(cli: Cli) -> None:
    first, second = (reject["id"] for reject in cli.ok("rejects", "list", "--json").json)
    replayed = cli.ok("rejects", "replay", "--all", "--json").json
    assert replayed == {"replayed": 2, "drained": 0, "still_rejected": 2}
    assert cli("rejects", "waive", "--reason", "no").code == 2
    assert cli("rejects", "replay").code == 2
    assert cli("rejects", "waive", str(first), "--all", "--reason", "no").code == 2
    assert cli("rejects", "waive", str(first)).code == 2
    assert cli.ok("rejects", "waive", str(first), "--reason", "a test", "--json").json["waived"] == [first]
    assert cli("rejects", "waive", "999999999", "--reason", "there is none").code == 5
    assert "waived already" in cli.ok("rejects", "waive", str(first), "--reason", "again").out
    states = {r["id"]: r["state"] for r in cli.ok("rejects", "list", "--json").json}
    assert states == {first: "waived", second: "open"}


def test_flags_are_listed_got_set_and_remembered(cli: Cli) -> None:
    (flag,) = cli.ok("flag", "list", "--json").json
    assert flag["flag"] == FLAG
    assert cli.ok("flag", "get", FLAG, "--json").json == {**flag, "proposal": None}
    go_live(cli)
    unasked = cli("flag", "set", FLAG, "--rollout", "100", "--stage", "rampdown", "--json")
    assert (unasked.code, unasked.error["todo"]) == (2, "Add --yes if it is meant.")
    live = cli.ok("flag", "set", FLAG, "--rollout", "10", "--reason", "one in ten", "--json").json
    assert (live["stage"], live["rollout"], live["reason"]) == ("live", 10, "one in ten")
    stale = cli("flag", "set", FLAG, "--rollout", "20", "--expect-version", "1", "--yes", "--json")
    assert stale.code == 5
    assert "version" in stale.error["what"]
    off = cli.ok("flag", "set", FLAG, "--disabled", "--json").json
    assert off["enabled"] is False
    entries = cli.ok("flag", "history", FLAG, "--json").json
    assert [e["stage"] for e in entries][-1] == off["stage"]
    assert FLAG in cli.ok("flag", "history").out
    assert FLAG in cli.ok("flag", "list").out


@pytest.mark.parametrize(
    "arguments",
    [
        ("get", "NOPE"),
        ("set", "NOPE", "--stage", "live"),
        ("set", FLAG),
        ("set", FLAG, "--rollout", "101"),
        ("set", FLAG, "--stage", "lively"),
        ("set", FLAG, "--stage", "live", "--disabled"),
    ],
)
def test_a_wrong_word_about_a_flag_is_the_users_mistake(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli("flag", *arguments, "--json")
    assert done.code == 2
    assert done.error["exit_code"] == 2
