"""What a unify becomes in the database, from the target to the source; and the keys of rows born on the new side.

A row whose key is neither a uuid nor text that has room for one is born under a random id, and gets a key that is free in its source. The key
stands in its originals at once, and is the row's own only once the pair stands in `changeover.key_map`, committed together
with the source row. Until then somebody else may take it: a key that leads to another row's id is not this row's, and
nothing is ever read or written by it. What is written meanwhile waits in queue under the row's id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import qualified, quote
from orchestrator.mapping import types
from orchestrator.mapping.frame import ahead_texts
from orchestrator.mapping.objects import DbObject, ObjectKind, function, keep_private
from orchestrator.mapping.part import computed
from orchestrator.mapping.sqltext import comma, literal, render
from orchestrator.mapping.writeback import Finding, Writeback, default_of, required, store_exempt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.mapping.catalog import Column
    from orchestrator.mapping.fragments import Fragment
    from orchestrator.mapping.unify import UnifySource

_OLD, _NEW = '"#old"', '"#new"'
_EMPTY = "'{}'::jsonb"


def functions(s: UnifySource) -> list[DbObject]:
    """From the target to the source."""
    carry = function(
        f"{s.fn}_carry",
        render("carry.sql", fn=s.fn, pins=s.pins, **_carry(s)),
        f"{s.target.sql}, {s.target.sql}, boolean",
        "keep a new-side row reversible",
    )
    key = render("key.sql", fn=s.fn, pins=s.pins, target=s.target.sql, own_key=_own_key(s))
    its_key = function(f"{s.fn}_key", key, s.target.sql, "the source key of a target row")
    return [*_numbers(s), its_key, carry, *_writeback(s).functions()]


def fragments(s: UnifySource) -> dict[str, Fragment]:
    """What settles a key that waits to be written back."""
    column, exempt = s.spec.originals_column, s.spec.exempt_column
    kept = [quote(c) for c in (column, exempt) if c] or [s.target_key.sql]
    drop = f"({s.frame.document('g')} - ARRAY(SELECT jsonb_array_elements_text($2 -> 'drop')))"
    said = _writeback(s).fragments(
        dropped=f"{quote(column)} = {s.frame.with_document('g', drop)}"
        if column
        else f"{s.target_key.sql} = g.{s.target_key.sql}",
    )
    said["carried"] = ", ".join(f"{c} = c.{c}" for c in kept)
    return said | ({"made": quote(column or s.target_key.name)} if s.generated_key else {})


def _writeback(s: UnifySource) -> Writeback:
    target_key = s.target_key
    # A view has no tableoid: where contract has put one in the table's place while this waited for a lock, it is an
    # error and waits in queue. The view shows the new side's own row, in which there is nothing left to write.
    choose = f"PERFORM x.tableoid FROM {s.table.sql} x WHERE {s.row_of('v_key')};\n    v_found := FOUND;"
    afterwards, erased = "NULL;", ""
    if s.several:
        image = " AND ".join(f"x.{c.sql}::text IS NOT DISTINCT FROM (p_image ->> {literal(c.name)})" for c in s.plain)
        meant = f"{s.row_of('v_key')} AND (coalesce(jsonb_typeof(p_image), 'null') = 'null' OR ({image}))"
        erased = f"x.ctid = (SELECT x.ctid FROM {s.table.sql} x WHERE {meant} ORDER BY x.ctid LIMIT 1)"
        choose = (
            f"PERFORM FROM {s.table.sql} x WHERE {s.row_of('v_key')} FOR NO KEY UPDATE;\n"
            f"    SELECT x.ctid INTO v_row FROM {s.table.sql} x WHERE {s.row_of('v_key')} ORDER BY x.ctid LIMIT 1;\n"
            "    v_found := FOUND;"
        )
        afterwards = (
            "INSERT INTO changeover.queue (source_id, direction, key, cause) "
            f"VALUES ({s.id}, 'forward', p_key, 'erased');"
        )
    raw = comma(f"x.{c.sql} AS {s.part.raw_name(c)}" for c in s.plain)
    key_of_new = s.key_of(_NEW)
    # It has one key here: under a former one nobody may find it any more.
    remember = (
        f"DELETE FROM changeover.key_map b WHERE b.source_id = {s.id} AND b.key <> v_new_key "
        f'AND b.target_key = ("#new").{target_key.sql}::text;\n        '
        "INSERT INTO changeover.key_map (source_id, key, target_key)\n"
        f'        VALUES ({s.id}, v_new_key, ("#new").{target_key.sql}::text)\n'
        "        ON CONFLICT (source_id, key, item) DO UPDATE SET target_key = EXCLUDED.target_key;"
    )
    return Writeback(
        id=s.id, fn=s.fn, part=s.part, target=s.target, pins=s.pins, reverse=s.reverse, key=s.key,
        legacy=s.legacy,
        finding=Finding(
            choose=choose,
            row="x.ctid = v_row" if s.several else s.row_of("v_key"),
            erased=erased,
            place=f"(SELECT x.ctid FROM {s.table.sql} x WHERE {s.row_of('$1')}{' ORDER BY x.ctid LIMIT 1' if s.several else ''})",
            row_now=f"SELECT {raw} FROM {s.table.sql} x WHERE {s.row_of('v_new_key')} ORDER BY x.ctid LIMIT 1",
            key_of_row=key_of_new, key_of_new=key_of_new, afterwards=afterwards,
            remember_key=remember if s.generated_key else "",
            not_ours=_not_ours(s) if s.generated_key else "",
            waits_under=f'ARRAY[v_key, ("#new").{target_key.sql}::text]' if s.generated_key else "ARRAY[v_key]",
        ),
    )  # fmt: skip


def _own_key(s: UnifySource) -> str:
    """The key of a target row ``t``; NULL for one that another row has, or nobody yet."""
    if not s.generated_key:
        return f"SELECT {s.legacy_key}"
    return f"SELECT CASE WHEN {s.target_of('k.key')} = t.{s.target_key.sql} THEN k.key END FROM (SELECT {s.legacy_key} AS key) k"


def _not_ours(s: UnifySource) -> str:
    """Before a whole row is written: whether its key is somebody else's."""
    by_key, new = s.target_of("v_new_key"), f'("#new").{s.target_key.sql}'
    taken = f"EXISTS (SELECT FROM {s.target.sql} g WHERE g.{s.target_key.sql} = {by_key})"
    return (
        f"IF p_whole AND {by_key} IS DISTINCT FROM {new} AND (v_new_key IS NULL OR v_found OR {taken}) THEN\n"
        f"        RAISE EXCEPTION 'the key % is not the key of %', v_new_key, {new} USING ERRCODE = 'unique_violation';\n"
        "    END IF;"
    )


