"""Rows that a new foreign key or unique index does not allow: counted, shown, and with the query that finds them.

They are counted by `plan check` where both tables are there before the plan and no fill of the plan changes the
columns, and by a run before the key is added, so that a key that cannot hold is never left half added. The query is one
that the operator can run as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg

from orchestrator.kernel.errors import RefusedError
from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqlcursor import Cursor, sql_name
from orchestrator.kernel.sqllexer import without_comments
from orchestrator.kernel.sqltokens import at, tokens
from orchestrator.kernel.words import counted
from orchestrator.mapping import catalog
from orchestrator.plan.created import created, label
from phases import alter
from phases.statements import IndexHead, index_head, key_head

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orchestrator.mapping.catalog import Table
    from orchestrator.plan.loader import LoadedPlan
    from phases.statements import KeyHead

_COUNT: Final = (
    "WITH broken AS MATERIALIZED ({}) SELECT count(*), "
    "(SELECT array_agg(x) FROM (SELECT DISTINCT b::text AS x FROM broken b ORDER BY 1 LIMIT 5) y) FROM broken"
)
_SHOWN: Final = 120
_PATIENCE: Final = "SET LOCAL statement_timeout = '60s'"


class BrokenRowsError(RefusedError):
    """A key or a unique index that rows stand in the way of."""

    def __init__(self, action: str, broken: Broken, old: Sequence[str] = (), rejected: str = "") -> None:
        """Say how many, which, how to see them, which old rows they come from, and whose rejects they may refer to."""
        comes = f" They come from the old rows {', '.join(old)}." if old else ""
        super().__init__(
            f"{action} cannot be added: {broken.words}{comes}",
            kept="It was not added, and nothing of it is left; what was done before is recorded.",
            todo=f"{rejected}Mend or delete these rows ({broken.query}), then run the same command again.",
        )


@dataclass(frozen=True)
class Broken:
    """Rows that stand in the way."""

    rows: int
    values: tuple[str, ...]
    query: str
    rule: str
    noun: str
    items: tuple[str, ...] = ()
    """The expressions of a unique index."""

    @property
    def words(self) -> str:
        """How many and which."""
        more = ", ..." if self.rows > len(self.values) else ""
        shown = ", ".join(v if len(v) <= _SHOWN else f"{v[:_SHOWN]}..." for v in self.values)
        return f"{counted(self.rows, self.noun)} {self.rule}: {shown}{more}."


def count(conn: psycopg.Connection[Any], head: KeyHead | IndexHead) -> Broken | None:
    """The rows that a key or an index does not allow; None if there are none."""
    found = _duplicates(conn, head) if isinstance(head, IndexHead) else _orphans(conn, head) or _violations(conn, head)
    if found is None:
        return None
    query, rule = found
    try:
        with conn.transaction():
            row = conn.execute(_COUNT.format(query).encode()).fetchone()
    except psycopg.errors.ObjectNotInPrerequisiteState:
        return None  # a materialized view that has not been populated: there are no rows
    if row is None or not row[0]:
        return None
    if isinstance(head, IndexHead):
        return Broken(row[0], tuple(row[1]), query, rule, "key", tuple(_items(head)[0]))
    return Broken(row[0], tuple(row[1]), query, rule, "row")


def problems(conn: psycopg.Connection[Any], plan: LoadedPlan, stages: Collection[str]) -> Iterator[str]:
    """What stops these stages, of tables that were there before the plan; what takes too long is left to the run."""
    files = [file for stage in plan.model.stages for file in stage.expand]
    made = set(created(text for _, text in plan.statements(files)))
    filled = _filled(plan)
    for stage in plan.model.stages:
        if stage.stage not in stages:
            continue
        late = [] if stage.contract is None else stage.contract.keys
        heads: list[tuple[str, KeyHead | IndexHead]] = []
        heads += [(place, key_head(place, text)) for place, text in plan.statements([*stage.keys, *late])]
        heads += [(place, index_head(place, text)) for place, text in plan.statements(stage.indexes)]
        heads += [(f"alter {each.label}, {head.name}", head) for each in stage.alter for head in alter.heads(each)]
        for place, head in heads:
            tables = [head.table] if isinstance(head, IndexHead) else [head.table, head.parent]
            if made.isdisjoint(label(table) for table in tables if table) and not _about(head, filled):
                broken = _counted_in_time(conn, head)
                if broken is not None:
                    yield f"{place} cannot be added: {broken.words} They are: {broken.query}"


def _filled(plan: LoadedPlan) -> set[tuple[str, str]]:
    """Table and column of what the plan fills before it adds a key: what is there now says nothing of the rows then."""
    return {
        (label(Cursor(mapping.target).name()), column)
        for stage in plan.model.stages
        for mapping in stage.mappings
        if mapping.puts_back
        for column in mapping.columns
    }


def _about(head: KeyHead | IndexHead, columns: set[tuple[str, str]]) -> bool:
    """Does a constraint or an index name one of these columns of its table?"""
    text = head.rest if isinstance(head, IndexHead) else head.body
    return any((label(head.table), token.text) in columns for token in tokens(text) if token.is_name)


def _counted_in_time(conn: psycopg.Connection[Any], head: KeyHead | IndexHead) -> Broken | None:
    try:
        with conn.transaction():
            conn.execute(f"{_PATIENCE}; SET LOCAL transaction_read_only = on")
            return count(conn, head)
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
        return None
    except psycopg.ProgrammingError:
        return None  # the statement itself is wrong: the trial says how


def orphans(conn: psycopg.Connection[Any], head: KeyHead) -> str | None:
    """The query for the rows of a foreign key without a parent; None where a table of it is not there."""
    found = _orphans(conn, head)
    return None if found is None else found[0]


def _orphans(conn: psycopg.Connection[Any], head: KeyHead) -> tuple[str, str] | None:
    """The query for rows without a parent, and the rule that they break."""
    child, parent = _table(conn, head.table), _table(conn, head.parent)
    columns, referred = _columns_of_key(head)
    if child is None or parent is None or not columns:
        return None
    referred = referred or list(parent.primary_key)
    if len(referred) != len(columns):
        return None
    pairs = [(f"c.{quote(c)}", f"p.{quote(p)}") for c, p in zip(columns, referred, strict=True)]
    full = Cursor(head.tail).seek("match", "full")
    given = (" OR " if full else " AND ").join(f"{c} IS NOT NULL" for c, _ in pairs)
    same = " AND ".join(f"{p} = {c}" for c, p in pairs)
    query = (
        f"SELECT {', '.join(c for c, _ in pairs)} FROM {_from(child)} c "
        f"WHERE ({given}) AND NOT EXISTS (SELECT FROM {_from(parent)} p WHERE {same})"
    )
    return query, f"of {child.label} with ({', '.join(columns)}) that no row of {parent.label} has"


def _columns_of_key(head: KeyHead) -> tuple[list[str], list[str]]:
    body, tail = Cursor(head.body), Cursor(head.tail)
    own = body.arguments() if body.takes("foreign", "key") else None
    other = tail.arguments() if tail.here.says("(") else None
    if own is None or Cursor(head.tail).seek("not", "enforced"):
        return [], []
    return _names(own), _names(other or "")


def _names(arguments: str) -> list[str]:
    cursor, names = Cursor(arguments), []
    while name := cursor.name():
        names.append(name[-1])
        if not cursor.takes(","):
            break
    return names if cursor.at_end else []


def _violations(conn: psycopg.Connection[Any], head: KeyHead) -> tuple[str, str] | None:
    """The query for rows that a CHECK does not allow, and the rule that they break. NULL is no violation."""
    table, body = _table(conn, head.table), Cursor(head.body)
    condition = body.arguments() if body.takes("check") else None
    if table is None or condition is None or body.seek("not", "enforced"):
        return None
    return (
        f"SELECT * FROM {_from(table)} WHERE NOT ({without_comments(condition).strip()})",
        f"of {table.label} for which it is not so that {condition.strip()}",
    )


def _duplicates(conn: psycopg.Connection[Any], head: IndexHead) -> tuple[str, str] | None:
    """The query for the rows that share a key of a unique index, and the rule that they break."""
    table = _table(conn, head.table) if head.unique else None
    if table is None:
        return None
    items, rest = _items(head)
    if not items:
        return None
    equal_nulls = Cursor(rest.rest()).seek("nulls", "not", "distinct")
    conditions = [] if equal_nulls else [f"({item}) IS NOT NULL" for item in items]
    if rest.seek("where"):
        conditions.insert(0, f"({rest.rest()}\n)")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    numbers = ", ".join(str(number) for number in range(1, len(items) + 1))
    query = (
        f"SELECT {', '.join(items)}, count(*) AS rows FROM {_from(table)}{where} GROUP BY {numbers} HAVING count(*) > 1"
    )
    return query, f"({', '.join(items)}) that {table.label} has more than once (and how often)"


def _items(head: IndexHead) -> tuple[list[str], Cursor]:
    """The expressions of an index, without operator class and order; and what comes after them."""
    rest = Cursor(head.rest)
    if rest.takes("using"):
        rest.name()
    arguments = rest.arguments() or ""
    cursor, items = Cursor(arguments), []
    while not cursor.at_end:
        begins = cursor.here.start
        if cursor.here.says("("):
            cursor.arguments()
        else:
            cursor.name()
            if cursor.here.says("("):
                cursor.arguments()
        ends = at(cursor.found, cursor.place - 1).end
        if cursor.takes("collate"):
            cursor.name()
            ends = at(cursor.found, cursor.place - 1).end
        items.append(arguments[begins:ends])
        if not cursor.seek(","):
            break
    return [item for item in items if item], rest


def _table(conn: psycopg.Connection[Any], name: tuple[str, ...]) -> Table | None:
    oid = catalog.find(conn, sql_name(name)) if name else None
    return None if oid is None else catalog.read_table(conn, oid)


def _from(table: Table) -> str:
    """The table as a key sees it: with its partitions, without what inherits from it."""
    return table.sql if table.kind == "p" else f"ONLY {table.sql}"
