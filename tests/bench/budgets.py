"""The budgets of the design, measured: `python -m tests.bench.budgets`, and the second part of `make bench`.

What needs no million rows: what the generated SQL weighs, what mirrors cost the application, what a statement by the old
name costs after contract, how long many small tables and our own processes take. Every figure is the backend's CPU time or
memory (see `tests/support/backend.py`), or a ratio of two times of one run, or seconds of a process. How a copy compares
with one INSERT … SELECT is measured in `main_road`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.demo import binaries
from orchestrator.demo.server import FAST, EmbeddedServer
from orchestrator.kernel.connections import connect
from tests.bench import copies, figures, in_place, pgroll, processes, worlds, writes
from tests.bench.figures import Figure, Goal
from tests.bench.main_road import Bench
from tests.support import eight_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SETTINGS: Final = {**FAST, "shared_buffers": "256MB", "max_wal_size": "8GB", "autovacuum": "off"}
"""Without autovacuum, so that no statistics and no vacuum arrive between two turns that are compared."""
_CQMS: Final = "cqms"
_SIZE: Final = """
SELECT count(*), sum(length(prosrc)) FROM pg_proc WHERE pronamespace = 'changeover'::regnamespace
"""
_NARROW_ROWS: Final = 20_000


class Budgets:
    """One server and the databases on it, made when first asked for."""

    def __init__(self, server: EmbeddedServer, folder: Path, options: argparse.Namespace) -> None:
        self._server, self._folder, self._options = server, folder, options
        self._world: writes.Eight | None = None

    def world(self) -> writes.Eight:
        """The eight tables: migrated, without mirrors, after contract."""
        if self._world is None:
            dsn = self._database("eight")
            eight_tables.build(dsn, self._options.audits)
            worlds.migrate(dsn, _CQMS)
            others = worlds.twin(self._server, "eight"), worlds.contracted(self._server, "eight", _CQMS)
            self._world = writes.Eight(dsn, *(self._server.owner_dsn(each) for each in others))
        return self._world

    def size(self) -> Iterator[Figure]:
        """Of what is compiled."""
        with connect(self.world().mirrored) as conn:
            row = conn.execute(_SIZE).fetchone()
        assert row is not None
        yield Figure("functions in schema changeover, CQMS on 8 tables", row[0], "", Goal(130))
        yield Figure("SQL text in them", int(row[1]) / 1e6, "MB", Goal(0.8))

    def writes(self) -> Iterator[Figure]:
        """What mirrors cost."""
        yield from writes.memory(self.world())
        yield from writes.first_write(self.world())
        yield from writes.mirrored(self.world(), self._options.statements)

    def narrow(self) -> Iterator[Figure]:
        """A narrow table, beside pgroll."""
        dsn = self._database("narrow")
        plan = worlds.narrow(dsn, self._folder, _NARROW_ROWS)
        worlds.migrate(dsn, plan)
        plain = self._server.owner_dsn(worlds.twin(self._server, "narrow"))
        ours, _ = writes.narrow(dsn, plain, self._options.statements)
        yield from ours
        yield from pgroll.measure(self._server, plain, self._options.pgroll, _NARROW_ROWS, self._options.statements)
        yield from processes.phase_overhead(dsn, plan, "members")

    def contract(self) -> Iterator[Figure]:
        """Statements by the old name."""
        yield from writes.old_name(self.world(), self._options.statements)

    def copy(self) -> Iterator[Figure]:
        """One worker's copy of a narrow table."""
        dsn = self._database("copied")
        yield from copies.narrow(dsn, worlds.narrow(dsn, self._folder, self._options.narrow_rows))

    def verify(self) -> Iterator[Figure]:
        """One worker's comparison beside its copy."""
        bench = Bench(self._database("verify"), self._options.copied, 8)
        bench.empty()
        copy, _ = bench.timed(lambda: bench.ours(1))
        verify = bench.verified()
        yield Figure("verify ÷ copy, 1 worker", verify / copy, "", Goal(0.5), f"{verify:.1f} s ÷ {copy:.1f} s")

    def in_place(self) -> Iterator[Figure]:
        """A table that is changed in place: writes, then the copy."""
        for name, reads, what in (("changed", True, " with `reads`"), ("changed_without", False, "")):
            dsn = self._database(name)
            worlds.migrate(dsn, in_place.world(dsn, self._folder, _NARROW_ROWS, reads=reads))
            plain = self._server.owner_dsn(worlds.twin(self._server, name))
            yield from in_place.writes(dsn, plain, self._options.statements, what)
        dsn = self._database("filled")
        plan = in_place.world(dsn, self._folder, self._options.narrow_rows)
        yield from in_place.copy(dsn, self._server.admin_dsn("filled"), plan)

    def processes(self) -> Iterator[Figure]:
        """Start-up, and many tables."""
        yield from processes.version()
        yield from processes.many_tables(self._server, self._folder, self._options.tables)

    def _database(self, name: str) -> str:
        self._server.create_database(name)
        return self._server.owner_dsn(name)


def main() -> None:
    """Measure and print."""
    sections = ("size", "writes", "narrow", "contract", "copy", "in_place", "verify", "processes")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=sections, help="these sections (repeatable)")
    parser.add_argument("--pg", type=int, help="major version of the server; the newest at hand otherwise")
    parser.add_argument("--pgroll", help="a pgroll binary; the one on the PATH otherwise")
    parser.add_argument("--audits", type=int, default=20_000)
    parser.add_argument("--copied", type=int, default=100_000, help="audits that are copied and compared")
    parser.add_argument("--narrow-rows", type=int, default=500_000, help="rows of the narrow table that is copied")
    parser.add_argument("--tables", type=int, default=300, help="how many are many small tables")
    parser.add_argument("--statements", type=int, default=200, help="of each kind")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    installation = next(each for each in binaries.installations() if options.pg in {None, each.major})
    with EmbeddedServer(SETTINGS, installation) as server, tempfile.TemporaryDirectory() as folder:
        budgets = Budgets(server, Path(folder), options)
        measured: list[Figure] = []
        for section in options.only or sections:
            sys.stderr.write(f"measuring: {section}\n")
            measure: Callable[[], Iterator[Figure]] = getattr(budgets, section)
            measured.extend(measure())
    title = f"PostgreSQL {installation.version}, {options.audits:,} audits in {len(eight_tables.TABLES)} tables"
    figures.write(title, measured, as_json=options.json)


if __name__ == "__main__":
    main()
