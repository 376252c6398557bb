"""What each kind compiles to is what a person has looked at: a change shows in the golden file, line by line.

`make golden` writes the files anew; the difference belongs to the commit that makes it.
"""

from __future__ import annotations

import pytest

from orchestrator.mapping.kinds import KINDS
from tests.unit.golden import answers
from tests.unit.golden.compiled import FOLDER, compiled
from tests.unit.golden.plans import PLANS


@pytest.mark.parametrize("kind", PLANS)
def test_a_kind_compiles_to_its_golden_file(kind: str) -> None:
    conn = answers.Replaying(answers.read(FOLDER / f"{kind}.catalog.json"))
    assert compiled(conn, PLANS[kind]) == (FOLDER / f"{kind}.sql").read_text(), "look at it, then `make golden`"


def test_every_kind_has_one() -> None:
    assert set(PLANS) == set(KINDS)
    assert {path.name for path in FOLDER.iterdir()} == {f"{k}{end}" for k in KINDS for end in (".sql", ".catalog.json")}


def test_the_files_say_nothing_of_the_server_that_was_asked() -> None:
    for path in FOLDER.iterdir():
        assert not {"changeover_owner_", "t_", "golden_"} & set(path.read_text().split('"')), path.name
