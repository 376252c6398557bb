"""`alter:` as actions. What hinders nobody is done in expand; what old rows must pass, in backfill; or in contract.

Every change is one that a table in use can bear: a constant default rewrites nothing, a constraint comes NOT VALID and
is validated while the application writes, NOT NULL is proved by such a constraint, an index is built CONCURRENTLY, and
a constraint goes only when the one that replaces it is valid. No statement reads rows under a lock that keeps writers
out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.identifiers import bounded, quote
from orchestrator.kernel.sqlcursor import Cursor
from orchestrator.mapping.sqltext import literal
from phases import alter_inverse as inverse
from phases.actions import Action
from phases.alter_spec import column
from phases.comments import comment
from phases.statements import foreign_key, index, key_head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from phases.alter_spec import Alter, ChangedColumn, Constraint, NewColumn
    from phases.statements import IndexHead, KeyHead

_BRIEF: Final = "ACCESS EXCLUSIVE, briefly"


def archive_trigger(alter: Alter) -> str:
    """The trigger that keeps what is written to new columns while they go back (`engine.contract.column_archive`)."""
    return bounded("changeover_kept", *alter.mark)


def added_id(alter: Alter) -> str:
    """The id of the action that adds the columns."""
    return f"columns {', '.join(column(each) for each in alter.add)} of {alter.label}"


def in_expand(alter: Alter) -> Iterator[Action]:
    """New columns, defaults, nullable, comments."""
    yield from map(_added, alter.added_apart)
    for name, new in alter.add.items():
        if new.comment is not None:
            yield _comment(alter, f"COLUMN {alter.sql}.{quote(column(name))}", new.comment)
        if new.check is not None:
            label = quote(bounded(alter.parts[-1], column(name), "check"))
            yield from _tried(
                foreign_key(alter.label, f"ALTER TABLE {alter.sql} ADD CONSTRAINT {label} CHECK ({new.check})")
            )
    for name, changed in alter.columns.items():
        yield from _changed(alter, column(name), changed)
    for name in alter.drop:
        yield _may_be_null(alter, column(name))
    if alter.says("comment"):
        yield _comment(alter, f"TABLE {alter.sql}", alter.comment)


def in_backfill(alter: Alter) -> Iterator[Action]:
    """NOT NULL, constraints, indexes: what the rows that are there must pass."""
    for name, changed in alter.columns.items():
        if changed.nullable is False:
            yield from _not_null(alter, column(name))
    for name, each in alter.indexes.items():
        unique = "UNIQUE " if each.unique else ""
        yield index(alter.label, f"CREATE {unique}INDEX {quote(column(name))} ON {alter.sql} {each.of}")
    yield from constraints(alter, "backfill")


def constraints(alter: Alter, when: str) -> Iterator[Action]:
    """The constraints of one phase."""
    for name, each in alter.constraints.items():
        if each.when == when:
            yield from _constraint(alter, column(name), each)


def heads(alter: Alter) -> Iterator[KeyHead | IndexHead]:
    """What rows that are there may stand in the way of, in the words of what is declared."""
    found = [*in_backfill(alter), *constraints(alter, "contract")]
    yield from dict.fromkeys(each.head for each in found if each.head is not None)


def keys(alter: Alter) -> Iterator[tuple[KeyHead, str]]:
    """The foreign keys, under their final names, and when they are added."""
    for name, each in alter.constraints.items():
        if each.foreign_key is not None:
            text = f"ALTER TABLE {alter.sql} ADD CONSTRAINT {quote(column(name))} {each.body}"
            yield key_head(alter.label, text), each.when


def defined(name: str, new: NewColumn) -> str:
    """A new column as ADD COLUMN takes it."""
    return f"ADD COLUMN {quote(column(name))} {new.definition}"


def _added(alter: Alter) -> Action:
    names = [column(each) for each in alter.add]
    there = " AND ".join(
        f"EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass({literal(alter.sql)}) "
        f"AND attname = {literal(name)} AND NOT attisdropped)"
        for name in names
    )
    drops = ", ".join(f"DROP COLUMN IF EXISTS {quote(name)}" for name in names)
    # In one transaction with its column: the trigger reads the column.
    stop = (
        f"DO $changeover$ BEGIN IF to_regclass({literal(alter.sql)}) IS NOT NULL THEN "
        f"DROP TRIGGER IF EXISTS {quote(archive_trigger(alter))} ON {alter.sql}; END IF; END $changeover$;\n"
    )
    return Action(
        id=added_id(alter),
        statement=f"ALTER TABLE {alter.sql} " + ", ".join(defined(name, new) for name, new in alter.add.items()),
        inverse=f"{stop}ALTER TABLE IF EXISTS {alter.sql} {drops}",
        probe=f"SELECT {there}",
        lock=_BRIEF,
        doc="new columns; old rows have their default without a rewrite",
        on=_on(alter),
        unless_there=any(new.unless_there for new in alter.add.values()),
        tried_apart=True,
    )


def _changed(alter: Alter, name: str, changed: ChangedColumn) -> Iterator[Action]:
    if changed.says("default"):
        to = "DROP DEFAULT" if changed.default is None else f"SET DEFAULT {changed.default}"
        yield Action(
            id=f"default of {alter.label}.{name}",
            statement=f"ALTER TABLE {alter.sql} ALTER COLUMN {quote(name)} {to}",
            inverse_query=inverse.default(alter.sql, name),
            lock=_BRIEF,
            doc="of rows that come later",
            on=_on(alter),
            tried_apart=True,
        )
    if changed.nullable:
        yield _may_be_null(alter, name)
    if changed.says("comment"):
        yield _comment(alter, f"COLUMN {alter.sql}.{quote(name)}", changed.comment)


def _may_be_null(alter: Alter, name: str) -> Action:
    return Action(
        id=f"nullable {alter.label}.{name}",
        statement=f"ALTER TABLE {alter.sql} ALTER COLUMN {quote(name)} DROP NOT NULL",
        inverse_query=inverse.not_null_again(alter.sql, name),
        lock=_BRIEF,
        doc="NULL is allowed from here on",
        on=_on(alter),
        tried_apart=True,
    )


def _not_null(alter: Alter, name: str) -> Iterator[Action]:
    """Proved by a CHECK, so that SET NOT NULL reads no row."""
    check = inverse.not_null_check(name)
    is_so = (
        f"EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass({literal(alter.sql)}) "
        f"AND attname = {literal(name)} AND attnotnull)"
    )
    text = f"ALTER TABLE {alter.sql} ADD CONSTRAINT {quote(check)} CHECK ({quote(name)} IS NOT NULL)"
    for each in foreign_key(alter.label, text):
        yield replace(each, probe=f"{each.probe} OR {is_so}", ours=True)
    yield Action(
        id=f"not null {alter.label}.{name}",
        statement=(
            f"ALTER TABLE {alter.sql} ALTER COLUMN {quote(name)} SET NOT NULL;\n"
            f"ALTER TABLE {alter.sql} DROP CONSTRAINT IF EXISTS {quote(check)}"
        ),
        inverse_query=inverse.nullable_again(alter.sql, name),
        lock=_BRIEF,
        doc="the CHECK has proved it",
        on=_on(alter),
    )


def _constraint(alter: Alter, name: str, each: Constraint) -> Iterator[Action]:
    if each.unique is not None:
        yield from _unique(alter, name, each)
        return
    old = None if each.replaces is None else column(each.replaces)
    added_as = bounded("changeover_next", name) if old == name else name
    add, validate = foreign_key(alter.label, f"ALTER TABLE {alter.sql} ADD CONSTRAINT {quote(added_as)} {each.body}")
    if old is None:
        yield add
        yield validate
        return
    if old == name:
        # The swap gives it another name: from then on only the ledger knows.
        add, validate = (replace(each, probe="") for each in (add, validate))
    yield add
    yield validate
    yield _swap(alter, old, added_as, name)


def _swap(alter: Alter, old: str, added_as: str, name: str) -> Action:
    statements = [inverse.parents_locked(alter.sql, (old, added_as))]
    statements.append(f"ALTER TABLE {alter.sql} DROP CONSTRAINT {quote(old)}")
    if added_as != name:
        statements.append(f"ALTER TABLE {alter.sql} RENAME CONSTRAINT {quote(added_as)} TO {quote(name)}")
    return Action(
        id=f"replace constraint {alter.label}.{old}",
        statement=";\n".join(statements),
        inverse_query=inverse.replaced(alter.sql, old, added_as, name),
        lock="ACCESS EXCLUSIVE on both tables, briefly",
        doc=f"{name} has taken its place",
        on=_on(alter),
    )


def _unique(alter: Alter, name: str, each: Constraint) -> Iterator[Action]:
    columns = ", ".join(quote(column(one)) for one in each.unique or ())
    made = index(alter.label, f"CREATE UNIQUE INDEX {quote(name)} ON {alter.sql} ({columns})")
    yield replace(made, taken_up=True)
    yield Action(
        id=f"constraint {alter.label}.{name}",
        statement=f"ALTER TABLE {alter.sql} ADD CONSTRAINT {quote(name)} UNIQUE USING INDEX {quote(name)}",
        inverse=f"ALTER TABLE IF EXISTS {alter.sql} DROP CONSTRAINT IF EXISTS {quote(name)}",
        probe=(
            f"SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conname = {literal(name)} "
            f"AND conrelid = to_regclass({literal(alter.sql)}))"
        ),
        lock=_BRIEF,
        doc="of the index that is there",
        on=_on(alter),
    )


def _comment(alter: Alter, subject: str, words: str | None) -> Action:
    found = comment(Cursor(f"COMMENT ON {subject} IS {literal(words)}"))
    assert found is not None  # noqa: S101 - it is our own text
    return replace(found, id=f"comment on {subject.replace(alter.sql, alter.label)}", tried_apart=True, on=_on(alter))


def _tried(pair: tuple[Action, ...]) -> Iterator[Action]:
    return (replace(each, tried_apart=True) for each in pair)


def _on(alter: Alter) -> str:
    return f"relation {alter.label}"


def on_twin(alter: Alter, twin: str) -> Iterator[tuple[str, str, bool]]:
    """What is changed, and the same statement on a copy of the table that nobody uses: what the server says of it.

    The third is whether what it makes may stay: a foreign key locks the other table, and is taken back at once.
    """
    for name, new in alter.add.items():
        added = defined(name, new)
        if new.unless_there:
            added = added.replace("ADD COLUMN", "ADD COLUMN IF NOT EXISTS", 1)
        yield f"add {name}", f"ALTER TABLE {twin} {added}", True
        if new.check is not None:
            yield f"add {name}, check", f"ALTER TABLE {twin} ADD CHECK ({new.check})", True
    for name, changed in alter.columns.items():
        head = f"ALTER TABLE {twin} ALTER COLUMN {quote(column(name))}"
        yield f"columns {name}", f"{head} SET STATISTICS -1", True  # that it is there
        if changed.default is not None:
            yield f"columns {name}, default", f"{head} SET DEFAULT {changed.default}", True
        if changed.nullable is not None:
            yield f"columns {name}, nullable", f"{head} {'DROP' if changed.nullable else 'SET'} NOT NULL", True
    for name, wanted in alter.indexes.items():
        unique = "UNIQUE " if wanted.unique else ""
        yield f"indexes {name}", f"CREATE {unique}INDEX {quote(column(name))} ON {twin} {wanted.of}", True
    for name, each in alter.constraints.items():
        yield f"constraints {name}", f"ALTER TABLE {twin} ADD CONSTRAINT {quote(column(name))} {each.body}", False
    for name in alter.drop:
        yield f"drop {name}", f"ALTER TABLE {twin} ALTER COLUMN {quote(column(name))} DROP NOT NULL", True
