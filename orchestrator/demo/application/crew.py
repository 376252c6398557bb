"""All clients of the application together: prepared, put to work, told what the driver says, stopped.

Preparing gives every client some old rows of its own to write, besides those it will make itself, and
makes the few persons whose logins everybody counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchestrator.demo.application import legacy_side
from orchestrator.demo.application.client import Client, Scene
from orchestrator.demo.application.journal import Journal
from orchestrator.demo.application.reads import FIRST_ATTEMPT, UNIFIED, Reads
from orchestrator.demo.application.record import save
from orchestrator.demo.application.rows import Audit
from orchestrator.demo.application.tables import LegacyTable, discover, twice
from orchestrator.kernel.sqlfiles import load

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence
    from pathlib import Path

    import asyncpg

_CLAIMED: Final = 10  # old rows per client and table
_SHARED: Final = 3  # persons whose logins all clients count


@dataclass(frozen=True)
class Staff:
    """How many clients of which version, and the names of what they make."""

    name: str
    old: int
    new: int
    seed: int


class Crew:
    """The clients and their scene."""

    def __init__(self, dsn: str, staff: Staff, rate: float, journal: Path) -> None:
        """`rate` is requests per second over all clients."""
        self.scene = Scene(Reads(dsn))
        self._staff = staff
        self._journal = Journal(journal)
        names = [("old", number) for number in range(staff.old)] + [("new", number) for number in range(staff.new)]
        self._clients = [
            Client(dsn, f"{staff.name}-{version}{number}", version, staff.seed, self.scene, self._journal)
            for version, number in names
        ]
        self._set_rate(rate)

    async def prepare(self) -> None:
        """Connect everybody, hand out old rows, make the shared persons."""
        for client in self._clients:
            await client.connect()
        conn = self._clients[0].conn
        self.scene.people = [row["email"] for row in await conn.fetch(load(__package__, "known_people.sql"))]
        tables = await discover(conn)
        self.scene.comparable = await _comparable(conn, tables, self.scene.people)
        for number in range(_SHARED):
            email = f"{self._staff.name}-shared{number}@express.example"
            self._journal.note(await legacy_side.hire(conn, email, f"S-{email}"))
            self.scene.shared.append(email)
        for table in tables:
            for place, client in enumerate(self._clients):
                rows = await conn.fetch(table.claim(), len(self._clients), place, _CLAIMED)
                ids = [row["id"] for row in rows]
                taken = await self._taken(client, table, tables, ids) if table.uuid_key else set()
                client.holdings.audits += [
                    Audit(table, key, key if table.uuid_key else None, "") for key in ids if key not in taken
                ]

    async def _taken(self, client: Client, table: LegacyTable, tables: list[LegacyTable], ids: list[str]) -> set[str]:
        """Which of these ids stand in another table too, so that one of the two rows is going to be rejected."""
        found: set[str] = set()
        for other in tables:
            if other.uuid_key and other.label != table.label:
                found |= {row["id"] for row in await client.conn.fetch(other.present(), ids)}
        return found

    def start(self, group: asyncio.TaskGroup) -> None:
        """Put everybody to work."""
        for client in self._clients:
            group.create_task(client.work(), name=client.name)

    def obey(self, word: str, rest: str) -> None:
        """Do what the driver says: `phase NAME`, `rate N`, `mischief on|off`, `deploy first|mended`."""
        match word:
            case "phase":
                self.scene.phase = rest
            case "rate":
                self._set_rate(float(rest))
            case "mischief":
                self.scene.mischief = rest == "on"
            case "deploy":
                self.scene.reads.build = {"first": FIRST_ATTEMPT, "mended": UNIFIED}[rest]
            case _:
                raise ValueError(f"the driver said {word!r}, which means nothing here")

    def stop(self) -> None:
        """Let everybody finish the request at hand and go."""
        self.scene.stopping = True

    def save(self, path: Path) -> None:
        """Write the record of all requests."""
        self._journal.close()
        save(self.scene.record, path)

    def _set_rate(self, rate: float) -> None:
        self.scene.pace = len(self._clients) / rate


async def _comparable(conn: asyncpg.Connection, tables: Sequence[LegacyTable], people: Sequence[str]) -> list[str]:
    """Those whose audits can all be migrated."""
    statements = [*(table.unclean() for table in tables), twice(tables)]
    unclean = {row["email"] for statement in statements for row in await conn.fetch(statement)}
    return [email for email in people if email not in unclean]
