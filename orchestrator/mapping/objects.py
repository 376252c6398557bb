"""What the compilers give: database objects, each with the SQL that makes and removes it.

Every object that we make is named here exactly, so that a rollback drops these and never a pattern.
The bits that every compiled function shares stand here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.identifiers import qualified, quote
from orchestrator.mapping.sqltext import literal, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestrator.mapping.catalog import Table

LOCK_CLASS = 1_128_419_927  # first key of our advisory locks: "CHGW" in ASCII, below 2^31


_BODY: Final = re.compile(r"\bAS\s+(\$\w*\$)(.*)\1", re.DOTALL)


class ObjectKind(Enum):
    """What an object is."""

    FUNCTION = "function"
    TRIGGER = "trigger"
    INDEX = "index"
    VIEW = "view"
    SEQUENCE = "sequence"
    CHANGE = "change"
    """Of a column, at contract."""


@dataclass(frozen=True)
class DbObject:
    """One object: a stable id, how it is made, how it goes, the lock that making it takes."""

    id: str
    create: str
    drop: str
    exists: str
    lock: str = "none"
    doc: str = ""
    owner: str = ""
    """The source (`m7`) or the mapping (`x2`) whose it is."""
    role: str = ""
    """Of a function: what it does for its owner (`batch`)."""
    kind: ObjectKind = ObjectKind.CHANGE
    intact: str = ""
    """The query that also sees whether it is as it was made: the same body, not disabled; empty where `exists` does."""
    group: str = ""
    """Of a trigger: the mirror and the table; those of a group are put on together."""
    name: str = ""
    """Of an index: its full name."""
    table: str = ""
    """Of a trigger: its table."""


def pins(*schemas: str) -> str:
    """The settings that every function fixes: whoever calls it, the same text gives the same values.

    The schemas of the tables are in the path for the application's triggers, which run under it. In none of them may
    others create objects (`engine.check.reach`); pg_temp, where everybody may, comes last and has no functions in any case.
    """
    path = ", ".join(dict.fromkeys(["pg_catalog", *(quote(s) for s in schemas), '"changeover"', "pg_temp"]))
    return (
        f"SET search_path = {path}\nSET timezone = 'UTC'\nSET datestyle = 'ISO, MDY'\n"
        "SET intervalstyle = 'postgres'\nSET extra_float_digits = 1\nSET bytea_output = 'hex'\n"
        # The number of a money's decimals is that of the database's locale, and only its own is right.
        "SET lc_monetary FROM CURRENT\n"
        "SET standard_conforming_strings = on\nSET array_nulls = on\n"
        # Where row-level security would hide a row from the owner, an error is better than a row that seems to be gone.
        "SET row_security = off\n"
        # The statements are long and the keys few: planning anew at each call costs more than the work itself.
        "SET jit = off\nSET plan_cache_mode = force_generic_plan"
    )


def function(name: str, create: str, arguments: str, doc: str, *, readers: bool = False) -> DbObject:
    """A function in schema changeover, for its owner alone; of one that a view calls, ``readers`` may execute it.

    PostgreSQL asks for the right to execute a trigger function when the trigger is made, and not when it fires.
    """
    signature = f"changeover.{name}({arguments})"
    owner, _, role = name.partition("_")
    body = _BODY.search(create)
    whose = (
        f"GRANT EXECUTE ON FUNCTION {signature} TO PUBLIC"
        if readers
        else f"SELECT changeover.keep_private({literal(signature)}::pg_catalog.regprocedure)"
    )
    return DbObject(
        id=f"function {name}",
        kind=ObjectKind.FUNCTION,
        intact="" if body is None else _same_body(signature, body.group(2)),
        create=f"{create.rstrip().removesuffix(';')};\n{whose}",
        drop=f"DROP FUNCTION IF EXISTS {signature}",
        exists=f"SELECT to_regprocedure({literal(signature)}) IS NOT NULL",
        doc=doc,
        owner=owner,
        role=role,
    )


def _same_body(signature: str, body: str) -> str:
    """Whether a function has this body: by its hash, as a server asked for all functions reads all of it."""
    same = f"encode(sha256(convert_to(prosrc, 'UTF8')), 'hex') = '{sha256(body.encode()).hexdigest()}'"
    return (
        f"SELECT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid = to_regprocedure({literal(signature)}) AND {same})"
    )


def keep_private(relation: str, *, within_schema: bool = False) -> str:
    """Takes from a new view or sequence what default privileges gave; of this very schema only if asked to."""
    wholly = "true" if within_schema else "false"
    return f"SELECT changeover.keep_private({literal(relation)}::pg_catalog.regclass, {wholly})"


def trigger(name: str, table: str, event: str, body: str, doc: str, *, owner: str = "") -> DbObject:
    """A trigger on an application's table; creating one keeps writers out for a moment, not readers."""
    there = f"FROM pg_catalog.pg_trigger WHERE tgname = {literal(name)} AND tgrelid = {literal(table)}::regclass"
    return DbObject(
        id=f"trigger {name} on {table}",
        kind=ObjectKind.TRIGGER,
        owner=owner,
        group=f"{name.rpartition('_')[0]} on {table}",
        table=table,
        create=f"CREATE OR REPLACE TRIGGER {quote(name)} {event} ON {table} {body}",
        drop=f"DROP TRIGGER IF EXISTS {quote(name)} ON {table}",
        exists=f"SELECT EXISTS (SELECT {there})",
        intact=f"SELECT EXISTS (SELECT {there} AND tgenabled <> 'D')",
        lock="SHARE ROW EXCLUSIVE",
        doc=doc,
    )


