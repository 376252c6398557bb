"""The compare step: both sides value by value, then the counting rule, then what the new schema promises.

The comparison itself is online and resumable (`backfill.compare`). Before it, what was created or changed
since the copy is taken in; after it, each source is counted in one snapshot: its rows = rows of the target
that came from it + its rejects. The result is stored with the plan's checksum; contract asks for it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row

from backfill.compare import compare
from backfill.drain import drain_until_empty
from backfill.errors import DrainError
from backfill.refs import MappingRef, SourceRef
from orchestrator.engine import queries
from orchestrator.engine.copy.copying import catch_up, copy, follow, lineage, not_taken_in, refresh
from orchestrator.engine.errors import StoppedError
from orchestrator.engine.gates import judging
from orchestrator.engine.results import CHECKS_NOT_MET, VerifyResult
from orchestrator.engine.run import seeded
from orchestrator.engine.stage_compiler import quoted
from orchestrator.engine.verify import promised
from orchestrator.kernel.errors import LockTimeoutError, RetryableError
from orchestrator.ledger import check_results, verifications
from orchestrator.ledger import sources as ledger_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.engine.session import Session
    from orchestrator.ledger.check_results import Answer
    from orchestrator.ledger.verifications import Verification
    from orchestrator.plan.model import Stage

_SAMPLES = 20
_COUNTS = 10


def verify(session: Session, stage: Stage, *, repair: bool = False, take_in: bool = True) -> VerifyResult:
    """Compare a stage; the result is recorded whatever it is.

    `take_in` first copies what came since: new tables, changed columns. Without it nothing is changed, save that the
    queue is drained; what was not taken in yet makes the result unclean.
    """
    outside = [] if take_in else not_taken_in(session, stage)
    if take_in:
        catch_up(session, lineage(session, stage))
        refresh(session, stage)
        for mapping_id in _mappings(session, stage):
            copy(session, stage, mapping_id)
    subject = verifications.Subject(session.plan.name, stage.stage, session.plan.checksum, session.run.id)
    verification, _ = verifications.start_or_resume(session.ledger, subject)
    sources = [
        SourceRef(s.id, s.name, s.oid)
        for s in ledger_sources.every(session.ledger, session.plan.name, stage.stage)
        if s.state in {"copied", "archived"} and s.oid in _present(session)
    ]
    targets = [
        MappingRef(row["id"], row["nspname"], row["relname"])
        for row in _rows(session, "mapping_targets.sql", {"plan": session.plan.name, "stage": stage.stage})
    ]

    async def run() -> Any:
        stop = asyncio.Event()
        watch = asyncio.create_task(follow(session.stop, stop))
        try:
            _tell_what_waits(session, stage)
            await _drain(session, sources, stop)
            return await compare(
                session.dsn,
                verification.id,
                sources,
                targets,
                workers=session.workers,
                repair=repair,
                bus=session.bus,
                stop=stop,
                fence=session.fence,
                runtime=session.terms.runtime,
            )
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    found = asyncio.run(run())
    if not found.complete:
        raise StoppedError(f"The verification of stage {stage.stage}")
    named = {r["id"]: r["name"] for r in _rows(session, "source_mappings.sql", {"plan": session.plan.name})}
    counted = [_counted(session, s, sources) for s in sources]
    counts = [{"source": s.name, "mapping": named[s.id], **c} for s, (c, _) in zip(sources, counted, strict=True)]
    checks = list(promised.checks(session.conn, session.plan, stage))
    checks += seeded.checks(session.conn, session.plan, stage)
    checks += [{"check": f"{name} is taken in", "ok": False} for name in outside]
    judged = judging.judge(session.dsn, session.plan, stage, "verify")
    checks += [_as_check(answer) for answer in judged]
    uncounted = [c for c, waiting in counted if _missing(c) > waiting]
    failed = [c for c in checks if not c["ok"] and c.get("binding", True)]
    clean = found.clean and not uncounted and not failed
    detail = {
        "by_kind": found.by_kind,
        "counts": counts,
        "exempt": _exempt(session, stage),
        "checks": checks,
        "repaired": found.repaired,
        "pending": found.pending,
        "clean": clean,
    }
    stored = _finish(session, verification, detail, clean=clean)
    check_results.record(session.ledger, session.run, stage.stage, judged, verification=stored.id)
    samples = [asdict(d) for d in verifications.differences(session.ledger, stored, limit=_SAMPLES)]
    return VerifyResult(
        stage=stage.stage,
        clean=clean,
        rows=found.rows_compared,
        differences=found.differences + len(uncounted) + len(failed),
        by_kind={
            **found.by_kind,
            **({"uncounted": len(uncounted)} if uncounted else {}),
            **({CHECKS_NOT_MET: len(failed)} if failed else {}),
        },
        seconds=round(found.seconds, 3),
        counts=counts,
        checks=checks,
        samples=samples,
        repaired=found.repaired,
        pending=found.pending,
    )


def _as_check(answer: Answer) -> dict[str, Any]:
    """An answer beside what is checked of the catalog."""
    about = {name: value for name, value in asdict(answer).items() if name != "moment"}
    return {**about, "words": judging.words(answer)}


def _tell_what_waits(session: Session, stage: Stage) -> None:
    """What is about to be drained: keys that mirrors left."""
    for row in session.conn.execute(queries.load("waiting_sources.sql"), {"plan": session.plan.name}):
        session.bus.emit("verify.draining", stage=stage.stage, source=row[1], keys=row[3])


async def _drain(session: Session, sources: Sequence[SourceRef], stop: asyncio.Event) -> None:
    """Drain what waits, suspicious or not. What cannot be drained shows in the comparison: pending, or different."""
    try:
        await drain_until_empty(session.dsn, sources, bus=session.bus, stop=stop, fence=session.fence)
    except (DrainError, LockTimeoutError, RetryableError) as exc:
        session.bus.emit("verify.drain_failed", error=exc.what)


def _finish(session: Session, verification: Verification, detail: dict[str, Any], *, clean: bool) -> Verification:
    """Store the result; a comparison without differences whose counts or checks fail is not clean."""
    if not clean:
        session.conn.execute(queries.load("verification_unclean.sql"), {"id": verification.id})
    return verifications.finish(session.ledger, verification, detail=detail)


def _counted(session: Session, source: SourceRef, sources: Sequence[SourceRef]) -> tuple[dict[str, Any], int]:
    """The count of a source, and how many keys waited in that very snapshot.

    What waits is not counted yet, and who writes in SERIALIZABLE leaves something at every moment: it is drained and
    counted again. What still waits in the end may explain as many rows as there are keys, and no more.
    """
    count, waiting = _count(session, source.id)
    for _ in range(_COUNTS - 1):
        if not (_missing(count) and waiting):
            break
        asyncio.run(_drain(session, sources, asyncio.Event()))
        count, waiting = _count(session, source.id)
    return count, waiting


def _missing(count: dict[str, Any]) -> int:
    return abs(int(count["legacy"] - count["migrated"] - count["rejected"]))


def _count(session: Session, source: int) -> tuple[dict[str, Any], int]:
    values = {"plan": session.plan.name, "source": source}
    row = session.conn.execute(queries.load("counted.sql").encode(), values).fetchone()
    assert row is not None  # noqa: S101 - the function gives one row
    return {"legacy": row[0], "migrated": row[1], "rejected": row[2], "exempt": row[3]}, int(row[4])


def _exempt(session: Session, stage: Stage) -> dict[str, int]:
    """How many migrated rows break which rule of the new schema."""
    found: dict[str, int] = {}
    for mapping in stage.mappings:
        column = mapping.exempt_column
        if column is None:
            continue
        query = sql.SQL("SELECT rule, count(*) FROM {} t, unnest(t.{}) AS rule GROUP BY rule ORDER BY rule").format(
            sql.SQL(quoted(session.conn, mapping.target)), sql.Identifier(column)
        )
        for rule, rows in session.conn.execute(query).fetchall():
            found[rule] = found.get(rule, 0) + int(rows)
    return found


def _mappings(session: Session, stage: Stage) -> list[int]:
    return [r["id"] for r in _rows(session, "mapping_targets.sql", {"plan": session.plan.name, "stage": stage.stage})]


def _present(session: Session) -> set[int]:
    return {r["oid"] for r in _rows(session, "present.sql", {"plan": session.plan.name})}


def _rows(session: Session, file: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    cursor = session.conn.cursor(row_factory=dict_row)
    return cursor.execute(queries.load(file), values).fetchall()
