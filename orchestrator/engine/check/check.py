"""A plan against the live database, before anything is changed: `changeover plan check`.

Three questions. Are the tables there that the plan reads, with the columns it knows, and what becomes of the columns
that it does not know? Is the place free where it creates its own? And does everything compile against this very
catalog? The last one is answered by the compiler itself (`trial` builds the new tables in a transaction that is
rolled back), so what passes here is what will be executed. A mapping whose tables are told by a table that an earlier
stage fills cannot be looked at before that stage has run; it is left out, and told.

A *problem* stops the plan; a *note* is what one should know.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from orchestrator.engine import queries
from orchestrator.engine.check import broken_rows, only_where, others_code, reach, slow_lookups, trial
from orchestrator.engine.check.sources import discovered
from orchestrator.engine.contract import old_name
from orchestrator.engine.gates import judging
from orchestrator.engine.run.pulse import Pulse
from orchestrator.kernel.connections import connect
from orchestrator.kernel.errors import translate
from orchestrator.kernel.sqltokens import table_label, tokens
from orchestrator.ledger import schema
from orchestrator.mapping import catalog, nearby, types
from orchestrator.mapping.discovery import NONE_FOUND, NONE_LISTED, REFUSED, MappingWarning
from orchestrator.plan import added, lint_sources
from orchestrator.plan.created import created
from orchestrator.plan.lint import errors
from phases.alter_spec import column

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from collections.abc import Mapping as Mapping_

    from orchestrator.engine.check.sources import Discovered
    from orchestrator.kernel.events import Bus
    from orchestrator.ledger.check_results import Answer
    from orchestrator.mapping.catalog import Table
    from orchestrator.mapping.discovery import Found
    from orchestrator.mapping.kinds import Mapping
    from orchestrator.plan.created import CreatedTable
    from orchestrator.plan.loader import LoadedPlan
    from orchestrator.plan.model import Stage


@dataclass(frozen=True)
class SourceCheck:
    """One table that the plan reads."""

    table: str
    rows_estimated: int
    key: str
    key_type: str | None
    discriminators: list[str]
    missing: list[str]
    """Columns that the plan knows and this table has not: they read as NULL."""
    extra: dict[str, str]
    """Columns that the plan does not know, and where they go."""
    converted: dict[str, str]
    """Columns of another type than the plan reads them as."""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class MappingCheck:
    """One mapping."""

    stage: str
    mapping: str
    kind: str
    target: str
    target_state: str
    """`new`, `ours` (this plan has made it), `there` (it stood before), `missing`."""
    sources: list[SourceCheck]
    warnings: list[dict[str, str]]
    problems: list[str]
    moves: bool = False
    """Whether contract puts its old tables away."""


@dataclass(frozen=True)
class Judged:
    """One query that judges, and its answer."""

    stage: str
    answer: Answer
    words: str


@dataclass(frozen=True)
class PlanCheck:
    """The whole answer."""

    plan: str
    version: int
    checksum: str
    mappings: list[MappingCheck]
    problems: list[str]
    """Of the plan as a whole, the compiler's included."""
    checks: list[Judged] = field(default_factory=list)
    """What the plan's queries answer that are asked before the first change."""
    notes: list[str] = field(default_factory=list)
    """What one should know: lookups that no index serves, what is left out here, what contract means for each stage."""

    @property
    def ok(self) -> bool:
        """Nothing stops the plan."""
        if judging.stops([each.answer for each in self.checks]):
            return False
        return not (self.problems or any(m.problems or any(s.problems for s in m.sources) for m in self.mappings))


def check(dsn: str, plan: LoadedPlan, stages: Collection[str] | None = None, *, bus: Bus | None = None) -> PlanCheck:
    """Ask all three questions, of all stages unless some are named; the bus hears of it when it takes long."""
    pulse = Pulse(bus)
    wanted = [stage.stage for stage in plan.model.stages if stages is None or stage.stage in stages]
    if wrong := errors(plan, wanted):
        return PlanCheck(plan.name, plan.model.version, plan.checksum, [], wrong)
    mappings, later = list[MappingCheck](), set[str]()
    try:
        with connect(dsn, role="check") as conn:
            if found := reach.complaints(conn, plan.model):
                # Before any SQL of the plan is executed: the discovery's, for one.
                return PlanCheck(plan.name, plan.model.version, plan.checksum, [], found)
            made = {stage.stage: _created(plan, stage) for stage in plan.model.stages}
            code = others_code.OthersCode()
            for each in discovered(conn, plan, wanted):
                waits = _waits(conn, plan, each, made)
                later |= {each.stage.stage} if waits else set()
                mappings.append(_mapping(conn, plan, each, ChainMap(*made.values()), later=waits))
                code += others_code.around(conn, each.mapping, each.found)
                pulse.tell("looking at the old tables, mappings so far", len(mappings))
            if code.problems:
                return PlanCheck(plan.name, plan.model.version, plan.checksum, mappings, list(code.problems))
            pulse.tell("counting the rows that would break a key")
            broken = [*_moved_twice(mappings), *broken_rows.problems(conn, plan, wanted)]
            slow = list(slow_lookups.notes(conn, plan, wanted))
            without = [
                f"stage {s.stage}: {words}"
                for s in plan.model.stages
                if s.stage in wanted
                for words in only_where.notes(conn, s)
            ]
    except psycopg.Error as exc:
        raise translate(exc) from exc
    judged = _judged(dsn, plan, wanted)
    archiving = [s.stage for s in plan.model.stages if s.stage in wanted and _archives(s)]
    notes = [*code.notes, *without, *old_name.limits(archiving)]
    answer = PlanCheck(plan.name, plan.model.version, plan.checksum, mappings, broken, judged, [*slow, *notes])
    # What is wrong already would only be said once more by the compiler, in other words.
    if not answer.ok:
        return answer
    pulse.tell("trying the statements of the plan")
    problems, told = trial.problems(dsn, plan, _without(plan, wanted, later), pulse)
    return replace(answer, problems=problems, notes=[*slow, *told, *notes])


