"""A table moves once, and the parent of a split is a table that a unify fills."""

from __future__ import annotations

from pathlib import Path

from orchestrator.plan.lint import lint
from orchestrator.plan.loader import load

PLAN = """\
plan: clinic
version: 1
stages:
  - stage: patients
    flag: USE_PATIENTS
    expand: [new.sql]
    mappings:
      - unify: public.patients
        sources: [public.patient]
        key: {column: id}
        originals: originals
        same: [name]
      - split: public.readings
        sources: [public.patient]
        key: {column: id, target: patient_id}
        parent: public.patients
        item: reading
        except: [id, name]
        when: v.number > 0
        columns: {value: v.number}
        value: t.value
"""
SECOND = """\
  - stage: cards
    flag: USE_CARDS
    mappings:
      - unify: public.cards
        sources: [Public.Patient]
        key: {column: id}
        originals: originals
        same: [card]
"""
NEW = """\
CREATE TABLE public.patients (id bigint PRIMARY KEY, name text, originals jsonb NOT NULL DEFAULT '{}');
CREATE TABLE public.readings (patient_id bigint, reading text, value numeric, PRIMARY KEY (patient_id, reading));
CREATE TABLE public.cards (id bigint PRIMARY KEY, card text, originals jsonb NOT NULL DEFAULT '{}');
"""


def errors(folder: Path, plan: str) -> list[str]:
    (folder / "plan.yaml").write_text(plan)
    (folder / "new.sql").write_text(NEW)
    return [str(each) for each in lint(load(str(folder))) if each.level == "error"]


def test_a_table_may_be_unified_and_split(tmp_path: Path) -> None:
    assert errors(tmp_path, PLAN) == []


def test_a_table_moves_once_in_all_stages(tmp_path: Path) -> None:
    (found,) = errors(tmp_path, PLAN + SECOND)
    assert "plan.yaml:26" in found, "the second mention is named"
    assert ".Patient is moved by mapping patients and by mapping cards" in found


def test_a_parent_is_the_target_of_a_unify(tmp_path: Path) -> None:
    (found,) = errors(tmp_path, PLAN.replace("parent: public.patients", "parent: public.patient"))
    assert "plan.yaml:16" in found
    assert "no unify of this plan moves rows to public.patient" in found
    assert "leave `parent` out" in found
    assert errors(tmp_path, PLAN.replace("        parent: public.patients\n", "")) == []
