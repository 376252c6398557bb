"""Judging the tables that a plan reads: what hides rows from us, what goes past the mirror, what hangs on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.engine.doctor.diagnosis import Check
from orchestrator.kernel.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from orchestrator.engine.doctor.diagnosis import Level
    from orchestrator.engine.doctor.doctor_facts import TableFacts

_SHOWN: Final = 6
_GROWTH: Final = 2  # the copy with its indexes, and the WAL and bloat of making it
_STEPS: Final = ("B", "kB", "MB", "GB", "TB")
_KILO: Final = 1024


def judge_tables(tables: Sequence[TableFacts]) -> Iterator[Check]:
    """All rules, each over all tables: one line for each thing that is wrong, not one for each table."""
    if not tables:
        return
    for name, level, wrong, detail, todo in _RULES:
        found = [table for table in tables if wrong(table)]
        if found:
            yield Check(name, level, f"{detail}: {_some(_words(name, table) for table in found)}", todo)
    failing = {table.name for _, level, wrong, _, _ in _RULES for table in tables if level == "fail" and wrong(table)}
    if len(failing) < len(tables):
        yield Check("tables", "ok", f"{len(tables) - len(failing)} of {len(tables)} can be migrated by this role")
    total = sum(table.bytes for table in tables)
    rows = sum(table.rows_estimated for table in tables)
    yield Check(
        "disk",
        "ok",
        f"the sources take {size(total)} (about {counted(rows, 'row')}); plan for {size(total * _GROWTH)} more",
        "What is free cannot be asked over SQL: look at the server's disk.",
    )


def size(number: float) -> str:
    """Bytes as people read them."""
    for step in _STEPS[:-1]:
        if number < _KILO:
            return f"{number:.0f} {step}"
        number /= _KILO
    return f"{number:.0f} {_STEPS[-1]}"


def _words(rule: str, table: TableFacts) -> str:
    """The table, with what the rule is about."""
    extra = {
        "ownership": [table.owner],
        "foreign keys": table.referenced_by,
        "triggers": table.triggers,
        "rules": [name for name in table.rules if name != "_RETURN"],
        "publications": table.published,
        "views": table.views,
    }.get(rule, [])
    return f"{table.name} ({_some(extra)})" if extra else table.name


def _some(words: Iterable[str]) -> str:
    listed = list(words)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


_Rule = tuple[str, "Level", "Callable[[TableFacts], bool]", str, str]

_RULES: Final[tuple[_Rule, ...]] = (
    (
        "ownership",
        "fail",
        lambda t: not t.owned,
        "owned by somebody else, so that no trigger can be put on them and contract cannot move them",
        "Run as their owner, or as a member of the role that owns them.",
    ),
    (
        "row-level security",
        "fail",
        lambda t: t.rls_hides,
        "row-level security hides rows from this role; they would be lost",
        "Run as the owner of the tables, and ALTER TABLE … NO FORCE ROW LEVEL SECURITY for the time of the migration.",
    ),
    (
        "policies behind a view",
        "warn",
        lambda t: t.rls_behind_view,
        "row-level security was switched on after contract, and the view under the old name lets everybody past it",
        "ALTER VIEW … SET (security_invoker = true), GRANT who asks USAGE on schema archive and rights on the table.",
    ),
    ("rights", "fail", lambda t: not t.readable, "cannot be read", "GRANT SELECT, or run as their owner."),
    (
        "subscriptions",
        "fail",
        lambda t: t.subscribed,
        "filled by a subscription, whose writes fire no ordinary trigger and go past the mirror",
        "Migrate at the publisher, or end the subscription first.",
    ),
    (
        "inheritance",
        "fail",
        lambda t: t.kind != "p" and t.has_children,
        "have child tables, whose rows show in them but whose writes fire other triggers",
        "Detach the children (ALTER TABLE … NO INHERIT) or make sources of them.",
    ),
    (
        "temporary tables",
        "fail",
        lambda t: t.persistence == "t",
        "temporary: other sessions do not see them",
        "Name lasting tables in the plan.",
    ),
    (
        "partitions",
        "warn",
        lambda t: t.is_partition or t.inherits,
        "part of a larger table; rows that are written through that one are mirrored, an ATTACH or DETACH is not",
        "Leave the partitions as they are while the migration runs.",
    ),
    (
        "unlogged tables",
        "warn",
        lambda t: t.persistence == "u",
        "unlogged: a crash empties them, and the new table then has rows that they have not",
        "ALTER TABLE … SET LOGGED first.",
    ),
    (
        "no autovacuum",
        "warn",
        lambda t: t.autovacuum_off,
        "autovacuum is switched off for them, so that every update of theirs leaves a dead row for good",
        "ALTER TABLE … RESET (autovacuum_enabled), or VACUUM them by hand meanwhile.",
    ),
    (
        "wraparound",
        "warn",
        lambda t: t.freeze_due,
        "an autovacuum against wraparound is due, which does not give way to DDL as others do",
        "VACUUM (FREEZE) them first.",
    ),
    (
        "vacuum",
        "warn",
        lambda t: t.vacuuming,
        "being vacuumed or analyzed, or getting an index, at this moment; the copy waits for the end of it",
        "Start when it is done.",
    ),
    (
        "foreign keys",
        "warn",
        lambda t: bool(t.referenced_by),
        "referred to by other tables; these keys go along when contract archives them",
        "Have the plan give those tables keys to the new one.",
    ),
    (
        "triggers",
        "warn",
        lambda t: bool(t.triggers),
        "have triggers of their own, which also fire on what the reverse mirror writes",
        "Make sure that they bear it: no mail twice, no counter twice.",
    ),
    (
        "rules",
        "warn",
        lambda t: any(name != "_RETURN" for name in t.rules),
        "have rewrite rules; a row that a rule sends elsewhere is not mirrored",
        "Replace the rules by triggers, or migrate where they lead.",
    ),
    (
        "publications",
        "warn",
        lambda t: bool(t.published),
        "published: subscribers see what the reverse mirror writes, and lose them at contract",
        "Tell whoever subscribes.",
    ),
    (
        "views",
        "warn",
        lambda t: bool(t.views),
        "read by views; a view follows its table into the archive when contract moves it",
        "Have the plan's application move to views of the new tables before contract.",
    ),
)
