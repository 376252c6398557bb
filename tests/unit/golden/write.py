"""`make golden`: ask the newest server at hand what the compiler asks, and write the golden files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orchestrator.demo.server import open_server
from orchestrator.kernel.connections import connect
from orchestrator.ledger import schema
from tests.support.servers import SETTINGS
from tests.unit.golden import answers
from tests.unit.golden.compiled import FOLDER, compiled
from tests.unit.golden.plans import PLANS

if TYPE_CHECKING:
    from orchestrator.demo.databases import Server
    from tests.support.mapping import Setup


def main() -> None:
    """Write them, and say which have changed."""
    with open_server(SETTINGS) as server:
        for name, plan in PLANS.items():
            kept = FOLDER / f"{name}.catalog.json"
            kept.write_text(_asked(server, plan))
            golden = FOLDER / f"{name}.sql"
            before = golden.read_text() if golden.exists() else ""
            golden.write_text(compiled(answers.Replaying(answers.read(kept)), plan))
            if golden.read_text() != before:
                sys.stdout.write(f"{golden.name} has changed\n")


def _asked(server: Server, plan: Setup) -> str:
    database = f"golden_{plan.name}"
    server.create_database(database)
    with connect(server.owner_dsn(database)) as conn:
        schema.install(conn)
        for text in (plan.legacy, plan.new, "CREATE SCHEMA compat"):
            conn.execute(text.encode())
        recording = answers.Recording(conn)
        compiled(recording, plan)
        tables = "SELECT oid::bigint FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
        return answers.written(recording.kept, [oid for (oid,) in conn.execute(tables)])


if __name__ == "__main__":
    main()