def _numbers(s: UnifySource) -> list[DbObject]:
    """Where the keys come from that neither the new row nor the old table gives."""
    if not s.generated_key or not _numbered(s) or default_of(s.table, s.key):
        return []
    name = f"{s.fn}_numbers"
    sequence = qualified("changeover", name)
    text = render(
        "next_key.sql",
        fn=s.fn,
        pins=s.pins,
        sequence=literal(sequence),
        source=s.table.sql,
        row_of_key=s.row_of("v_key::text"),
    )
    return [
        DbObject(
            id=f"sequence {name}",
            create=f"CREATE SEQUENCE IF NOT EXISTS {sequence} INCREMENT BY -1;\n{keep_private(sequence, within_schema=True)}",
            drop=f"DROP SEQUENCE IF EXISTS {sequence}",
            exists=f"SELECT to_regclass({literal(sequence)}) IS NOT NULL",
            doc="keys of rows born on the new side",
            owner=s.fn,
            role="numbers",
            kind=ObjectKind.SEQUENCE,
        ),
        function(f"{s.fn}_next_key", text, "", "the next of them"),
    ]


def _next_key(s: UnifySource) -> str:
    if given := default_of(s.table, s.key):
        return given
    return f"changeover.{s.fn}_next_key()" if _numbered(s) else f"NULL::{s.key.sql_type}"