def _judged(dsn: str, plan: LoadedPlan, wanted: Sequence[str]) -> list[Judged]:
    """The checks that are asked before the first change."""
    found = [(s.stage, judging.judge(dsn, plan, s, "before")) for s in plan.model.stages if s.stage in wanted]
    return [Judged(stage, each, judging.words(each)) for stage, answers in found for each in answers]


def _archives(stage: Stage) -> bool:
    """Whether contract puts views under the names of the stage's old tables."""
    archives = stage.contract is not None and stage.contract.archive == "sources"
    return archives and any(m.archives for m in stage.mappings)


def _created(plan: LoadedPlan, stage: Stage) -> dict[str, CreatedTable]:
    return created(text for _, text in plan.statements(stage.expand))


def _waits(
    conn: psycopg.Connection[Any], plan: LoadedPlan, each: Discovered, made: Mapping_[str, Mapping_[str, CreatedTable]]
) -> str:
    """Why a mapping cannot be looked at before an earlier stage is done; empty where it can."""
    if not each.found and _told_later(plan, each, made):
        return "its tables are known only when an earlier stage is filled"
    for stage in chain(plan, each.stage.stage)[:-1]:
        if _key_comes(conn, plan.stage(stage), each.mapping):
            return f"its key ({', '.join(each.mapping.conflict)}) is unique only when stage {stage} is done"
        if come := _columns_come(conn, plan.stage(stage), each.mapping):
            return f"it looks up columns that stage {stage} adds ({', '.join(come)})"
    return ""


def _columns_come(conn: psycopg.Connection[Any], stage: Stage, mapping: Mapping) -> list[str]:
    """The columns that a stage adds to looked-up tables in use, that the mapping names, and that are not there yet."""
    names = {token.text for each in mapping.expressions() for token in tokens(each.text) if token.is_name}
    found = set()
    for lookup in mapping.lookups.values():
        if (
            table_label(lookup.table) != table_label(mapping.target)
            and (oid := catalog.find(conn, lookup.table)) is not None
        ):
            there = catalog.read_table(conn, oid).by_name
            found |= {
                column for column in added.columns([stage], lookup.table) if column in names and column not in there
            }
    return sorted(found)


def _key_comes(conn: psycopg.Connection[Any], stage: Stage, mapping: Mapping) -> bool:
    """Whether a stage makes the columns unique by which the mapping names the rows of a table in use."""
    wanted = set(mapping.conflict)
    promised = [
        {column(name) for name in each.unique}
        for alter in stage.alter
        if table_label(alter.table) == table_label(mapping.target)
        for each in alter.constraints.values()
        if each.unique is not None
    ]
    oid = catalog.find(conn, mapping.target) if wanted in promised else None
    return oid is not None and wanted not in [set(key) for key in catalog.read_table(conn, oid).unique_keys]


def _moved_twice(mappings: Sequence[MappingCheck]) -> Iterator[str]:
    """A table whose rows two mappings move: each would answer the other's writes, and only one view has its name."""
    first: dict[str, str] = {}
    for mapping in mappings:
        for source in mapping.sources if mapping.moves else ():
            if (other := first.setdefault(source.table, mapping.mapping)) != mapping.mapping:
                yield lint_sources.twice(source.table, other, mapping.mapping)


def _told_later(plan: LoadedPlan, each: Discovered, made: Mapping_[str, Mapping_[str, CreatedTable]]) -> bool:
    """Whether the query for a mapping's tables reads what an earlier stage makes."""
    discover = each.mapping.discovery
    if discover is None:
        return False
    earlier = chain(plan, each.stage.stage)[:-1]
    names = {table.partition(".")[2] for stage in earlier for table in made[stage]}
    return not names.isdisjoint(token.text for token in tokens(plan.read(discover)) if token.is_name)


