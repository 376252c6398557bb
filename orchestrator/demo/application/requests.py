"""What users do, and how often: the mix of requests, each made for the version and flag of its client.

A request is chosen by weight and then made concrete: which rows, which values. `run` executes it and
returns the journal's entries and `settle`, which changes what the client believes it owns; both take
effect only once the transaction is committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

from orchestrator.demo.application import legacy_side, unified_side

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from orchestrator.demo.application.client import Client
    from orchestrator.demo.application.journal import Entry
    from orchestrator.demo.application.rows import Audit
    from orchestrator.demo.application.tables import LegacyTable

_CHOICE: Final = 6
"""People of whom at least one can take an audit over: not its auditor, and of another name than whom it was of."""

Isolation = Literal["read_committed", "repeatable_read"]


def _nothing() -> None:
    """Nothing to settle."""


@dataclass(frozen=True)
class Done:
    """What a request has written, and what changes for its client when it is committed."""

    entries: Sequence[Entry] = ()
    settle: Callable[[], None] = _nothing


@dataclass(frozen=True)
class Job:
    """A kind of request."""

    kind: str
    run: Callable[[Client], Awaitable[Done]]
    weight: int
    isolation: Isolation | None = None
    contended: bool = False


# ------------------------------------------------------------------------------------------- reads


async def _report(client: Client) -> Done:
    if client.version == "new" and client.scene.comparable:
        email = client.dice.choice(client.scene.comparable)
        client.source = await client.scene.reads.report(client.tables, email)
    else:
        await legacy_side.report(client.conn, client.tables, client.dice.choice(client.scene.people))
    return Done()


async def _month(client: Client) -> Done:
    since = datetime(2022, 2, 1, tzinfo=UTC) + timedelta(days=client.dice.randrange(1000))
    if client.unified_audits:
        await unified_side.month(client.conn, since)
    else:
        await legacy_side.month(client.conn, client.tables, since)
    return Done()


async def _lookup(client: Client) -> Done:
    email = client.dice.choice(client.scene.people)
    if client.version == "new":
        client.source = await client.scene.reads.lookup(email)
    else:
        await legacy_side.lookup(client.conn, email)
    return Done()


# ------------------------------------------------------------------------------------------ audits


async def _insert(client: Client) -> Done:
    table = client.dice.choice([table for table in client.tables if "interaction_id" in table.columns])
    who = _pair(client)
    side = unified_side if client.unified_audits and table.scorecard else legacy_side
    audit, entries = await side.insert(client.conn, table, client.dice, who, client.fresh())
    return Done(entries, lambda: client.holdings.audits.append(audit))


async def _update(client: Client) -> Done:
    return await _rewrite(client, _own(client, 1))


async def _bulk(client: Client) -> Done:
    first, *others = _own(client, 40)
    return await _rewrite(client, [first, *(audit for audit in others if audit.table.label == first.table.label)][:15])


async def _rewrite(client: Client, audits: Sequence[Audit]) -> Done:
    """New scores for audits of one table."""
    for audit in audits:
        client.touching(audit.table.label, audit.by, audit.key)
    if client.unified_audits:
        return Done(await unified_side.update(client.conn, audits, client.dice))
    table = _now(client, audits[0])
    return Done(await legacy_side.update(client.conn, audits, [table.scores(client.dice) for _ in audits]))


async def _move(client: Client) -> Done:
    """The key e-mail of an audit changes: to somebody known, or to an address that nobody has heard of."""
    (audit,) = _own(client, 1)
    client.touching(audit.table.label, audit.by, audit.key)
    known = client.dice.sample(client.scene.people, min(_CHOICE, len(client.scene.people)))
    if client.unified_audits:
        return Done(await unified_side.move(client.conn, audit, known))
    email = known[0].upper() if client.dice.random() < 0.5 else f"{client.fresh()}@new.example"  # noqa: PLR2004 - a coin
    return Done(await legacy_side.update(client.conn, [audit], [{"employee_email": email}]))


async def _spoil_and_mend(client: Client) -> Done:
    """A write that cannot be migrated, which must succeed all the same, and the good one after it."""
    (audit,) = _own(client, 1)
    client.touching(audit.table.label, audit.by, audit.key)
    employee, _ = _pair(client)
    await legacy_side.update(client.conn, [audit], [{"employee_email": client.dice.choice(("", "nobody", None))}])
    return Done(await legacy_side.update(client.conn, [audit], [{"employee_email": employee}]))


async def _delete(client: Client) -> Done:
    (audit,) = _own(client, 1)
    client.touching(audit.table.label, audit.by, audit.key)
    side = unified_side if client.unified_audits else legacy_side
    return Done(await side.delete(client.conn, audit), lambda: client.holdings.audits.remove(audit))


async def _several(client: Client) -> Done:
    """Several rows of several tables, all or nothing."""
    steps = [await _insert(client), await _update(client), await _insert(client)]
    if client.holdings.people:
        steps.append(await _change_person(client))
    return _together(steps)


async def _read_then_write(client: Client) -> Done:
    """The read-then-write of an editor, all of it in one transaction: who is it, then two audits changed."""
    side = unified_side if client.unified_employees else legacy_side
    await side.lookup(client.conn, client.dice.choice(client.scene.people))
    return _together([await _update(client), await _update(client)])


# ------------------------------------------------------------------------------------------ persons


async def _hire(client: Client) -> Done:
    email, number = f"{client.fresh()}@express.example", f"A{client.fresh()}"
    if client.unified_employees:
        return Done(await unified_side.hire(client.conn, email, number))
    entries = await legacy_side.hire(client.conn, email, number)
    return Done(entries, lambda: client.holdings.people.__setitem__(email, dict(entries[0].values)))


async def _change_person(client: Client) -> Done:
    email = _person(client)
    side = unified_side if client.unified_employees else legacy_side
    entries = await side.change_person(client.conn, email, client.dice)
    return Done(entries, lambda: client.holdings.people[email].update(entries[0].values))


async def _rename_person(client: Client) -> Done:
    email = _person(client)
    new = f"{client.fresh()}@express.example"
    known = client.holdings.people[email]
    side = unified_side if client.unified_employees else legacy_side

    def settle() -> None:
        client.holdings.people[new] = client.holdings.people.pop(email)

    return Done(await side.rename_person(client.conn, email, new, dict(known)), settle)


async def _fire(client: Client) -> Done:
    email = _person(client)
    return Done(await legacy_side.fire(client.conn, email), lambda: client.holdings.people.__delitem__(email))


async def _log_in(client: Client) -> Done:
    """Everybody counts the same few logins, so these conflict among themselves."""
    email = client.dice.choice(client.scene.shared)
    client.touching(legacy_side.PEOPLE, "email", email)
    return Done(await legacy_side.log_in(client.conn, email))


async def _sign_up(client: Client) -> Done:
    """An account: for somebody new, or (old version) for a person of ours, who then is one employee with it."""
    key = str(UUID(int=client.dice.getrandbits(128), version=4))
    email = f"{client.fresh()}@express.example"
    if client.version == "old" and client.holdings.people and client.dice.random() < 0.5:  # noqa: PLR2004 - a coin
        email = client.dice.choice(list(client.holdings.people))
    if email in client.holdings.accounts.values():
        return Done()
    entries = await legacy_side.sign_up(client.conn, key, email)
    return Done(entries, lambda: client.holdings.accounts.__setitem__(key, email))


async def _change_account(client: Client) -> Done:
    key = client.dice.choice(list(client.holdings.accounts))
    client.touching(legacy_side.USERS, "id", key)
    return Done(await legacy_side.change_account(client.conn, key, client.dice))


async def _rename_account(client: Client) -> Done:
    key = client.dice.choice(list(client.holdings.accounts))
    client.touching(legacy_side.USERS, "id", key)
    email = f"{client.fresh()}@express.example"
    entries = await legacy_side.rename_account(client.conn, key, email)
    return Done(entries, lambda: client.holdings.accounts.__setitem__(key, email))


# --------------------------------------------------------------------------------------------- mix

SPOILING: Final = "spoil and mend"
JOBS: Final = (
    Job("report", _report, 20),
    Job("month", _month, 2),
    Job("lookup", _lookup, 18),
    Job("insert audit", _insert, 12),
    Job("update audit", _update, 16),
    Job("bulk update", _bulk, 3),
    Job("change key e-mail of audit", _move, 4),
    Job(SPOILING, _spoil_and_mend, 2),
    Job("delete audit", _delete, 3),
    Job("several rows", _several, 4, "read_committed"),
    Job("several rows, repeatable read", _several, 3, "repeatable_read"),
    Job("read then write, repeatable read", _read_then_write, 3, "repeatable_read"),
    Job("hire", _hire, 2),
    Job("change person", _change_person, 3),
    Job("rename person", _rename_person, 2),
    Job("delete person", _fire, 1),
    Job("log in", _log_in, 3, "repeatable_read", contended=True),
    Job("sign up", _sign_up, 1, "read_committed"),
    Job("change account", _change_account, 2),
    Job("rename account", _rename_account, 1),
)
_WEIGHTS: Final = [job.weight for job in JOBS]
_BY_KIND: Final = {job.kind: job for job in JOBS}
_NEEDS_PERSON: Final = frozenset({"change person", "rename person", "delete person"})
_NEEDS_ACCOUNT: Final = frozenset({"change account", "rename account"})
_NEEDS_AUDIT: Final = frozenset(
    {
        *("update audit", "bulk update", "change key e-mail of audit", SPOILING, "delete audit"),
        *("several rows", "several rows, repeatable read", "read then write, repeatable read"),
    }
)
# What the new version leaves to the legacy tables' own writers once it writes employees itself.
_LEGACY_PERSONS: Final = frozenset({"delete person", "log in", "sign up", *_NEEDS_ACCOUNT})


def choose(client: Client) -> Job:
    """Roll the next request; one that cannot be made now gives way to one that can."""
    (job,) = client.dice.choices(JOBS, _WEIGHTS)
    kind = job.kind
    if kind == SPOILING and (client.unified_audits or not client.scene.mischief):
        kind = "update audit"
    if kind in _LEGACY_PERSONS and client.unified_employees:
        kind = "lookup"
    if kind in _NEEDS_AUDIT and not _reachable(client):
        kind = "insert audit"
    if kind in _NEEDS_PERSON and not client.holdings.people:
        kind = "lookup" if client.unified_employees else "hire"
    if kind in _NEEDS_ACCOUNT and not client.holdings.accounts:
        kind = "sign up"
    return _BY_KIND[kind]


def _reachable(client: Client) -> list[Audit]:
    """The client's audits that it can name where it writes now."""
    if client.unified_audits:
        return [audit for audit in client.holdings.audits if audit.unified_id is not None]
    return [audit for audit in client.holdings.audits if audit.id is not None]


def _own(client: Client, number: int) -> list[Audit]:
    """Some of them, never the same twice."""
    audits = _reachable(client)
    return client.dice.sample(audits, min(number, len(audits)))


def _now(client: Client, audit: Audit) -> LegacyTable:
    """An audit's table as it is now: a column may have come since."""
    return next((table for table in client.tables if table.label == audit.table.label), audit.table)


def _person(client: Client) -> str:
    email = client.dice.choice(list(client.holdings.people))
    client.touching(legacy_side.PEOPLE, "email", email)
    return email


def _pair(client: Client) -> tuple[str, str]:
    """An employee and another who audits, the first in any spelling."""
    employee, auditor = client.dice.sample(client.scene.people, 2)
    return client.dice.choice((employee, employee, employee.upper(), f" {employee}")), auditor


def _together(parts: Sequence[Done]) -> Done:
    """Several writes of one transaction."""

    def settle() -> None:
        for part in parts:
            part.settle()

    return Done([entry for part in parts for entry in part.entries], settle)
