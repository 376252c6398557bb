"""What mirrors weigh on the application: memory of a connection, CPU of a statement, before and after contract.

Everything is the backend's own CPU time. A mirrored statement is divided by what the application would pay if it wrote both
sides itself: the statement alone plus the same change of the other table alone, measured on a twin of the database that
has no mirrors. They alternate in blocks, so that what the machine does beside it falls on both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.kernel.connections import connect
from tests.bench.figures import Figure, Goal
from tests.support import eight_tables as eight
from tests.support.backend import Backend, Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

_BLOCK: Final = 40
_WARM: Final = 40
_COLUMNS: Final = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
       string_agg(format('quote_nullable(r.%%I::text)', attname), ', ' ORDER BY attnum)
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""


@dataclass(frozen=True)
class Eight:
    """The databases with eight audit tables."""

    mirrored: str
    plain: str
    contracted: str


def memory(world: Eight) -> list[Figure]:
    """Private memory of a connection that writes to all eight tables and to the new one."""
    grown = _grown(world.mirrored) - _grown(world.plain)
    name = "memory of a connection that wrote to 8 tables and updated a new row, more than without mirrors"
    return [Figure(name, grown / 1024, "MB", Goal(20))]


def _grown(dsn: str) -> int:
    with connect(dsn) as conn:
        writes, backend = eight.Writes.read(conn), Backend.of(conn)
        (key,) = writes.mapped(conn, 1)
        texts = [each for table in eight.TABLES for each in writes.touch(table)]
        texts.append(eight.NEW_UPDATE.format(score=61, key=key))
        first = backend.private_kb()
        for text in texts:
            conn.execute(text.encode())
        return backend.private_kb() - first


def first_write(world: Eight) -> list[Figure]:
    """The first statement of a connection, of each kind; the slowest is told."""
    with connect(world.mirrored) as conn:
        writes = eight.Writes.read(conn)
        (key,) = writes.mapped(conn, 1)
    firsts = {
        "old insert": writes.old_insert(-1),
        "old update": eight.OLD_UPDATE.format(score=62, key=key),
        "old delete": eight.OLD_DELETE.format(key=eight.key(-1)),
        "new insert": writes.new_insert(-2),
        "new update": eight.NEW_UPDATE.format(score=63, key=key),
        "new delete": eight.NEW_DELETE.format(key=eight.key(-2)),
    }
    taken = {}
    for name, text in firsts.items():
        with connect(world.mirrored) as conn:
            conn.execute("SELECT FROM public.email_audit, public.audits LIMIT 1")
            meter = Meter(conn)
            meter.run([text])
            taken[name] = meter.each / 1000
    note = ", ".join(f"{name} {millis:.1f}" for name, millis in taken.items())
    return [Figure("first mirrored write of a connection, slowest kind", max(taken.values()), "ms", Goal(5), note)]


def mirrored(world: Eight, count: int) -> list[Figure]:
    """Single-row statements, divided by both changes made by hand."""
    with connect(world.mirrored) as ours, connect(world.plain) as plain:
        writes = eight.Writes.read(ours)
        ids = writes.mapped(ours, count + _WARM)
        pair = _Pair(ours, plain, count)

        def copied(table: str, column: str) -> Callable[[int], str]:
            return lambda number: _literal(ours, table, column, eight.key(number))

        def new_rows(number: int) -> str:
            errors = copied("public.audit_errors", "audit_id")(number)
            return "; ".join(filter(None, [copied("public.audits", "id")(number), errors]))

        def update(text: str, step: int) -> Callable[[int], str]:
            return lambda number: text.format(score=50 + (number + step) % 50, key=ids[number])

        def delete(text: str, base: int) -> Callable[[int], str]:
            return lambda number: text.format(key=eight.key(base + number))

        base = 1_000_000  # the numbers of the rows that the new version inserts
        return [
            pair.figure("old insert", writes.old_insert, new_rows),
            pair.figure("old update", update(eight.OLD_UPDATE, 1), update(eight.NEW_UPDATE, 1)),
            pair.figure("old delete", delete(eight.OLD_DELETE, 0), delete(eight.NEW_DELETE, 0)),
            pair.figure(
                "new insert",
                lambda number: writes.new_insert(base + number),
                lambda number: copied("public.email_audit", "id")(base + number),
            ),
            pair.figure("new update", update(eight.NEW_UPDATE, 2), update(eight.OLD_UPDATE, 2)),
            pair.figure("new delete", delete(eight.NEW_DELETE, base), delete(eight.OLD_DELETE, base)),
        ]


@dataclass(frozen=True)
class _Pair:
    """A mirrored database and its twin."""

    ours: psycopg.Connection[Any]
    plain: psycopg.Connection[Any]
    count: int

    def figure(
        self,
        name: str,
        statement: Callable[[int], str],
        other: Callable[[int], str],
    ) -> Figure:
        """The statement with mirrors ÷ (the statement alone + the same change of the other side alone)."""
        meters = [Meter(self.ours), Meter(self.plain), Meter(self.plain)]
        for start in range(0, _WARM + self.count, _BLOCK):
            if start == _WARM:
                meters = [Meter(self.ours), Meter(self.plain), Meter(self.plain)]
            numbers = range(start, start + _BLOCK)
            for meter, make in zip(meters, (statement, statement, other), strict=True):
                meter.run([make(number) for number in numbers])
        with_mirrors, one, two = (meter.each for meter in meters)
        note = f"{with_mirrors:.0f} µs ÷ ({one:.0f} + {two:.0f})"
        return Figure(f"mirrored {name} ÷ both changes by hand", with_mirrors / (one + two), "", Goal(1.5), note)


def narrow(ours_dsn: str, plain_dsn: str, count: int) -> tuple[list[Figure], dict[str, float]]:
    """A narrow table's statements in µs, and those of its twin."""
    with connect(ours_dsn) as ours, connect(plain_dsn) as plain:
        taken = cpu_of([ours, plain], NARROW, count)
    goals = {"update": 120, "insert": 150, "delete": 130}
    figures = [
        Figure(f"narrow table, mirrored {name}", taken[0][name], "µs", Goal(goal), f"plain {taken[1][name]:.0f}")
        for name, goal in goals.items()
    ]
    return figures, taken[1]


