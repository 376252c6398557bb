"""A `demo.yaml`: every shipped plan but CQMS has a good one, and a bad one is told before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.demo.scripted.client import Client, Scene
from orchestrator.demo.scripted.script import load_script
from orchestrator.plan.errors import PlanError
from orchestrator.plan.loader import load, shipped

PLAN = """
plan: cards
version: 1
stages:
  - stage: cards
    expand: [cards.sql]
"""
SCRIPT = """
grow: grow.sql
old:
  records:
    card: {insert: "i {tag} {n}", update: ["u {tag} {was}"], found: {t: q}}
  requests: {shared: "s {n}"}
new:
  cards:
    requests: {fresh: "f"}
counts: {t: {table: t, migrated: m}}
"""


def pack(folder: Path, script: str | None) -> Path:
    (folder / "plan.yaml").write_text(PLAN)
    (folder / "cards.sql").write_text("CREATE TABLE public.cards (id integer)")
    if script is not None:
        (folder / "demo.yaml").write_text(script)
    return folder


@pytest.mark.parametrize("name", [name for name in shipped() if name != "cqms"])
def test_every_shipped_plan_has_a_demo_of_both_versions(name: str) -> None:
    plan = load(name)
    script = load_script(plan)
    assert script.old.records
    assert any(side.records for side in script.new.values())
    assert "{rows}" in plan.read(script.grow)
    assert all("{tag}" in record.insert and record.found for record in script.records.values())
    assert all("{was}" in each for record in script.records.values() for each in record.update)
    reasons = {
        reason for stage in plan.model.stages for each in stage.mappings for reason in getattr(each, "rejects", {})
    }
    counted = {reason for each in script.counts.values() for reason in each.rejects}
    assert reasons <= counted <= reasons | {"repeated"}, "each reason of the plan, and those that the engine gives"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "has no demo.yaml"),
        ("old: [", "demo.yaml"),
        (SCRIPT.replace("grow:", "grown:"), "grow"),
        (SCRIPT.replace("  cards:\n    requests", "  decks:\n    requests"), "no stage decks"),
    ],
)
def test_a_script_that_is_wrong_is_told(tmp_path: Path, script: str | None, said: str) -> None:
    with pytest.raises(PlanError) as caught:
        load_script(load(str(pack(tmp_path, script))))
    assert said in caught.value.what


def jobs(scene: Scene, version: str, number: int) -> set[str]:
    client = Client("", f"x-{version}{number}", version, number, scene, 1)
    return {job.kind for job in client.jobs()}


def test_a_new_client_does_as_the_old_ones_until_a_stage_is_open(tmp_path: Path) -> None:
    scene = Scene(load_script(load(str(pack(tmp_path, SCRIPT)))))
    assert jobs(scene, "old", 0) == {"insert card", "shared"}
    assert jobs(scene, "old", 1) == {"insert card"}
    assert jobs(scene, "new", 0) == {"insert card"}
    scene.opened.append("cards")
    assert jobs(scene, "new", 0) == {"fresh"}
    assert jobs(scene, "new", 1) == set()
    assert jobs(scene, "old", 0) == {"insert card", "shared"}
