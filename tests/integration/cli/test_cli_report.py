"""The report: the plan's measures and what holds of every plan, each with its target and met or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.engine.report.measuring import rank
from orchestrator.plan.measures import Measure
from tests.support.cli import Cli
from tests.support.database import Database

PLAN = """\
plan: cups
version: 1
measures:
  - {measure: shelf, title: "A <shelf>", query: "SELECT c.id FROM public.cup c WHERE c.shelf = $1 ORDER BY c.id",
     keys: "SELECT DISTINCT c.shelf FROM public.cup c ORDER BY 1", runs: 12, p50_ms: 60000, p95_ms: 0.000001, index: true,
     document: one query and not 9, queries: 1}
  - {measure: cup, query: "SELECT c.shelf FROM public.cup c WHERE c.id = $1", keys: "SELECT 7", runs: 5, p95_ms: 60000, index: true}
  - {measure: shelves, query: "SELECT count(DISTINCT c.shelf) FROM public.cup c", at_least: 5, at_most: 9, unit: shelves}
  - {measure: odd, query: "SELECT avg(c.id) FROM public.cup c WHERE c.id < 0", at_most: 1}
  - {measure: slow, query: "SELECT pg_sleep(3)", timeout_seconds: 0.1}
  - {measure: writes, query: "SELECT nextval('public.numbers')", at_most: 1}
stages:
  - stage: cups
    expand: [new.sql]
    mappings:
      - unify: public.cup
        sources: [public.old_cup]
        key: {column: id}
        originals: originals
        types: {shelf: integer}
        columns: {shelf: s.shelf}
        reverse: {shelf: t.shelf}
        rejects: {no_shelf: s.shelf IS NULL}
"""


@pytest.fixture
def figures(database: Database, tmp_path: Path) -> tuple[Cli, str]:
    """Verified, with a large table and no index on `shelf`."""
    database.run("CREATE TABLE public.old_cup (id integer PRIMARY KEY, shelf integer); CREATE SEQUENCE public.numbers")
    database.run("INSERT INTO public.old_cup SELECT g, nullif(g % 9, 8) FROM generate_series(1, 12000) g")
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "new.sql").write_text(
        "CREATE TABLE public.cup (id integer PRIMARY KEY, shelf integer, originals jsonb);"
    )
    cli = Cli(database.dsn)
    cli.ok("init")
    cli.ok("start", str(tmp_path), "--until", "verify")
    database.run("ANALYZE public.cup")
    return cli, str(tmp_path)


def test_every_figure_has_its_target_and_is_met_or_not(figures: tuple[Cli, str], database: Database) -> None:
    cli, plan = figures
    done = cli.ok("report", plan, "--json", "--requests-failed", "2")
    found: dict[str, dict[str, Any]] = {each["measure"]: each for each in done.json["figures"]}
    met = {name: each["met"] for name, each in found.items()}
    assert met == {
        "shelf p50": True,
        "shelf p95": False,
        "shelf queries": None,
        "shelf index": True,
        "cup p50": None,
        "cup p95": True,
        "cup queries": None,
        "cup index": True,
        "shelves": True,
        "odd": False,
        "slow": False,
        "writes": False,
        "cups complete": True,
        "cups rows lost": True,
        "cups rows that differ": True,
        "rollback": None,
        "downtime": None,
        "requests failed": False,
    } | {"shelf index": False}
    assert found["shelf index"]["detail"]["read_whole"] == ["cup"]
    assert found["cup index"]["detail"]["indexes"] == ["cup_pkey"]
    assert found["shelf p95"]["document"] == "one query and not 9"
    assert (found["shelves"]["value"], found["shelves"]["target"]) == (8.0, "at least 5 and at most 9 shelves")
    assert "12,000 old rows = 10,667 migrated + 1,333 rejected and kept" in found["cups complete"]["words"]
    assert database.value("SELECT is_called FROM public.numbers") is False
    page = cli.ok("report", plan, "--html").out
    assert "A &lt;shelf&gt;, p95" in page
    assert "<shelf>" not in page
    assert "not known" in page
    text = cli.ok("report", plan).out
    assert "the application counts its own" in text
    assert cli("report", plan, "--html", "--json").code == 2


@pytest.mark.parametrize(("share", "value"), [(0.5, 5), (0.95, 10), (0.1, 1), (0.91, 10), (0.9, 9)])
def test_percentiles_are_by_nearest_rank(share: float, value: float) -> None:
    assert rank([float(n) for n in range(1, 11)], share) == value


@pytest.mark.parametrize("wrong", [{"at_most": 1, "p95_ms": 2}, {"at_least": 1, "keys": "SELECT 1"}, {"runs": 0}])
def test_a_measure_is_of_a_time_or_of_a_number(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Measure.model_validate({"measure": "m", "query": "SELECT 1", **wrong})