def oids(tables: Iterable[Table]) -> str:
    """An array of the tables' oids."""
    return "ARRAY[" + ", ".join(f"{literal(table.sql)}::regclass" for table in tables) + "]::oid[]"


def dependents(fn: str, pinned: str, branches: Iterable[str]) -> list[DbObject]:
    """The function that finds what hangs on a changed row of a lookup, where anything does."""
    found = "\n    ".join(branches)
    text = render("dependents.sql", fn=fn, pins=pinned, dependents=found)
    return [function(f"{fn}_dependents", text, "jsonb", "what hangs on a lookup's row")] if found else []


def forward_mirror(fn: str, source: Table, **fragments: str) -> DbObject:
    """The function of the statement triggers on a source."""
    last = source.columns[-1].attnum
    # NULL where there is no such column. One of three may have come and gone since.
    newer = ", ".join(f"has_column_privilege(TG_RELID, {last + n}::smallint, 'SELECT')" for n in (1, 2, 3))
    text = render("mirror.sql", fn=fn, new_column=f"coalesce({newer}) IS NOT NULL", **fragments)
    return function(f"{fn}_mirror", text, "", "the forward mirror")


def plain_forward(fn: str, written: Iterable[Table], apply: str = "", **fragments: str) -> DbObject:
    """What a mirror does with its keys, where there is no shorter way than to apply them; ``apply`` is the call, if it is not the source's."""
    text = render(
        "forward.sql", fn=fn, written=oids(written), apply=apply or f'changeover.{fn}_apply("#keys")', **fragments
    )
    return function(f"{fn}_forward", text, "text, text[], boolean", "what the mirror does")


def source_index(name: str, table: Table, expression: str, doc: str, *, owner: str) -> DbObject:
    """An index of ours on an application's table, built without keeping writers out.

    It stands where the table stands, whatever `default_tablespace` says: its writers need no disk more than they did.
    """
    full = qualified(table.schema, name)
    where = f" TABLESPACE {quote(table.tablespace)}" if table.tablespace is not None else ""
    return DbObject(
        id=f"index {name}",
        kind=ObjectKind.INDEX,
        owner=owner,
        name=full,
        create=f"CREATE INDEX CONCURRENTLY {quote(name)} ON {table.sql} ({expression}){where}",
        drop=f"DROP INDEX CONCURRENTLY IF EXISTS {full}",
        exists=f"SELECT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indexrelid = to_regclass({literal(full)}) AND indisvalid)",
        lock="SHARE UPDATE EXCLUSIVE",
        doc=f"{doc} in {table.label}",
    )