def chain(plan: LoadedPlan, stage: str) -> list[str]:
    """A stage with those that come before it, the first one first."""
    found, at = [stage], plan.stage(stage)
    while at.after is not None:
        found.insert(0, at.after)
        at = plan.stage(at.after)
    return found


def _without(plan: LoadedPlan, wanted: Sequence[str], later: set[str]) -> list[str]:
    """The stages that can be tried: none that waits for another one's rows, and none that comes after such a one."""
    return [stage for stage in wanted if later.isdisjoint(chain(plan, stage))]


def _mapping(
    conn: psycopg.Connection[Any],
    plan: LoadedPlan,
    each: Discovered,
    made: Mapping_[str, CreatedTable],
    *,
    later: str,
) -> MappingCheck:
    mapping, warnings = each.mapping, [*each.warnings]
    problems = []
    if later:
        warnings.append(MappingWarning("later", mapping.label, f"{later}; it cannot be checked before"))
    elif not each.found and mapping.source_tables and all(table_label(t) in made for t, _ in mapping.source_tables):
        pass  # the plan itself makes the tables that it reads: the trial will see them
    elif each.error is not None:
        problems.append(f"its tables cannot be found: {each.error}")
    elif not each.found:
        problems.append(NONE_LISTED if mapping.discovery is None else NONE_FOUND)
    problems += [f"{each.subject}: {each.detail}" for each in warnings if each.code in REFUSED]
    state = _target_state(conn, plan, mapping, made)
    near = partial(nearby.meant_table, conn, among=made)
    if state == "missing":
        problems.append(f"{mapping.target} is not there, and no expand file creates it{near(mapping.target)}")
    if state == "there" and (new := made.get(table_label(mapping.target))) is not None and not new.may_be_there:
        problems.append(f"{mapping.target} is there already, and this plan has not made it")
    for name, lookup in mapping.lookups.items():
        if table_label(lookup.table) not in made and catalog.find(conn, lookup.table) is None:
            problems.append(f"lookup {name}: no table {lookup.table}, and the plan creates none{near(lookup.table)}")
    return MappingCheck(
        stage=each.stage.stage,
        mapping=mapping.label,
        kind=mapping.kind,
        target=table_label(mapping.target),
        target_state=state,
        sources=[_source(conn, mapping, found) for found in each.found],
        warnings=[asdict(warning) for warning in warnings if warning.code not in REFUSED],
        problems=problems,
        moves=mapping.archives,
    )


def _target_state(
    conn: psycopg.Connection[Any], plan: LoadedPlan, mapping: Mapping, made: Mapping_[str, CreatedTable]
) -> str:
    oid = catalog.find(conn, mapping.target)
    if oid is None:
        return "new" if table_label(mapping.target) in made else "missing"
    if schema.installed(conn) is None:
        return "there"
    row = conn.execute(queries.load("made_by_us.sql"), {"plan": plan.name, "oid": oid}).fetchone()
    return "ours" if row is not None and row[0] else "there"


def _source(conn: psycopg.Connection[Any], mapping: Mapping, found: Found) -> SourceCheck:
    table = found.table
    declared = mapping.declared(found)
    key = mapping.key_name
    return SourceCheck(
        table=table.label,
        rows_estimated=table.rows,
        key=key,
        key_type=table.by_name[key].sql_type if key in table.by_name else None,
        discriminators=list(found.discriminators),
        missing=[name for name in declared if name not in table.by_name],
        extra={c.name: mapping.goes_to(c.name) for c in table.columns if c.name not in declared and c.name != key},
        converted=_converted(declared, table),
        problems=[
            *([] if mapping.source_key is None else nearby.no_key(key, table.by_name)),
            *old_name.row_security_problems(conn, table),
        ],
        notes=_notes(mapping, table, key),
    )


def _notes(mapping: Mapping, table: Table, key: str) -> list[str]:
    notes = [
        f"column {c.name} is an identity: its sequence goes to schema archive with the table at contract, and old code "
        "that asks for it by its name finds it no more (INSERT works as before)"
        for c in table.columns
        if c.identity and mapping.archives
    ]
    if not (mapping.source_key is None or key not in table.by_name or table.is_unique(key)):
        notes.append(f"no unique index on {key}: of two rows with the same key the second one is rejected")
    return notes


def _converted(declared: dict[str, str], table: Table) -> dict[str, str]:
    there = {name: (table.by_name[name], want) for name, want in declared.items() if want and name in table.by_name}
    same = {n for n, (c, w) in there.items() if w == c.sql_type or types.canonical(w) == types.canonical(c.type)}
    return {n: f"{column.sql_type} read as {want}" for n, (column, want) in there.items() if n not in same}
