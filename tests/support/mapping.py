"""A compiled mapping in a database of its own, with what a test needs to drive and to judge it.

`Setup` is a small plan in Python: the old schema, the new one, the mappings. `World` has it compiled and its triggers in
place, the way the engine does it and without the engine: what is tested with it is the SQL alone. `World.check` is the
judgement (P1, P5, A1, A3): nothing waits, nothing differs, and the old table is the compatibility view plus the rejects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg import sql

from orchestrator.kernel.connections import connect
from orchestrator.ledger import schema
from orchestrator.mapping import catalog
from orchestrator.mapping.compile import Compiled, SourceRow, compile_mapping
from orchestrator.mapping.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import psycopg

    from tests.support.database import Database, Databases, Role

PAGES = 1_000_000
FIXED = frozenset({"isolate", "one", "resync", "compare", "drain", "sync", "remove", "source_rows", "count_rows"})


@dataclass(frozen=True)
class Setup:
    """A plan small enough to read. `sources` of a mapping: table name and discriminator, in their order."""

    name: str
    legacy: str
    new: str
    mappings: Sequence[Mapping[str, Any]]
    sources: Sequence[Sequence[tuple[str, str]]] = ()
    rows: str = ""


@dataclass(frozen=True)
class Source:
    """A source table with its id in the ledger."""

    id: int
    mapping: int
    kind: str
    table: catalog.Table


@dataclass
class World:
    """A database with a compiled mapping in it."""

    database: Database
    setup: Setup
    conn: psycopg.Connection[Any] = field(init=False)
    sources: list[Source] = field(init=False)
    targets: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        self.conn = self.database.connect()
        self.read()

    def read(self) -> None:
        """Look up what the ledger has."""
        rows = self.conn.execute(
            "SELECT z.id, z.mapping_id, m.kind, z.oid::int, m.target FROM changeover.source z "
            "JOIN changeover.mapping m ON m.id = z.mapping_id ORDER BY z.id"
        ).fetchall()
        self.sources = [Source(i, m, kind, catalog.read_table(self.conn, oid)) for i, m, kind, oid, _ in rows]
        self.targets = {m: target for _, m, _, _, target in rows}

    # -- connections -------------------------------------------------------------------------------

    def session(self, isolation: str = "", *, role: Role = "owner", **settings: str) -> psycopg.Connection[Any]:
        """Another session; with an isolation level, in a transaction that is left open."""
        conn = self.database.connect(role)
        conn.execute("SET statement_timeout = '60s'")
        for name, value in settings.items():
            conn.execute("SELECT set_config(%s, %s, false)", (name, value))
        if isolation:
            conn.execute(f"BEGIN ISOLATION LEVEL {isolation}".encode())
        return conn

    def do(self, *statements: str) -> None:
        """Statements, each in a transaction of its own."""
        for statement in statements:
            self.conn.execute(statement.encode())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        return self.conn.execute(query.encode()).fetchall()

    def value(self, query: str) -> Any:
        """The only value of a query."""
        ((value,),) = self.rows(query)
        return value

    # -- what the engine does ------------------------------------------------------------------------

    def source(self, name: str, kind: str = "") -> Source:
        """The source of a table, of a mapping of that kind."""
        return next(s for s in self.sources if s.table.name == name and kind in {"", s.kind})

    def state(self, state: str) -> None:
        """Move all sources to a state."""
        self.conn.execute("UPDATE changeover.source SET state = %s", (state,))

    def copy(self) -> None:
        """The backfill, in one batch a source."""
        for source in self.sources:
            self.call(self.conn, source, "batch", 0, PAGES)
        self.state("copied")

    def call(self, conn: psycopg.Connection[Any], source: Source, verb: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """One of the source's functions, or a fixed one for the source."""
        if verb in FIXED:
            arguments = (source.id, *arguments)
        else:
            verb = f"m{source.id}_{verb}"
        places = sql.SQL(", ").join([sql.Placeholder()] * len(arguments))
        function = sql.Identifier("changeover", verb)
        return conn.execute(sql.SQL("SELECT * FROM {}({})").format(function, places), arguments).fetchall()

    def drain(self, rounds: int = 30) -> None:
        """Drain until nothing waits."""
        for _ in range(rounds):
            self.do("UPDATE changeover.queue SET not_before = NULL WHERE not_before IS NOT NULL")
            for source in self.sources:
                self.call(self.conn, source, "drain", 1000)
            if not self.value("SELECT count(*) FROM changeover.queue"):
                return
        waiting = self.rows("SELECT source_id, direction, key, cause, attempts, last_error FROM changeover.queue")
        message = f"still waiting after {rounds} rounds: {waiting}"
        raise AssertionError(message)

    def recompile(self) -> None:
        """Compile again, as the runner does when a table has changed; then every row is derived again."""
        install_objects(self.conn, self.setup, replace=True)
        self.read()
        for source in self.sources:
            self.call(self.conn, source, "resync", 0, PAGES)

    # -- the judgement -------------------------------------------------------------------------------

    def differences(self, **settings: str) -> list[tuple[Any, ...]]:
        """What the comparison and the orphan search find."""
        found: list[tuple[Any, ...]] = []
        for source in self.sources:
            rows = self.call(self.conn, source, "compare", 0, PAGES)
            found += [(source.table.name, *row) for row in rows if row[1] != "counted"]
            counted = [row for row in rows if row[1] == "counted"]
            assert [c[0] for c in counted] == [str(self.value(f"SELECT count(*) FROM {source.table.sql}"))], settings
        for mapping in self.targets:
            rows = self.rows(f"SELECT * FROM changeover.x{mapping}_orphans(0, {PAGES})")
            found += [("orphans", *row) for row in rows if row[1] != "counted"]
        return found

    def check(self) -> None:
        """Drain, then: nothing differs, nothing is lost, everything is counted."""
        self.drain()
        found = self.differences()
        assert found == [], found
        for source in self.sources:
            ((legacy, migrated, rejected, _),) = self.call(self.conn, source, "count_rows")
            assert legacy == migrated + rejected, (source.table.label, legacy, migrated, rejected)
            if KINDS[source.kind].archives:
                self.check_view(source)

    def check_view(self, source: Source) -> None:
        """The old table is the view and the rejects, value by value, in the same spelling (A1)."""
        table, view = source.table.sql, sql.Identifier("compat", source.table.name).as_string(self.conn)
        lost = self.rows(f"SELECT l.*::text FROM {table} l EXCEPT ALL SELECT v.*::text FROM {view} v")
        rejected = self.rows(
            f"SELECT r.*::text FROM changeover.reject j, jsonb_populate_record(NULL::{table}, j.row) r "
            f"WHERE j.source_id = {source.id}"
        )
        assert sorted(lost) == sorted(rejected), f"{table}: not in the view {lost}, rejected {rejected}"
        added = self.rows(f"SELECT v.*::text FROM {view} v EXCEPT ALL SELECT l.*::text FROM {table} l")
        assert added == [], f"{table}: in the view, not in the table {added}"