def new_side() -> str:
    """A trigger's WHEN: only for what an application writes, not for any mirror, batch or placeholder."""
    return "WHEN (coalesce(current_setting('changeover.origin', true), '') = '')"


def mirror_triggers(letter: str, source: int, table: str) -> Sequence[DbObject]:
    """The statement triggers of a forward mirror: insert, update, delete, and truncate; the letter sorts those of a table.

    They fire for what the reverse mirror writes too: an application's trigger may touch other rows meanwhile.
    """
    fn, prefix = f"m{source}", f"changeover_{letter}{source:06d}"
    made = [
        trigger(
            f"{prefix}_{word}",
            table,
            f"AFTER {event}",
            f"REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION changeover.{fn}_mirror()",
            f"forward mirror of {event.lower()}",
            owner=fn,
        )
        for word, event, rows in (
            ("ins", "INSERT", "NEW TABLE AS new_rows"),
            ("upd", "UPDATE", "OLD TABLE AS old_rows NEW TABLE AS new_rows"),
            ("del", "DELETE", "OLD TABLE AS old_rows"),
        )
    ]
    made.append(truncated(f"{prefix}_trunc", table, fn))
    return made


def truncated(name: str, table: str, fn: str) -> DbObject:
    """The trigger of TRUNCATE on a source. Its function is fixed, and is told whose it is."""
    body = f"FOR EACH STATEMENT EXECUTE FUNCTION changeover.truncated({literal(fn)})"
    return trigger(name, table, "AFTER TRUNCATE", body, "forward mirror of TRUNCATE", owner=fn)


def target_triggers(fn: str, target: Table, forward: str | None = None, key: str = "") -> list[DbObject]:
    """The reverse mirror's triggers, only for what the new side writes; and that of what foreign keys do for other mappings.

    One object, as they come and go together: a row that met the first alone would have a originals, and no old row.
    ``forward`` is the origin of the mapping's own writes (None: what its rows refer to is of the same source, which has its own
    mirror), ``key`` the column that leads to the source (none: the source's own function).
    """
    when = f"FOR EACH ROW {new_side()} EXECUTE FUNCTION changeover.{fn}"
    before = trigger(
        f"changeover_{fn}_before", target.sql, "BEFORE INSERT OR UPDATE", f"{when}_before()", "the reverse mirror"
    )
    after = trigger(
        f"changeover_{fn}_reverse", target.sql, "AFTER INSERT OR UPDATE OR DELETE", f"{when}_reverse()", before.doc
    )
    truncated = trigger(
        f"changeover_{fn}_trunc",
        target.sql,
        "AFTER TRUNCATE",
        f"FOR EACH STATEMENT EXECUTE FUNCTION changeover.emptied({literal(fn)})",
        before.doc,
    )
    made = [before, after, truncated]
    if forward is not None:
        arguments = ", ".join(literal(a) for a in (fn, key) if a)
        # The mapping's own write is made in its mirror, or by a drain, in no trigger; what is made one deeper, a foreign key of the
        # table to itself has made.
        when = (
            f"CASE coalesce(current_setting('changeover.origin', true), '') WHEN '' THEN false WHEN {literal(forward)} THEN "
            "pg_trigger_depth() > CASE WHEN coalesce(current_setting('changeover.draining', true), '') = '' THEN 1 ELSE 0 END "
            "ELSE true END"
        )
        body = f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION changeover.taken({arguments})"
        made.append(trigger(f"changeover_{fn}_taken", target.sql, "AFTER UPDATE OR DELETE", body, before.doc))
    return [
        replace(
            after,
            create=";\n".join(t.create for t in made),
            drop=";\n".join(t.drop for t in reversed(made)),
            exists="SELECT " + " AND ".join(f"({t.exists})" for t in made),
            intact="SELECT " + " AND ".join(f"({t.intact})" for t in made),
            owner=fn,
        )
    ]
