"""What a merge becomes in the database: functions of the whole and of each source, triggers, views.

The functions stand in two modules: `merge_forward` has those that carry the sources to the target and compare them,
`merge_back` those that carry what the new side writes to the sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import bounded
from orchestrator.kernel.sqltokens import columns_of
from orchestrator.mapping import lookups, merge_back, merge_forward, view
from orchestrator.mapping.objects import DbObject, mirror_triggers, source_index, target_triggers
from orchestrator.mapping.relations import NewRows, new_rows, old_row
from orchestrator.mapping.sqltext import literal

if TYPE_CHECKING:
    from orchestrator.mapping.merge import MergeMapping


def functions(m: MergeMapping) -> list[DbObject]:
    """Every function of the mapping and of its sources."""
    ways = [
        NewRows("new_rows", '"#keys" text[]', "text[]", m.derive('"#keys"')),
        NewRows("new_rows_of", f'"#new" {m.target.sql}', m.target.sql, merge_back.derived_again(m)),
    ]
    backs = [old_row(p.fn, m.target, {c: m.legacy(p, c) for c in p.table.columns if not c.generated}) for p in m.parts]
    made = [*backs, *new_rows(m.fn, m.derivation, ways), *merge_forward.of_the_whole(m), *merge_back.of_the_whole(m)]
    for part in m.parts:
        made += [*merge_forward.of_a_source(m, part), *merge_back.of_a_source(m, part)]
    return made


def triggers(m: MergeMapping) -> list[DbObject]:
    """The forward mirror's triggers on every source."""
    return [t for p in m.parts for t in mirror_triggers("a", p.id, p.table.sql)]


def new_side_triggers(m: MergeMapping) -> list[DbObject]:
    """The reverse mirror's triggers, and those on the tables that the way back looks up."""
    return [
        *target_triggers(m.fn, m.target, m.forward, m.spec.key),
        *lookups.triggers(m.spec, m.id, m.lookup_tables, m.forward),
    ]


def views(m: MergeMapping) -> list[DbObject]:
    """The compatibility views, one for each source."""
    return [
        view.proof(
            source_id=p.id,
            table=p.table,
            pins=m.pins,
            columns=[c for c in p.table.columns if not c.generated],
            target=m.target,
            which=f"t.{m.originals} ? {literal(p.name)}",
        )
        for p in m.parts
    ]


def indexes(m: MergeMapping) -> list[DbObject]:
    """What the mirror needs on the sources to find the rows of a key quickly."""
    made = []
    for part in m.parts:
        wanted = {"key": f"({part.on(part.spec.key, '')})"}
        for name, claimed in m.claims(part).items():
            if columns_of(claimed, "s") & part.table.by_name.keys():
                wanted[f"unique_{name}"] = f"({part.on(claimed, '')})"
        for label, expression in wanted.items():
            name = bounded("changeover", str(part.id), label)
            made.append(source_index(name, part.table, expression, "rows of a key", owner=part.fn))
    return made
