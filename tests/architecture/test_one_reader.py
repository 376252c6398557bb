"""One module knows where a string or a comment of SQL begins and ends (decision 0008)."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT

READER = "orchestrator/kernel/sqllexer.py"
# A pattern that knows comments of SQL or strings in dollars, as a regular expression writes them.
KNOWS = re.compile(r"""--\[\^|/\\\*|\\\*/|'\(\?:\[\^'|\\\$\[?\\w""")
# A body between dollars in statements of our own compiler: `function` reads back what a template has.
ALLOWED = {READER, "orchestrator/mapping/objects.py"}


def test_no_other_pattern_reads_sql() -> None:
    files = [f for package in ("orchestrator", "phases", "backfill", "flags") for f in (ROOT / package).rglob("*.py")]
    found = {str(f.relative_to(ROOT)) for f in files if KNOWS.search(f.read_text())}
    assert READER in found
    assert found <= ALLOWED | {"orchestrator/observability/logs.py"}  # a password in a DSN, which is no SQL
