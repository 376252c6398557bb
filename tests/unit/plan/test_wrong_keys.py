"""A key that is none, one that is missing and a value of another sort are told by line, in the words of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.plan.errors import PlanError
from orchestrator.plan.loader import load

PLAN = """\
plan: boats
version: 1
stages:
  - stage: boats
    mappings:
      - unify: public.boats
        sources: [public.boat]
        key: {column: id}
        columns: {name: s.name}
      - split: public.marks
        sources: [public.boat]
        key: {column: id}
        item: mark
        columns: {score: v.number}
        when: v.number > 0
        value: t.score
    contract: {keep_days: 3}
"""


@pytest.mark.parametrize(
    ("words", "instead", "said"),
    [
        ("    mappings:", "    mapping:", "line 5: there is no key `mapping` here; did you mean `mappings`?"),
        ("sources:", "source:", "line 7: there is no key `source` here; did you mean `sources`?"),
        ("keep_days: 3", "gates: {soak: 3}", "there is no key `soak` here; did you mean `soak_hours`?"),
        (
            "keep_days: 3",
            "gates: {zzz: 3}",
            "there is no key `zzz` here; there are approvals, flag, rejects, soak_hours.",
        ),
        ("        when: v.number > 0\n", "", "line 10: `when` is missing: Condition over v: which columns count."),
        ("version: 1", "version: one", "line 2: `version`: it should be a valid integer"),
        ("{name: s.name}", "{name: {form: s.name}}", "there is no key `form` here; did you mean `from`?"),
        ("value: t.score", "value: no", "line 16: `value`: it should be a valid string: YAML reads no"),
        ("{name: s.name}", "{name: 7}", "/plan.yaml: line 9: `name`: it should be a valid string."),
    ],
)
def test_a_mistake_is_told_by_its_line(tmp_path: Path, words: str, instead: str, said: str) -> None:
    assert words in PLAN
    (tmp_path / "plan.yaml").write_text(PLAN.replace(words, instead, 1))
    with pytest.raises(PlanError) as caught:
        load(str(tmp_path))
    assert said in caught.value.what


def test_mistakes_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = PLAN.replace("version: 1", "versio: 1").replace("item:", "itm:").replace("keep_days", "keep_day")
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(PlanError) as caught:
        load(str(tmp_path))
    lines = [int(each.split(":")[0]) for each in caught.value.what.split("line ")[1:]]
    assert len(lines) >= 3
    assert lines == sorted(lines)