def open_world(databases: Databases, setup: Setup, *, copied: bool = True) -> World:
    """A world from a template that is built once per server."""

    def build(database: Database) -> None:
        with connect(database.dsn) as conn:
            schema.install(conn)
            for text in (setup.legacy, setup.new, "CREATE SCHEMA IF NOT EXISTS compat"):
                conn.execute(text.encode())
            if setup.rows:
                conn.execute(setup.rows.encode())
            install_objects(conn, setup)
            grant(conn, database.app_role)

    world = World(databases.clone(f"mapping {setup.name}", build), setup)
    if copied:
        world.copy()
        world.drain()
    return world


def grant(conn: psycopg.Connection[Any], role: str) -> None:
    """The application may use the tables and the views, and knows nothing of the ledger."""
    name = sql.Identifier(role)
    for schema_name in ("public", "compat"):
        for what in ("USAGE ON SCHEMA", "ALL ON ALL TABLES IN SCHEMA", "ALL ON ALL SEQUENCES IN SCHEMA"):
            grants = sql.SQL("GRANT {} {} TO {}")
            conn.execute(grants.format(sql.SQL(what), sql.Identifier(schema_name), name))


def install_objects(conn: psycopg.Connection[Any], setup: Setup, *, replace: bool = False) -> list[Compiled]:
    """Register the sources and make the compiled objects."""
    compiled = []
    for number, raw in enumerate(setup.mappings):
        kind = next(k for k in KINDS if k in raw)
        spec = KINDS[kind].model_validate(raw)
        target = catalog.require(conn, spec.target)
        rows = list(_registered(conn, setup, number, kind, spec, target, known=replace))
        made = compile_mapping(conn, spec, number + 1, "test", rows)
        compiled.append(made)
        for each in made.objects():
            if replace and each.id.startswith(("trigger", "view")):
                conn.execute(each.drop.encode())
        for each in made.objects():
            standing = conn.execute(each.exists.encode()).fetchone()
            if each.id.startswith("function") or standing == (False,):
                conn.execute(each.create.encode())
    return compiled


def _registered(
    conn: psycopg.Connection[Any],
    setup: Setup,
    number: int,
    kind: str,
    spec: Any,
    target: catalog.Table,
    *,
    known: bool,
) -> Iterable[SourceRow]:
    if kind == "merge":
        listed = [(source.table, name) for name, source in spec.sources.items()]
    else:
        listed = list(setup.sources[number])
    if not known:
        conn.execute(
            "INSERT INTO changeover.mapping (plan, stage, name, kind, target, target_oid, shares_rows) "
            "VALUES (%s, 'test', %s, %s, %s, %s, %s)",
            (setup.name, spec.label, kind, target.label, target.oid, spec.shares_rows),
        )
    for ordinal, (name, discriminator) in enumerate(listed):
        table = catalog.require(conn, name)
        if not known:
            conn.execute(
                "INSERT INTO changeover.source (mapping_id, name, schema_name, table_name, oid, discriminators, ordinal, "
                "state, mode) VALUES (%s, %s, %s, %s, %s, %s, %s, 'mirrored', 'copy')",
                (number + 1, table.label, table.schema, table.name, table.oid, [discriminator], ordinal),
            )
        row = conn.execute(
            "SELECT id FROM changeover.source WHERE mapping_id = %s AND oid = %s", (number + 1, table.oid)
        ).fetchone()
        assert row is not None
        yield SourceRow(row[0], table.oid, ordinal, (discriminator,))