NARROW: Final[dict[str, Callable[[int], str]]] = {
    "update": lambda i: f"UPDATE accounts SET points = {i % 997} WHERE id = {i + 1}",
    "insert": lambda i: f"INSERT INTO accounts (id, name, points) VALUES ({9_000_000 + i}, 'n', {i})",
    "delete": lambda i: f"DELETE FROM accounts WHERE id = {9_000_000 + i}",
}


def cpu_of(
    conns: Sequence[psycopg.Connection[Any]], statements: dict[str, Callable[[int], str]], count: int
) -> list[dict[str, float]]:
    """Microseconds per statement in each of the connections, in alternating blocks."""
    taken: list[dict[str, float]] = [{} for _ in conns]
    for name, make in statements.items():
        meters = [Meter(conn) for conn in conns]
        for start in range(0, _WARM + count, _BLOCK):
            if start == _WARM:
                meters = [Meter(conn) for conn in conns]
            for meter in meters:
                meter.run([make(number) for number in range(start, start + _BLOCK)])
        for each, meter in zip(taken, meters, strict=True):
            each[name] = meter.each
    return taken


def old_name(world: Eight, count: int) -> list[Figure]:
    """Statements by the old name after contract, divided by the same before."""
    with connect(world.mirrored) as before, connect(world.contracted) as after:
        writes = eight.Writes.read(before)
        ids = writes.mapped(before, count + _WARM)
        statements: dict[str, Callable[[int], str]] = {
            "one employee's report over 8 tables": lambda _: writes.report(),
            "a row by its id": lambda i: f"SELECT * FROM public.email_audit WHERE id = '{ids[i]}'",
            "an update": lambda i: eight.OLD_UPDATE.format(score=40 + i % 50, key=ids[i]),
        }
        was, now = cpu_of([before, after], statements, count)
    return [
        Figure(
            f"after contract ÷ before: {name}",
            now[name] / was[name],
            "",
            Goal(1.1),
            f"{now[name]:,.0f} ÷ {was[name]:,.0f} µs",
        )
        for name in statements
    ]


def _literal(conn: psycopg.Connection[Any], table: str, column: str, key: str) -> str:
    """INSERT statements of rows that are there: to be executed elsewhere."""
    row = conn.execute(_COLUMNS, (table,)).fetchone()
    assert row is not None
    columns, values = row
    rows = conn.execute(
        f"SELECT concat_ws(', ', {values}) FROM {table} r WHERE r.{column} = '{key}'".encode()
    ).fetchall()
    if not rows:
        return ""
    return f"INSERT INTO {table} ({columns}) VALUES " + ", ".join(f"({each})" for (each,) in rows)
