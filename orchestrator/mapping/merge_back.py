"""A merge's way back: what the new side writes goes to every source that its row has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.mapping import types
from orchestrator.mapping.frame import ahead_texts
from orchestrator.mapping.objects import DbObject, function
from orchestrator.mapping.part import computed
from orchestrator.mapping.relations import call
from orchestrator.mapping.sqltext import comma, literal, render
from orchestrator.mapping.writeback import Finding, Writeback, required, store_exempt

if TYPE_CHECKING:
    from orchestrator.mapping.fragments import Fragment
    from orchestrator.mapping.merge import MergeMapping, MergePart


def of_the_whole(m: MergeMapping) -> list[DbObject]:
    """The functions that every source shares."""
    own = {"fn": m.fn, "pins": m.pins}
    return [
        function(f"{m.fn}_carry", render("merge_carry.sql", **own, **_carry(m)),
                 f"{m.target.sql}, {m.target.sql}, boolean", "keep a new-side row reversible"),
        function(f"{m.fn}_before", render("merge_before.sql", **own), "", "keep new-side rows reversible"),
        function(f"{m.fn}_reverse", render(
            "merge_reverse.sql", **own, target_key=quote(m.spec.key), first_source=str(m.parts[0].id),
            parts="\n    ".join(
                render("merge_reverse_part.sql", fn=p.fn, id=str(p.id), name=literal(p.name), originals=m.originals,
                       comment=f"to {p.name}")
                for p in m.parts),
        ), "", "the reverse mirror"),
    ]  # fmt: skip


def of_a_source(m: MergeMapping, p: MergePart) -> list[DbObject]:
    """The functions of one source."""
    return _writeback(m, p).functions()


def fragments(m: MergeMapping, p: MergePart) -> dict[str, Fragment]:
    """What settles a key of one source that waits to be written back."""
    member = f"ARRAY[{literal(p.name)}]"
    kept = f"(g.{m.originals} -> {literal(p.name)}) - ARRAY(SELECT jsonb_array_elements_text($2 -> 'drop'))"
    return _writeback(m, p).fragments(dropped=f"{m.originals} = jsonb_set(g.{m.originals}, {member}, {kept})")


def _writeback(m: MergeMapping, p: MergePart) -> Writeback:
    target_key = quote(m.spec.key)
    rows = f"PERFORM FROM {p.table.sql} x WHERE {p.rows_of('ARRAY[v_key]')} FOR NO KEY UPDATE;"
    matches = p.table.primary_key or [c.name for c in p.table.columns if not c.generated]
    image = " AND ".join(f"x.{quote(c)}::text IS NOT DISTINCT FROM (p_image ->> {literal(c)})" for c in matches)
    return Writeback(
        id=p.id, fn=p.fn, part=p.part, target=m.target, pins=m.pins, reverse=p.reverse, key=None,
        legacy=lambda column: m.legacy(p, column),
        finding=Finding(
            choose=f"{rows}\n    v_row := {p.place_of_first('v_key')};\n    v_found := v_row IS NOT NULL;",
            row="x.ctid = v_row",
            several=p.rows_of("ARRAY[v_key]"),
            wrap=m.wrap,
            place=p.place_of_first("$1"),
            row_now=p.first("v_new_key"),
            key_of_row=f'coalesce(("#old").{target_key}, ("#new").{target_key})',
            key_of_new=f'("#new").{target_key}',
            is_meant=f"(coalesce(jsonb_typeof(p_image), 'null') = 'null' OR ({image}))",
            # A row that lost to this one may now be the first of its key.
            afterwards=(
                "INSERT INTO changeover.queue (source_id, direction, key, cause) "
                f"VALUES ({p.id}, 'forward', p_key, 'erased');"
            ),
        ),
    )  # fmt: skip


def _carry(m: MergeMapping) -> dict[str, str]:
    """What keeps the originals of a row true when the new side writes it."""
    exempt = m.spec.exempt_column
    ahead = m.frame.ahead_columns(m.derivation, (m.spec.key,))
    return {
        "target": m.target.sql,
        "originals": m.originals,
        "parts": "\n    ".join(_carry_part(m, p) for p in m.parts),
        "ahead_texts": ahead_texts(ahead),
        "derived_exempt": f"d.{quote(exempt)}" if exempt else "NULL::text[]",
        "by_value": call(m.fn, "new_rows_of", '"#new"'),
        "store_exempt": store_exempt(quote(exempt) if exempt else None),
    }


def derived_again(m: MergeMapping) -> str:
    """The new row that the old rows behind a new row would give."""
    values = {
        p.name: (
            f"SELECT s.* FROM (\n    {p.part.rows('true', _value_of(p))}\n    ) s "
            f'WHERE ("#new").{m.originals} ? {literal(p.name)}'
        )
        for p in m.parts
    }
    return m.derivation.select(m.rows(f'SELECT ("#new").{quote(m.spec.key)}::text AS key', values), "k.key")


def _value_of(part: MergePart) -> str:
    columns = comma(f"r.{part.part.raw_name(c)} AS {c.sql}" for c in part.table.columns if not c.generated)
    return "(" + computed(part.table, f'SELECT {columns} FROM changeover.{part.fn}_old_row("#new") r OFFSET 0') + ")"


def _carry_part(m: MergeMapping, part: MergePart) -> str:
    columns = [c for c in part.table.columns if not c.generated]
    given = {c: m.wrap(b) for c in columns if (b := part.part.back_expression(c)) is not None}
    return render(
        "merge_carry_part.sql",
        comment=f"what belongs to {part.name}",
        originals=m.originals,
        name=literal(part.name),
        when=part.spec.when,
        fn=part.fn,
        stand_ins=required(part.table, given, columns, "v_part"),
        dropped=", ".join(
            f"CASE WHEN v_part ? {literal(c.name)} AND {types.unlike(c, f'a.{n}', f'b.{n}')} THEN {literal(c.name)} END"
            for c, n in ((c, part.part.raw_name(c)) for c in given)
        ),
    )
