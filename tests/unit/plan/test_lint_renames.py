"""A table under two names, and the mappings that read or write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestrator.plan.lint import lint
from orchestrator.plan.loader import load

if TYPE_CHECKING:
    from pathlib import Path

LINKS = """\
  - stage: links
    flag: USE_LINKS
    mappings:
      - in_place: public.tasks
        columns: {kind_id: {type: integer, from: kind.id}}
        lookups:
          kind: {table: public.kinds, match: kind.word = s.kind, FOLLOW}
    contract: {archive: none}
"""
COPY = """\
  - stage: copy
    flag: USE_COPY
    mappings:
      - derive: public.copies
        sources: [public.tasks]
        key: {column: id, target: id}
        types: {id: bigint}
        columns: {task: s.id}
    contract: {archive: none}
"""
NAMES = """\
  - stage: names
    rename: [RENAME]
    contract: {archive: none, gates: {flag: none}}
"""
ENDS, WATCHES, MOVES = "goes at `retire`", "watches word of public.kinds", "reads or writes the rows of"
FOLLOWED, LOOKED_UP = LINKS.replace("FOLLOW", "follow: true"), LINKS.replace("FOLLOW", "key: id")
DROPPED = LOOKED_UP.replace(
    "        lookups", "        drop: [kind]\n        reverse: {kind: t.kind_id::text}\n        lookups"
)


@pytest.mark.parametrize("late", [True, False], ids=["a later stage", "an earlier stage"])
@pytest.mark.parametrize(
    ("mapping", "rename", "said"),
    [
        (LOOKED_UP, "{table: public.kinds, to: sorts}", [ENDS]),
        (LOOKED_UP, "{table: public.kinds, to: sorts, columns: {word: code}}", [ENDS]),
        (FOLLOWED, "{table: public.kinds, to: sorts, columns: {word: code}}", [ENDS, WATCHES]),
        (FOLLOWED, "{table: public.kinds, to: sorts, columns: {color: colour}}", [ENDS]),
        (LOOKED_UP, "{table: public.kinds, new_names_in: v2, columns: {word: code}}", ["word of public.kinds go, or get"]),
        (LOOKED_UP, "{table: public.kinds, new_names_in: v2, columns: {color: colour}}", []),
        (DROPPED, "{table: public.kinds, to: sorts}", []),
        (LOOKED_UP, "{table: public.tasks, to: jobs}", [ENDS, MOVES]),
        (COPY, "{table: public.Tasks, to: jobs}", [ENDS, MOVES]),
        (COPY, "{table: public.copies, to: duplicates}", [ENDS, MOVES]),
        (COPY, "{table: public.others, to: jobs}", []),
    ],
)  # fmt: skip
def test_what_a_rename_takes_from_a_mirror_is_told(
    tmp_path: Path, mapping: str, rename: str, said: list[str], *, late: bool
) -> None:
    names = NAMES.replace("RENAME", rename)
    stages = mapping + names if late else names + mapping
    (tmp_path / "plan.yaml").write_text(f"plan: p\nversion: 1\nstages:\n{stages}")
    found = [each.message for each in lint(load(str(tmp_path))) if each.level == "error"]
    assert len(found) == len(said), found
    for words in said:
        assert any(words in message for message in found), found
