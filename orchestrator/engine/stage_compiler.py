"""From a stage of the plan to its compiled mappings: discover, register, compile.

A source keeps its id for good: ids of migrated rows and rejects are made with the name under which it was
first seen. Its order of precedence is the order of first discovery, by name; a later one comes last.
`refresh` looks again while things run: a new table is taken in, a changed one is compiled anew and its
rows are derived again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from orchestrator.engine import queries
from orchestrator.engine.check import only_where
from orchestrator.engine.contract import key_sequence, renaming, taken_name, two_versions, version_view
from orchestrator.engine.run import partitioning
from orchestrator.kernel.identifiers import bounded
from orchestrator.kernel.sqlcursor import sql_name
from orchestrator.ledger import sources as ledger_sources
from orchestrator.mapping import catalog, discovery
from orchestrator.mapping.compile import Compiled, SourceRow, compile_mapping
from orchestrator.mapping.memory import Memory
from orchestrator.plan.created import created, label
from phases.base import Work
from phases.statements import parent_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from orchestrator.kernel.sqlcursor import Name
    from orchestrator.ledger.store import Ledger
    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.discovery import Found, MappingWarning
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage
    from phases.actions import Action


@dataclass
class StageCompiler:
    """The stages of one plan against one database."""

    conn: psycopg.Connection[Any]
    ledger: Ledger
    plan: LoadedPlan
    any_owner: bool = False
    """Whether a discovery takes tables of other owners: to look at only."""
    memory: Memory = field(default_factory=Memory)
    _made_until: dict[str, set[str]] = field(default_factory=dict)

    def work(self, stage: Stage) -> Work:
        """The stage as the phases want it."""
        seed = [*self.plan.statements(stage.seed), *dataset_statements(stage)]
        return Work(
            stage=stage.stage,
            expand=self.plan.statements([*stage.expand, *only_where.files(self.conn, stage)]),
            columns=[each for mapping in stage.mappings for each in mapping.expand],
            seed=seed,
            indexes=self.plan.statements(stage.indexes),
            keys=self._possible(stage, stage.keys),
            contract_keys=[] if stage.contract is None else self._possible(stage, stage.contract.keys),
            alter=stage.alter,
            views=[each.view for each in stage.refresh],
            renames=lambda: renaming.actions(self.conn, stage),
            targets=[quoted(self.conn, m.target) for m in stage.mappings],
            archive=stage.contract is not None and stage.contract.archive == "sources",
            compiled=lambda: self.compiled(stage),
            numbers=lambda compiled: self._numbers(stage, compiled),
            partitions=lambda: partitioning.actions(stage),
            names=lambda compiled: self._names(stage, compiled),
            opened=lambda compiled: self._opened(stage, compiled),
        )

    def _numbers(self, stage: Stage, compiled: Compiled) -> Iterator[Action]:
        """Of a table that the plan makes; how the application numbers its own is not for us to change."""
        mapping = self._mapping(stage, compiled)
        if not self._made(stage).isdisjoint({mapping.target, f"{discovery.DEFAULT_SCHEMA}.{mapping.target}"}):
            yield from key_sequence.actions(self.conn, mapping, compiled)

    def number_notes(self, stage: Stage) -> Iterator[str]:
        """What `plan check` says of keys that both sides number, each by itself."""
        for compiled in self.compiled(stage):
            for words in key_sequence.notes(self.conn, self._mapping(stage, compiled), compiled):
                yield f"stage {stage.stage}, {words}"

    def _names(self, stage: Stage, compiled: Compiled) -> Iterator[Action]:
        mapping = self._mapping(stage, compiled)
        yield from taken_name.actions(self.conn, mapping, compiled)
        yield from two_versions.actions(self.conn, mapping, compiled)

    def _opened(self, stage: Stage, compiled: Compiled) -> Iterator[Action]:
        mapping = self._mapping(stage, compiled)
        names = [*taken_name.shown(mapping), *two_versions.written_by_new(mapping)]
        yield from (version_view.opened(name) for name in names)

    def _mapping(self, stage: Stage, compiled: Compiled) -> Mapping:
        return next(m for m in stage.mappings if m.label == compiled.name)

    def compiled(self, stage: Stage) -> list[Compiled]:
        """Every mapping of the stage, its sources discovered and registered."""
        return [self.compile(stage, mapping) for mapping in stage.mappings]

    def compile(self, stage: Stage, mapping: Mapping) -> Compiled:
        """One mapping."""
        with catalog.read_once(self.conn):
            mapping_id = self.mapping_id(stage, mapping)
            found, warnings = self.discover(mapping)
            rows = self._sources(mapping_id, found)
            if mapping is stage.mappings[0]:
                warnings = [*warnings, *self.left_out(stage)]
            self._note(stage, mapping, warnings)
            return compile_mapping(self.conn, mapping, mapping_id, stage.stage, rows, self.memory)

    def placed(self, stage: Stage, mapping: Mapping, places: dict[int, str]) -> Compiled:
        """One mapping, compiled for tables (by oid) that are in these schemas; nothing is looked for anew."""
        with catalog.read_once(self.conn):
            mapping_id = self.mapping_id(stage, mapping)
            rows = [replace(r, place=places.get(r.oid, "")) for r in self._registered(mapping_id)]
            return compile_mapping(self.conn, mapping, mapping_id, stage.stage, rows, self.memory)

    def tables_of(self, compiled: Compiled) -> dict[str, Table]:
        """The old table of each owner of functions that has one."""
        tables = {table.oid: table for table in compiled.sources}
        return {f"m{r.id}": tables[r.oid] for r in self._registered(compiled.mapping_id) if r.oid in tables}

    def discover(self, mapping: Mapping) -> tuple[list[Found], list[MappingWarning]]:
        """The tables that the mapping reads, as the database has them now."""
        found, warnings = mapping.find(self.conn, self.plan.read, self._within)
        if mapping.warnings is not None:
            warnings = [*warnings, *discovery.told(self.conn, self.plan.read(mapping.warnings))]
        return found, warnings

    def left_out(self, stage: Stage) -> Iterator[MappingWarning]:
        """What of the stage is not for this database, and the tables that its keys refer to and that are not here."""
        for what, why in only_where.left_out(self.conn, stage):
            yield discovery.MappingWarning("left_out", what, why)
        keys = [*stage.keys, *([] if stage.contract is None else stage.contract.keys)]
        for parent in dict.fromkeys(parent_of(text) for _, text in self.plan.statements(keys)):
            if self._absent(stage, parent):
                yield discovery.MappingWarning(
                    "no_parent", ".".join(parent), "no such table; the keys that refer to it are left out"
                )

    def _possible(self, stage: Stage, files: Sequence[str]) -> list[tuple[str, str]]:
        return [each for each in self.plan.statements(files) if not self._absent(stage, parent_of(each[1]))]

    def _absent(self, stage: Stage, table: Name) -> bool:
        """Whether a table is neither here nor made by the plan until the end of a stage."""
        if not table or label(table) in self._made(stage):
            return False
        return catalog.find(self.conn, sql_name(table)) is None

    def _made(self, stage: Stage) -> set[str]:
        """The tables that the plan makes until the end of a stage."""
        if stage.stage not in self._made_until:
            stages = self.plan.model.stages
            files = [file for each in stages[: stages.index(stage) + 1] for file in each.expand]
            self._made_until[stage.stage] = set(created(text for _, text in self.plan.statements(files)))
        return self._made_until[stage.stage]

    def _within(self) -> discovery.Within:
        targets = {m.target for stage in self.plan.model.stages for m in stage.mappings}
        made = (catalog.find(self.conn, target) for target in sorted(targets))
        return discovery.Within(
            self.plan.model.discoverable, frozenset(oid for oid in made if oid is not None), self.any_owner
        )

    def mapping_id(self, stage: Stage, mapping: Mapping) -> int:
        """The id under which a mapping is registered; it is registered when first asked for."""
        target = catalog.require_oid(self.conn, mapping.target)
        row = self.conn.execute(
            queries.load("register_mapping.sql"),
            {
                "plan": self.plan.name,
                "stage": stage.stage,
                "name": mapping.label,
                "kind": mapping.kind,
                "target": catalog.label(self.conn, target),
                "oid": target,
                "one_way": mapping.one_way,
                "shares_rows": mapping.shares_rows,
            },
        ).fetchone()
        assert row is not None  # noqa: S101 - the statement returns its row
        return int(row[0])

    def _note(self, stage: Stage, mapping: Mapping, warnings: Sequence[MappingWarning]) -> None:
        for each in warnings:
            ledger_sources.find(
                self.ledger,
                ledger_sources.MappingWarning(
                    self.plan.name, stage.stage, mapping.label, each.code, each.subject, each.detail
                ),
            )

    def _sources(self, mapping_id: int, found: Sequence[Found]) -> list[SourceRow]:
        """Register what was found, and give all that is registered and still there."""
        known = {s.oid: s for s in self._registered(mapping_id)}
        views = self._view_names(found)
        for each in found:
            if each.table.oid in known and known[each.table.oid].discriminators == tuple(each.discriminators):
                continue
            self.conn.execute(
                queries.load("register_source.sql"),
                {
                    "mapping": mapping_id,
                    "name": each.table.label,
                    "schema": each.table.schema,
                    "table": each.table.name,
                    "view": views[each.table.oid],
                    "oid": each.table.oid,
                    "discriminators": each.discriminators,
                    "fingerprint": each.table.fingerprint,
                    "relfilenode": each.table.relfilenode,
                    "rows": each.table.rows,
                },
            )
        return self._registered(mapping_id)

    def _view_names(self, found: Sequence[Found]) -> dict[int, str]:
        """What the compatibility view of each table is called: its own name, with the schema where that is taken."""
        rows = self.conn.execute(queries.load("view_names.sql")).fetchall()
        names = {int(oid): str(name) for oid, name in rows}
        for each in sorted(found, key=lambda f: f.table.schema != discovery.DEFAULT_SCHEMA):
            if each.table.oid not in names:
                taken = each.table.name in names.values()
                names[each.table.oid] = bounded(each.table.label) if taken else each.table.name
        return names

    def _registered(self, mapping_id: int) -> list[SourceRow]:
        rows = self.conn.execute(queries.load("registered.sql"), {"mapping": mapping_id}).fetchall()
        return [
            SourceRow(id=r[0], oid=r[1], ordinal=r[2], discriminators=tuple(r[3]), label=r[4], view=r[5], home=r[6])
            for r in rows
        ]


def dataset_statements(stage: Stage) -> list[tuple[str, str]]:
    """The data sets of a stage as INSERTs."""
    from orchestrator.engine.run.datasets import insert  # noqa: PLC0415 - the library is only loaded where a plan asks for it

    return [(f"dataset {d.dataset}", insert(d)) for d in stage.datasets]


def quoted(conn: psycopg.Connection[Any], name: str) -> str:
    """The SQL for a table of the plan; as the plan has it where there is none yet."""
    oid = catalog.find(conn, name)
    return name if oid is None else catalog.read_table(conn, oid).sql
