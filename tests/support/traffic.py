"""Applications at work: threads that write and read tables all the time, and remember what was acknowledged.

Every version of a row carries a tag that no other has (`writer/row.version`), so what a table must hold of a writer's
rows is a set of tags: the last acknowledged one of each row that was not deleted. A request that fails, a row that
cannot be found by its last tag, a write without its RETURNING row: each is a failure, and no test allows one (P2).
Statements are prepared on the server after a few executions, as drivers do, for a plan that was made before a table
moved is the interesting case.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import psycopg
from psycopg import IsolationLevel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Book:
    """One table as an application uses it. Statements take %(tag)s, %(old)s (the tag before), %(n)s (unique), %(r)s."""

    name: str
    insert: str
    update: Sequence[str]
    delete: str
    read: Sequence[str] = ()
    asks_again: bool = False
    """Whether a writer in REPEATABLE READ repeats a request that met another writer of its row (40001).

    Every such application must; it is only that nobody else writes these rows, except a batch that fills them in place.
    """


@dataclass
class Row:
    """A row of a writer's own."""

    number: int
    version: int = 0

    def tag(self, writer: str) -> str:
        """What it is found by."""
        return f"{writer}/{self.number}.{self.version}"


@dataclass
class Failure:
    """A request that did not get what it asked for."""

    writer: str
    book: str
    what: str
    error: psycopg.Error | None = None


