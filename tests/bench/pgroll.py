"""pgroll on the same narrow table, in the same run, where its binary is at hand.

pgroll (github.com/xataio/pgroll, Apache-2.0) is looked up on the PATH or named with `--pgroll`; README.md of this folder says
how to get one. It computes the new column in the same row by a trigger, without a second table: less work than a mirror
does, so it is the mark to come near to.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from orchestrator.kernel.connections import connect
from tests.bench import worlds
from tests.bench.figures import Figure
from tests.bench.writes import NARROW, cpu_of

if TYPE_CHECKING:
    from orchestrator.demo.databases import Server

_MIGRATION: Final = """
operations:
  - alter_column:
      table: accounts
      column: points
      type: integer
      up: points * 10
      down: points / 10
"""
_MISSING: Final = "not measured: no pgroll binary on the PATH; --pgroll names one"


def measure(server: Server, plain: str, binary: str | None, rows: int, count: int) -> list[Figure]:
    """The narrow table's statements while a migration of pgroll is started; beside `plain`, which has no triggers."""
    found = shutil.which(binary or "pgroll")
    if found is None:
        if binary is not None:
            raise SystemExit(f"--pgroll {binary}: there is no such program")
        return [Figure("narrow table under pgroll", None, note=_MISSING)]
    server.create_database("pgroll")
    dsn = server.admin_dsn("pgroll")  # its event triggers need a superuser
    with connect(dsn) as conn:
        conn.execute(worlds.NARROW_OLD.format(rows=rows).encode())
        conn.execute("VACUUM (ANALYZE)")
    with tempfile.TemporaryDirectory() as folder:
        migration = Path(folder) / "02_points.yaml"
        migration.write_text(_MIGRATION)
        for arguments in (["init"], ["baseline", "01_accounts", folder, "--yes"], ["start", str(migration)]):
            _run(found, _uri(dsn), arguments)
    with connect(dsn) as theirs, connect(plain) as twin:
        under, alone = cpu_of([theirs, twin], NARROW, count)
        row = theirs.execute("SELECT count(*) FROM public.accounts WHERE _pgroll_new_points = points * 10").fetchone()
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if row is None or row[0] != rows:
        raise SystemExit(f"{version} has not computed the new column: its triggers cannot have been at work")
    return [
        Figure(f"narrow table under pgroll, {name}", under[name], "µs", note=f"plain {alone[name]:.0f}; {version}")
        for name in NARROW
    ]


def _run(binary: str, uri: str, arguments: list[str]) -> str:
    done = subprocess.run(
        [binary, *arguments, "--postgres-url", uri], capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise SystemExit(f"pgroll {arguments[0]} ended with {done.returncode}:\n{done.stderr}{done.stdout}")
    return done.stdout


def _uri(dsn: str) -> str:
    given = {key: quote(str(value), safe="") for key, value in conninfo_to_dict(dsn).items()}
    return "postgres://{user}:{password}@{host}:{port}/{dbname}?sslmode=disable".format(**given)
