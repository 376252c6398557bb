"""`alter:` and `rename:`: what can be said without a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.plan.errors import PlanError
from orchestrator.plan.lint import lint
from orchestrator.plan.loader import load

HEAD = "plan: p\nversion: 1\nstages:\n  - stage: one\n"


def plan(folder: Path, keys: str) -> str:
    (folder / "plan.yaml").write_text(HEAD + "".join(f"    {line}\n" for line in keys.splitlines()))
    return str(folder)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("alter: [{table: t, comment: x}]", "with its schema"),
        ("alter: [{table: public.t, add: {a: serial}}]", "is a type only"),
        ("alter: [{table: public.t, add: {a: int NOT NULL}}]", "is a type only"),
        ("alter: [{table: public.t, add: {a: {type: int, nullable: false}}}]", "needs a `default`"),
        ("alter: [{table: public.t, add: {a: int}, columns: {A: {comment: x}}}]", "named twice"),
        ("alter: [{table: public.t, add: {a b: int}}]", "no name of a column"),
        ("alter: [{table: public.t, constraints: {c: {check: a, unique: [a]}}}]", "one of check, unique, foreign_key"),
        ("alter: [{table: public.t, constraints: {c: {unique: [a], replaces: d}}}]", "for a check or a foreign key"),
        ("rename: [{table: public.t}]", "give `to`"),
        ("rename: [{table: public.t, to: u, new_names_in: v}]", "give `to`"),
        ("rename: [{table: public.t, new_names_in: v}]", "which columns"),
        ("rename: [{table: public.t, to: a.b}]", "no name of a column"),
    ],
)
def test_a_key_that_cannot_be_meant_is_refused(tmp_path: Path, keys: str, said: str) -> None:
    with pytest.raises(PlanError) as raised:
        load(plan(tmp_path, keys))
    assert said in raised.value.what


@pytest.mark.parametrize(
    ("keys", "level", "said"),
    [
        ("alter: [{table: public.T, comment: x}]\nrename: [{table: public.t, to: u}]", "error", "stage of its own"),
        ("rename: [{table: public.t, to: u}]", "warning", "`retire` does not come"),
        (
            "alter: [{table: public.t, drop: [a]}]\nrename: [{table: public.T, to: u}]",
            "error",
            "a plan that comes later",
        ),
        ("alter: [{table: public.t, constraints: {c: {check: a, when: contract}}}]", "error", "waits for contract"),
    ],
)
def test_what_does_not_go_together_is_told(tmp_path: Path, keys: str, level: str, said: str) -> None:
    found = [each for each in lint(load(plan(tmp_path, keys))) if said in each.message]
    assert [each.level for each in found] == [level]


def test_names_fold_as_in_sql(tmp_path: Path) -> None:
    keys = 'alter: [{table: Public."T", add: {A: int, \'"B"\': int}}]'
    (alter,) = load(plan(tmp_path, keys)).model.stages[0].alter
    assert alter.parts == ("public", "T")