class Writer(threading.Thread):
    """One client with one connection, working on one table."""

    def __init__(
        self,
        dsn: str,
        name: str,
        book: Book,
        *,
        seed: int = 0,
        pace: float = 0.01,
        isolation: IsolationLevel | None = None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.book = book
        self.failures: list[Failure] = []
        self.acknowledged = 0
        self.longest = 0.0
        self.rows: list[Row] = []
        self.kept: set[str] = set()
        self._dsn = dsn
        self._dice = random.Random(f"{name}/{seed}")
        self._pace = pace
        self._isolation = isolation
        self._go = threading.Event()
        self._idle = threading.Event()
        self._end = threading.Event()
        self._number = 0
        self._conn: psycopg.Connection[Any] | None = None
        self._idle.set()

    @property
    def expected(self) -> set[str]:
        """The tags that must stand in the table."""
        return self.kept | {row.tag(self.name) for row in self.rows}

    def retire(self) -> None:
        """Leave the rows alone from now on: they have to stay as they are."""
        self.kept, self.rows = self.expected, []

    def run(self) -> None:
        """Work whenever it is allowed to."""
        while not self._end.is_set():
            if not self._go.wait(0.05):
                continue
            self._idle.clear()
            if self._go.is_set():
                self._request()
            self._idle.set()
            time.sleep(self._pace)
        if self._conn is not None:
            self._conn.close()

    def allow(self) -> None:
        """Go to work."""
        self._go.set()

    def hold(self) -> None:
        """Finish the request at hand and wait."""
        self._go.clear()
        # Twice, as a request may begin between the two lines.
        for _ in range(2):
            assert self._idle.wait(60), f"{self.name} does not come back from its request"
            time.sleep(0.002)

    def end(self) -> None:
        """Go home."""
        self._end.set()
        self.join(timeout=60)

    def _request(self) -> None:
        begun = time.monotonic()
        kind = self._dice.choice(("insert", "insert", "update", "update", "update", "delete", "several", "read"))
        if not self.rows and kind in {"update", "delete", "several"}:
            kind = "insert"
        try:
            getattr(self, f"_do_{kind}")()
        except psycopg.errors.SerializationFailure as exc:
            if not (self.book.asks_again and self._isolation is IsolationLevel.REPEATABLE_READ):
                self.failures.append(Failure(self.name, self.book.name, f"{kind}: {exc.sqlstate} {exc}".strip(), exc))
        except psycopg.Error as exc:
            self.failures.append(Failure(self.name, self.book.name, f"{kind}: {exc.sqlstate} {exc}".strip(), exc))
            if self._conn is not None and self._conn.closed:
                self._conn = None
        except AssertionError as exc:
            self.failures.append(Failure(self.name, self.book.name, f"{kind}: {exc}"))
        else:
            self.acknowledged += 1
        self.longest = max(self.longest, time.monotonic() - begun)

    @property
    def conn(self) -> psycopg.Connection[Any]:
        """The connection; opened when first needed, and again after it was lost."""
        if self._conn is None:
            self._conn = psycopg.connect(self._dsn, autocommit=True, application_name=f"app/{self.name}")
            if self._isolation is not None:
                self._conn.isolation_level = self._isolation
        return self._conn

    def _do_insert(self) -> None:
        self._number += 1
        row = Row(self._number)
        self._write(self.book.insert, row.tag(self.name))
        self.rows.append(row)

    def _do_update(self) -> None:
        row = self._dice.choice(self.rows)
        before, row.version = row.version, row.version + 1
        try:
            self._write(self._dice.choice(self.book.update), row.tag(self.name), Row(row.number, before).tag(self.name))
        except BaseException:
            row.version = before
            raise

    def _do_delete(self) -> None:
        row = self._dice.choice(self.rows)
        self._write(self.book.delete, "", row.tag(self.name))
        self.rows.remove(row)

    def _do_several(self) -> None:
        """A transaction with an insert and changes of several rows."""
        self._number += 1
        fresh = Row(self._number)
        chosen = self._dice.sample(self.rows, min(3, len(self.rows)))
        with self.conn.transaction():
            self._write(self.book.insert, fresh.tag(self.name))
            for row in chosen:
                later = Row(row.number, row.version + 1)
                self._write(self.book.update[0], later.tag(self.name), row.tag(self.name))
        for row in chosen:
            row.version += 1
        self.rows.append(fresh)

    def _do_read(self) -> None:
        for query in self.book.read:
            self.conn.execute(query, {"r": self._dice.randrange(1000), "tag": f"{self.name}/%"}).fetchall()

    def _write(self, statement: str, tag: str, old: str = "") -> None:
        values = {"tag": tag, "old": old, "n": tag.replace("/", "").replace(".", "v"), "r": self._dice.randrange(1000)}
        if self.conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE and self._isolation is not None:
            with self.conn.transaction():
                cursor = self.conn.execute(statement, values)
        else:
            cursor = self.conn.execute(statement, values)
        assert cursor.rowcount == 1, f"{cursor.rowcount} rows instead of one for {old or tag}"
        if cursor.description is not None:
            assert cursor.fetchone() is not None, f"nothing returned for {tag}"


@dataclass
class Traffic:
    """All the writers of a test."""

    writers: list[Writer] = field(default_factory=list)

    def add(self, writers: Iterable[Writer]) -> list[Writer]:
        """Hire and start, not yet working."""
        added = list(writers)
        for each in added:
            each.start()
        self.writers += added
        return added

    def hold(self, only: Sequence[Writer] | None = None) -> None:
        """Nobody (of these) is within a request any more."""
        for each in self.writers if only is None else only:
            each.hold()

    def allow(self, only: Sequence[Writer] | None = None) -> None:
        """Back to work."""
        for each in self.writers if only is None else only:
            each.allow()

    def end(self) -> None:
        """Everybody goes home."""
        for each in self.writers:
            each._go.clear()
            each._end.set()
        for each in self.writers:
            each.end()

    @property
    def failures(self) -> list[Failure]:
        """Everything that went wrong for anybody."""
        return [failure for each in self.writers for failure in each.failures]

    def check(self) -> None:
        """No request has failed."""
        failures = self.failures
        if failures:
            kinds = Counter(f"{each.writer[:4]} {each.book} {each.what}"[:300] for each in failures)
            raise AssertionError(
                f"{len(failures)} of {self.acknowledged} requests failed:\n" + "\n".join(list(kinds)[:8])
            )

    def nobody_waited(self) -> None:
        """No request has waited for a phase; on a machine that stands still for a moment each may take some seconds."""
        assert max(each.longest for each in self.writers) < 20

    @property
    def acknowledged(self) -> int:
        """Requests that were answered."""
        return sum(each.acknowledged for each in self.writers)

    def wait_for_more(self, requests: int, *, within: float = 60) -> None:
        """Wait until so many more requests have been answered."""
        wanted, deadline = self.acknowledged + requests, time.monotonic() + within
        while self.acknowledged < wanted and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.acknowledged >= wanted, f"only {self.acknowledged} of {wanted} requests: {self.failures[:3]}"


Side = Literal["old", "new"]


def crew(
    dsn: str,
    side: Side,
    books: Sequence[Book],
    *,
    pace: float = 0.02,
    numbers: Sequence[int] = (0, 1),
    hire: type[Writer] = Writer,
) -> list[Writer]:
    """Two writers per table, the second of them in REPEATABLE READ."""
    levels: dict[int, IsolationLevel | None] = {0: None, 1: IsolationLevel.REPEATABLE_READ}
    return [
        hire(dsn, f"{side}{place}{'ab'[number]}", book, pace=pace, isolation=levels[number])
        for place, book in enumerate(books)
        for number in numbers
    ]


def missing(found: set[str], where: str, writers: Iterable[Writer]) -> dict[str, list[str]]:
    """Acknowledged tags that are not there, and tags that should be there no more."""
    wrong: dict[str, list[str]] = {}
    for each in writers:
        mine = {tag for tag in found if tag.startswith(f"{each.name}/")}
        if lost := sorted(each.expected - mine):
            wrong[f"{each.name}: not in {where}"] = lost
        if extra := sorted(mine - each.expected):
            wrong[f"{each.name}: still in {where}"] = extra
    return wrong