def _numbered(s: UnifySource) -> bool:
    return s.key.type in types.NUMBERS or s.key.type in types.TEXTUAL


def origin(s: UnifySource) -> str:
    """The old row that a target row stands for, as a FROM item; computed once, or each use of a column would compute it again."""
    columns = comma(f"r.{s.part.raw_name(c)} AS {c.sql}" for c in s.plain)
    return "(" + computed(s.table, f'SELECT {columns} FROM changeover.{s.fn}_old_row("#new") r OFFSET 0') + ")"


def _carry(s: UnifySource) -> dict[str, str]:
    column, exempt = s.spec.originals_column, s.spec.exempt_column
    backs = {c: s.part.back_expression(c) for c in s.plain if c.name != s.key.name}
    given = {c: s.wrap(b) for c, b in backs.items() if b is not None}
    kept = [c for c in given if c.name in s.spec.keep_original]
    ahead = s.frame.ahead_columns(s.derivation, (s.spec.key.target,))
    store = f'"#new".{quote(column)} := {s.frame.with_document(_NEW, "v_originals")};' if column else "NULL;"
    keep_dropped = " || ".join(
        f"CASE WHEN {literal(c.name)} = ANY (v_dropped) THEN jsonb_build_object({literal(c.name)}, ({given[c]})::text) "
        "ELSE '{}'::jsonb END"
        for c in kept
    )
    return {
        "target": s.target.sql,
        "originals_of_old": f"({s.frame.document(_OLD)} - '~')",
        "kept_values": _kept_values(s, given, kept),
        "dropped": ", ".join(
            [
                *(
                    f"CASE WHEN v_originals ? {literal(c.name)} AND {types.unlike(c, f'a.{n}', f'b.{n}')} THEN {literal(c.name)} END"
                    for c, n in ((c, s.part.raw_name(c)) for c in given)
                ),
                *_former_key(s),
            ]
        ),
        "forget": f"v_said.{quote(column)} := {s.frame.with_document('v_said', _EMPTY)};" if column else "",
        "keep_dropped": (
            f'SELECT v_originals || {keep_dropped} INTO v_originals FROM (SELECT ("#new").*) t;' if kept else ""
        ),
        "store_originals": store,
        "stand_ins": required(s.table, given, (c for c in s.plain if c.name != s.key.name), "v_originals"),
        "ahead_texts": ahead_texts(ahead),
        "derived_exempt": f"d.{quote(exempt)}" if exempt else "NULL::text[]",
        "by_value": s.derived("new_rows_of", _NEW),
        "store_exempt": store_exempt(quote(exempt) if exempt else None),
    }


def _former_key(s: UnifySource) -> list[str]:
    """A key that the id was made of goes with that id: nobody finds the row by it any more. The new id is the key."""
    if s.key_back is None:
        return []
    new = f'("#new").{s.target_key.sql}'
    key = f'(SELECT {s.key_back} FROM (SELECT ("#new").*) t)'
    changed = f'{new} IS DISTINCT FROM ("#old").{s.target_key.sql} AND {key} IS NOT NULL'
    return [f"CASE WHEN {changed} THEN {literal(s.key.name)} END"]


def _kept_values(s: UnifySource, given: Mapping[Column, str], kept: Sequence[Column]) -> str:
    """What a row born on the new side must keep: names, its key."""
    parts = [f"jsonb_build_object({literal(c.name)}, ({given[c]})::text)" for c in kept]
    if s.generated_key:
        parts.append(f"jsonb_build_object({literal(s.key.name)}, ({_next_key(s)})::text)")
    return " || ".join(parts) or "'{}'::jsonb"
