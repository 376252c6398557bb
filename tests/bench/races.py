"""Both versions at one row at the same time: `python -m tests.bench.races`.

Four connections write for some seconds; what they were told, and what is in the two tables when the queue is drained, is
counted. An increment is lost when it was acknowledged and is in neither table. The same writers on the old table alone,
without mirrors, say how much of that is PostgreSQL's own. The numbers are in `docs/concurrency.md`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from orchestrator.demo import binaries
from orchestrator.demo.server import FAST, EmbeddedServer
from orchestrator.engine import commands
from orchestrator.kernel.connections import connect
from tests.bench import worlds
from tests.support.races import COMMITTED, Writer, race

if TYPE_CHECKING:
    import psycopg

_OLD: Final = "UPDATE public.accounts SET points = points + 1 WHERE id = {}"
_NEW: Final = "UPDATE public.members SET cents = cents + 10 WHERE id = {}"
_RENAME: Final = "UPDATE public.members SET name = name || '.' WHERE id = {}"
_VALUES: Final = """
SELECT (SELECT sum(points) FROM public.accounts WHERE id < 3), (SELECT sum(cents) FROM public.members WHERE id < 3)
"""
_PAUSES: Final = (0.0, 0.05, 0.5)


def main() -> None:
    """Print one line for each race."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each race lasts")
    parser.add_argument("--pg", type=int, help="the major version of the server; the newest otherwise")
    options = parser.parse_args()
    installation = next(each for each in binaries.installations() if options.pg in {None, each.major})
    with EmbeddedServer(FAST, installation) as server, tempfile.TemporaryDirectory() as folder:
        server.create_database("race")
        dsn = server.owner_dsn("race")
        plan = worlds.narrow(dsn, Path(folder), 200)
        worlds.migrate(dsn, plan)
        plain = server.owner_dsn(worlds.twin(server, "race"))
        for pause in _PAUSES:
            for every in (None, 1.0):
                title = (
                    f"2 old and 2 new, one row, {pause:g} s between, drained {'each second' if every else 'afterwards'}"
                )
                shown(title, dsn, one_row(pause), options.seconds, every)
        shown("2 old and 2 new, one row, other columns", dsn, other_columns(), options.seconds)
        shown("4 old, one row", dsn, [Writer("old", (_OLD.format(1),))] * 4, options.seconds)
        shown("two rows in opposite order", dsn, opposite(), options.seconds)
        crossed = [Writer("old", (_OLD.format(a), _OLD.format(b)), 2) for a, b in ((1, 2), (2, 1), (1, 2), (2, 1))]
        shown("the same by 4 old without mirrors", plain, crossed, options.seconds)


def one_row(pause: float) -> list[Writer]:
    """Both versions add to the same value."""
    return [
        Writer(name, (text.format(1),), 1, pause) for name, text in (("old", _OLD), ("new", _NEW)) for _ in range(2)
    ]


def other_columns() -> list[Writer]:
    """Both versions write the same row, and not the same value."""
    texts = (("old", _OLD, 1), ("new", _RENAME, 0))
    return [Writer(name, (text.format(1),), adds) for name, text, adds in texts for _ in range(2)]


def opposite() -> list[Writer]:
    """Transactions of two rows: the old version in one order, the new one in the other."""
    old = Writer("old", (_OLD.format(1), _OLD.format(2)), 2)
    new = Writer("new", (_NEW.format(2), _NEW.format(1)), 2)
    return [old, old, new, new]


def shown(title: str, dsn: str, writers: list[Writer], seconds: float, every: float | None = None) -> None:
    """Run one race and print how it ended; `every` so many seconds the queue is drained."""
    over = threading.Event()

    def drained() -> None:
        while every is not None and not over.wait(every):
            commands.drain(dsn, plan="narrow", operator=worlds.OPERATOR)

    with connect(dsn) as conn:
        before = _values(conn)
        beside = threading.Thread(target=drained)
        beside.start()
        told = race(dsn, writers, seconds)
        over.set()
        beside.join()
        commands.drain(dsn, plan="narrow", operator=worlds.OPERATOR)
        after = _values(conn)
    adds = {each.name: each.adds for each in writers}
    acknowledged = sum(ends[COMMITTED] * adds[name] for name, ends in told.items())
    lost = acknowledged - (after[0] - before[0])
    failed = {name: {state: n for state, n in ends.items() if state != COMMITTED} for name, ends in told.items()}
    rate = {name: round(ends[COMMITTED] / seconds) for name, ends in told.items()}
    sides = "equal" if after[0] * 10 == after[1] else f"old {after[0]}, new {after[1]}"
    sys.stdout.write(
        f"{title}: {rate} a second; {acknowledged} increments, {lost} lost "
        f"({lost / max(1, acknowledged):.2%}); failed {failed}; sides {sides}\n"
    )


def _values(conn: psycopg.Connection[Any]) -> tuple[int, int]:
    row = conn.execute(_VALUES).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


if __name__ == "__main__":
    main()
