from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from orchestrator.cli import output, progress
from orchestrator.cli.context import plan_name
from orchestrator.kernel.errors import UsageError
from orchestrator.kernel.events import Bus
from orchestrator.kernel.words import counted_of, duration

PROGRESS = {
    "pages_done": 1,
    "pages_total": 4,
    "rows_seen": 100,
    "rows_copied": 99,
    "rows_rejected": 1,
    "percent": 25.0,
    "rows_per_second": 50.0,
    "pages_per_second": 1.0,
    "eta_seconds": 90.0,
}


@dataclass(frozen=True)
class Thing:
    name: str
    at: datetime
    number: Decimal


def test_json_is_of_plain_values(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json([Thing("ä", datetime(2024, 2, 29, tzinfo=UTC), Decimal("1.10"))])
    printed = capsys.readouterr().out
    assert json.loads(printed) == [{"name": "ä", "at": "2024-02-29T00:00:00+00:00", "number": 1.1}]
    assert "1.10" in printed


@pytest.mark.parametrize("number", ["1.10", "-0", "12345678901234567890.123456789", "1E+400"])
def test_a_number_is_printed_digit_for_digit(number: str) -> None:
    assert output.as_json(Decimal(number)) == number


def test_what_json_has_no_number_for_is_text() -> None:
    assert json.loads(output.as_json([Decimal("NaN"), "1.10"])) == ["NaN", "1.10"]


def test_text_of_the_user_is_never_markup_and_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("[red]" + "x" * 300)
    output.table(("a", "b"), [("[bold]", None), (["x", "y"], True)], right=("b",))
    out = capsys.readouterr().out
    assert "[red]" + "x" * 300 in out
    assert "[bold]" in out
    assert "x, y" in out


def test_the_end_is_told_once_and_no_rate_before_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    bus = Bus()
    bus.subscribe(progress.Lines(lambda: 0.0))
    end = {**PROGRESS, "percent": 100.0, "eta_seconds": None, "rows_rejected": 0, "rows_per_second": 0.0}
    bus.emit("verify.progress", **end)
    bus.emit("verify.progress", **{**end, "rows_per_second": 12.0})
    assert capsys.readouterr().err.splitlines() == ["comparing: 100.0 %, 100 rows"]


def test_plain_lines_come_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    bus = Bus()
    bus.subscribe(progress.Lines(lambda: now))
    bus.emit("phase.started", stage="a", phase="backfill")
    bus.emit("backfill.progress", **PROGRESS)
    now = 1.0
    bus.emit("backfill.progress", **PROGRESS)
    bus.emit("backfill.progress", **{**PROGRESS, "pages_total": 0, "percent": 100.0})
    now = 6.0
    bus.emit("backfill.progress", **{**PROGRESS, "eta_seconds": None, "rows_rejected": 0})
    bus.emit("backfill.batch", seen=1)
    bus.emit("phase.done", stage="a", phase="backfill", seconds=6.0)
    bus.emit("phase.done")
    assert bus.failures == 0
    assert capsys.readouterr().err.splitlines() == [
        "a: backfill",
        "copying: 25.0 %, 100 rows, 1 rejected, 50/s, 1 min 30 s left",
        "copying: 25.0 %, 100 rows, 50/s",
        "a: backfill done in 6.0 s",
        "phase.done",
    ]


def test_bars_come_and_go_with_the_phases() -> None:
    console = Console(record=True, force_terminal=True, width=100)
    bus = Bus()
    with progress.bars(console) as display:
        bus.subscribe(progress.Bars(display))
        bus.emit("phase.started", stage="a", phase="backfill")
        bus.emit("backfill.progress", **PROGRESS)
        assert [task.percentage for task in display.tasks] == [25.0]
        bus.emit("backfill.progress", **{**PROGRESS, "percent": 50.0})
        assert [task.percentage for task in display.tasks] == [50.0]
        bus.emit("backfill.paused", reason="replica lag", probes=["lag"])
        bus.emit("phase.done", stage="a", phase="backfill", seconds=1.0)
        assert display.tasks == []
    assert bus.failures == 0
    assert "pausing: replica lag" in console.export_text()


def test_the_listener_is_gone_after_the_block(capsys: pytest.CaptureFixture[str]) -> None:
    bus = Bus()
    with progress.listener(bus):
        bus.emit("phase.started", stage="a", phase="b")
    bus.emit("phase.started", stage="a", phase="c")
    with progress.listener(bus, quiet=True):
        bus.emit("phase.started", stage="a", phase="d")
    assert capsys.readouterr().err.splitlines() == ["a: b"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (3599, "59 min 59 s"), (7500, "2 h 05 min")]
)
def test_durations_are_said_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_plan_is_known_to_the_ledger_by_its_name(tmp_path: Any) -> None:
    nowhere = "host=127.0.0.1 port=1"
    assert plan_name(nowhere, None) is None
    assert plan_name(nowhere, "example") == "example"
    with pytest.raises(UsageError):
        plan_name(nowhere, f"{tmp_path}/nothing")


@pytest.mark.parametrize(
    ("number", "plural", "said"),
    [
        (1, "batches", "1 batch"),
        (1, "retries", "1 retry"),
        (1, "rows", "1 row"),
        (0, "retries", "0 retries"),
        (1, "steady", "1 steady"),
    ],
)
def test_one_of_several_is_one(number: int, plural: str, said: str) -> None:
    assert counted_of(number, plural) == said


COLUMNS = ("table", "open", "reason", "detail")
ROWS = [("public.a_table_with_a_long_name", 7, "no_subject", "what was written here " * 4), ("public.b", 12, "x", None)]


def _printed(width: int, rows: Any = ROWS) -> list[str]:
    console = Console(force_terminal=True, no_color=True, width=width, color_system=None)
    with console.capture() as printed:
        console.print(output.made_table(COLUMNS, rows, right=("open",), indent=2))
    return [line.rstrip() for line in printed.get().splitlines()]


def test_a_narrow_terminal_wraps_sentences_and_cuts_no_word() -> None:
    lines = _printed(90)
    assert lines[0].split() == list(COLUMNS)
    assert any("public.a_table_with_a_long_name     7  no_subject  what was written" in line for line in lines)
    assert max(map(len, lines)) <= 90
    assert len(lines) > 3


@pytest.mark.parametrize("width", [40, 60])
def test_a_terminal_that_is_too_narrow_for_a_table_gets_paragraphs(width: int) -> None:
    lines = _printed(width)
    assert lines[0] == "  public.a_table_with_a_long_name"
    assert lines[1].startswith("    open 7  reason no_subject")
    assert lines[-2:] == ["  public.b", "    open 12  reason x"]
    assert max(map(len, lines)) <= width


def test_what_is_no_terminal_is_a_table_whatever_its_width(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(*ROWS[0][:3], "w" * 500), ROWS[1]]
    output.table(COLUMNS, rows)
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.split() == list(COLUMNS)
    assert second.endswith("w" * 500)
    assert third.split() == ["public.b", "12", "x", "-"]


def test_a_table_of_no_rows_is_its_head() -> None:
    assert _printed(30, [])[0].split()[0] == "table"
