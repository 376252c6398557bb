"""The order of what the backfill does after the rows."""

from __future__ import annotations

from phases.backfill import Backfill
from phases.base import Work

KEY = "ALTER TABLE public.{0} ADD CONSTRAINT {0}_key FOREIGN KEY (a) REFERENCES public.other (id)"


def test_all_keys_bind_before_what_waits_is_drained_once_and_they_are_validated() -> None:
    work = Work("s", keys=[(f"keys.sql:{n}", KEY.format(table)) for n, table in enumerate(("one", "two", "three"))])
    ids = [each.id.replace("constraint public.", "").split(".")[0] for each in Backfill().actions(work)]
    assert [each.partition(" ")[0] for each in ids] == [
        "one",
        "two",
        "three",
        "drain",
        "validate",
        "validate",
        "validate",
    ]
    assert list(Backfill().actions(Work("s"))) == []
