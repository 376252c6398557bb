"""Answers of a plan's checks: what each query gave, when, and whether that is good.

Those of a verification go with it. The last answer of each check, at each moment, is the one that counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from psycopg.types.json import Jsonb

from orchestrator.ledger.statements import delete, equal, insert, order, select
from orchestrator.ledger.store import About, Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from orchestrator.ledger.runs import Run


ORPHANS: Final = "orphans of "
"""How the checks are called that the engine asks of each foreign key, without the plan saying so."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check answered; `rows` is how many it gave, `sample` the first of them."""

    check: str
    moment: str
    ok: bool
    binding: bool
    """Whether another answer than the good one stops what comes next."""
    words: str
    seconds: float = 0.0
    rows: int | None = None
    sample: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Result:
    """A row of `changeover.check_result`."""

    id: int
    stage: str
    check_name: str
    moment: str
    ok: bool
    binding: bool
    words: str
    rows: int | None
    sample: list[Any]
    seconds: float
    at: datetime


def record(ledger: Ledger, run: Run, stage: str, answers: Sequence[Answer], *, verification: int | None = None) -> None:
    """Store answers; those that are not good are events as well."""
    with ledger.transaction():
        for each in answers:
            values = {
                "run_id": run.id,
                "verification_id": verification,
                "stage": stage,
                "check_name": each.check,
                "moment": each.moment,
                "ok": each.ok,
                "binding": each.binding,
                "words": each.words,
                "rows": each.rows,
                "sample": Jsonb(each.sample),
                "seconds": each.seconds,
            }
            ledger.run(insert("check_result", values))
            if not each.ok:
                detail = {"check": each.check, "moment": each.moment, "words": each.words, "binding": each.binding}
                ledger.event("check.not_good", About(run.plan, stage), **detail)


def latest(ledger: Ledger, run: Run, stage: str) -> list[Result]:
    """The last answer of each check at each moment, in the order in which they came."""
    chosen = select(Result, "check_result", *equal(run_id=run.id, stage=stage))
    last = {(found.check_name, found.moment): found for found in ledger.all(chosen + order("id"), Result)}
    return sorted(last.values(), key=lambda result: result.id)


def withdraw(ledger: Ledger, run: Run, stage: str) -> None:
    """A stage is taken back: what was true of it is no more."""
    ledger.run(delete("check_result", *equal(run_id=run.id, stage=stage)))
