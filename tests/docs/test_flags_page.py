"""The code of the flags page is executed as it stands there, with the distribution's own name for the package."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openfeature import api

from orchestrator.ledger import schema
from tests.architecture.source import ROOT
from tests.support.database import Database
from tests.support.running import eventually

PAGE = (ROOT / "docs/flags.md").read_text()
FLAG = "USE_NEW_TICKETS"


def blocks(language: str) -> list[str]:
    """The blocks of a language, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`changeover_flags`, as `pip install changeover-flags` would bring it."""
    (tmp_path / "changeover_flags").symlink_to(ROOT / "flags")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    api.clear_providers()
    for name in [name for name in sys.modules if name.partition(".")[0] == "changeover_flags"]:
        del sys.modules[name]


def test_the_page_shows_code_in_these_languages() -> None:
    assert set(re.findall(r"^```([a-z]+)$", PAGE, re.MULTILINE)) == {"python", "sql", "typescript", "go"}


@pytest.mark.usefixtures("distribution")
def test_what_python_reads_is_what_the_flag_says(database: Database) -> None:
    conn = database.connect()
    schema.install(conn)
    conn.execute("INSERT INTO changeover.feature_flags (flag, stage, rollout) VALUES (%s, 'live', 100)", (FLAG,))
    given: dict[str, Any] = {
        "psycopg": psycopg,
        "DSN": database.dsn,
        "user_id": "user-7",
        "read_old": lambda: [("old", 1)],
        "read_new": lambda: [("new", 1)],
    }
    client, openfeature, shadow = blocks("python")
    try:
        exec(compile(client, "docs/flags.md", "exec"), given)  # noqa: S102 - that is what is tested
        assert given["rows"] == [("new", 1)]
        exec(compile(openfeature, "docs/flags.md", "exec"), given)  # noqa: S102 - the same
        assert given["new"] is True
        conn.execute("UPDATE changeover.feature_flags SET stage = 'shadow' WHERE flag = %s", (FLAG,))
        eventually(lambda: not given["flags"].reads_new(FLAG, "user-7"))
        exec(compile(shadow, "docs/flags.md", "exec"), given)  # noqa: S102 - the same
        assert given["ticket"] == [("old", 1)]
        told = "SELECT count(*) FROM changeover.flag_mismatch WHERE flag = %s"
        eventually(lambda: conn.execute(told, (FLAG,)).fetchone() == (1,))
    finally:
        if "recorder" in given:
            given["recorder"].__exit__(None, None, None)
        given["flags"].close()


def test_sql_answers_as_the_page_says(database: Database) -> None:
    conn = database.connect()
    schema.install(conn)
    conn.execute("INSERT INTO changeover.feature_flags (flag, stage, rollout) VALUES (%s, 'live', 100)", (FLAG,))
    (query,) = blocks("sql")
    assert conn.execute(query.encode()).fetchone() == (True,)
