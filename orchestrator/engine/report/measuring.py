"""One measure of a plan, taken: a query that is timed over its keys, or that gives a number.

The times are those of this client, the way of the answer included, as an application has them. The first answer warms
the caches and does not count. Percentiles are the values at those ranks (nearest rank), so with few runs the 95th is
the longest but one or two. As with checks, nothing can be written and each answer has a limit.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import psycopg

from orchestrator.engine import queries
from orchestrator.kernel import documents
from orchestrator.kernel.errors import translate
from orchestrator.mapping.objects import pins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.measures import Measure

LARGE: Final = 10_000
"""Rows from which on a table that is read whole counts as a missing index."""


@dataclass(frozen=True)
class Figure:
    """A figure, what was wanted of it, what the document says, and whether it is met; None where nobody can know."""

    measure: str
    title: str
    value: float | None
    unit: str
    target: str
    document: str
    met: bool | None
    words: str
    detail: dict[str, Any] = field(default_factory=dict)


def take(conn: psycopg.Connection[Any], plan: LoadedPlan, measure: Measure) -> list[Figure]:
    """The figures of one measure; what cannot be asked is a figure that is not met, and says why."""
    try:
        with conn.transaction(force_rollback=True):
            conn.execute("SET TRANSACTION READ ONLY")
            settings = pins(*sorted(plan.model.reach)).replace("SET ", "SET LOCAL ").replace("\n", ";\n")
            conn.execute(settings.encode())
            # A query of an application is planned for its values.
            conn.execute("SET LOCAL plan_cache_mode = auto; SET LOCAL jit TO DEFAULT")
            conn.execute(f"SET LOCAL statement_timeout = {round(measure.timeout_seconds * 1000)}".encode())
            cursor = psycopg.RawCursor(conn)
            return list(_timed(cursor, plan, measure) if measure.timed else _number(cursor, plan, measure))
    except psycopg.Error as exc:
        words = f"cannot be asked: {translate(exc).what}"
        return [_figure(measure, "", None, "", target="", met=False, words=words)]


def _timed(cursor: psycopg.RawCursor[Any], plan: LoadedPlan, measure: Measure) -> Iterator[Figure]:
    query = plan.query(measure.query).encode()
    keys: list[list[Any]] = [[]]
    if measure.keys:
        keys = [[row[0]] for row in cursor.execute(plan.query(measure.keys).encode()).fetchmany(measure.runs)]
        if not keys:
            yield _figure(measure, "", None, "ms", target="", met=None, words="its query for keys gives none")
            return
    # Execute waits for every row; that Python cannot hold one of them (a date that is infinity) is no matter here.
    cursor.execute(query, keys[0])
    times = []
    for run in range(measure.runs):
        begun = time.perf_counter()
        cursor.execute(query, keys[run % len(keys)])
        times.append((time.perf_counter() - begun) * 1000)
    times.sort()
    for name, share, most in (("p50", 0.5, measure.p50_ms), ("p95", 0.95, measure.p95_ms)):
        value = round(rank(times, share), 3)
        target = "" if most is None else f"at most {most:g} ms"
        met = None if most is None else value <= most
        words = f"{value:g} ms of {measure.runs} answers, the longest {times[-1]:.1f} ms"
        yield _figure(measure, f" {name}", value, "ms", target=target, met=met, words=words)
    yield _figure(
        measure,
        " queries",
        float(measure.queries),
        "",
        target="",
        met=None,
        words=f"{measure.queries} by the application",
    )
    if measure.index:
        yield _indexes(cursor, query, keys[0], measure)


def _indexes(cursor: psycopg.RawCursor[Any], query: bytes, key: list[Any], measure: Measure) -> Figure:
    """Whether a large table is read whole, and which indexes serve the query."""
    row = cursor.execute(b"EXPLAIN (FORMAT JSON) " + query, key).fetchone()
    plan = row[0] if row is not None else []
    nodes = list(_nodes(plan if isinstance(plan, list) else json.loads(plan)))
    indexes = sorted({node["Index Name"] for node in nodes if "Index Name" in node})
    whole = sorted({node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"})
    rows = cursor.execute(queries.load("estimated_rows.sql").encode(), [whole]).fetchall()
    sizes = {str(name): float(size) for name, size in rows}
    large = [name for name in whole if sizes.get(name, 0) > LARGE]
    words = (
        f"reads {', '.join(large)} whole" if large else f"by {', '.join(indexes) or 'no index: its tables are small'}"
    )
    detail = {"indexes": indexes, "read_whole": large}
    return _figure(
        measure, " index", None, "", target="no large table is read whole", met=not large, words=words, detail=detail
    )


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if "Node Type" in part:
            yield part
        for value in part.values():
            yield from _nodes(value)
    elif isinstance(part, list):
        for each in part:
            yield from _nodes(each)


def _number(cursor: psycopg.RawCursor[Any], plan: LoadedPlan, measure: Measure) -> Iterator[Figure]:
    rows = cursor.execute(plan.query(measure.query).encode()).fetchmany(2)
    value = documents.number(rows[0][0]) if len(rows) == 1 else None
    bounds = [
        *([] if measure.at_least is None else [f"at least {measure.at_least:g}"]),
        *([] if measure.at_most is None else [f"at most {measure.at_most:g}"]),
    ]
    target = f"{' and '.join(bounds)} {measure.unit}".strip()
    if value is None:
        yield _figure(measure, "", None, measure.unit, target=target, met=False, words="its query gives no number")
        return
    met = (measure.at_most is None or value <= Decimal(str(measure.at_most))) and (
        measure.at_least is None or value >= Decimal(str(measure.at_least))
    )
    short = float(value)
    if math.isfinite(short):
        yield _figure(
            measure, "", short, measure.unit, target=target, met=met, words=f"{short:g} {measure.unit}".strip()
        )
    else:  # more than a float holds, and than JSON has a number for
        words = f"{value:.6g} {measure.unit}".strip()
        yield _figure(measure, "", None, measure.unit, target=target, met=met, words=words)


def rank(sorted_times: Sequence[float], share: float) -> float:
    """The value at a share of the ranks, by nearest rank."""
    return sorted_times[max(0, math.ceil(share * len(sorted_times)) - 1)]


def _figure(
    measure: Measure,
    part: str,
    value: float | None,
    unit: str,
    *,
    target: str,
    met: bool | None,
    words: str,
    detail: dict[str, Any] | None = None,
) -> Figure:
    name = f"{measure.measure}{part}"
    title = f"{measure.title or measure.measure}{part and ','}{part}"
    return Figure(name, title, value, unit, target, measure.document, met, words, detail or {})
