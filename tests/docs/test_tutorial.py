"""The tutorial is carried out to the letter: every command of its blocks, in order, on one database."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.architecture.source import ROOT
from tests.support.cli import Cli
from tests.support.database import Database

pytestmark = pytest.mark.newest

PAGE = (ROOT / "docs/tutorial.md").read_text()
BLOCKS = re.findall(r"^```sh( gate)?\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
GATE_UNMET = 3


def test_the_tutorial_can_be_followed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    before, cli, out = database.schema_dump(), Cli(database.dsn), ""
    for gate, block in BLOCKS:
        for line in block.splitlines():
            program, *argv = shlex.split(line.replace("\n", " "))
            if program == "changeover":
                done = cli(*argv)
                assert done.code == (GATE_UNMET if gate else 0), f"{line}\n{done.out}\n{done.err}"
                out += done.out + done.err
            elif program == "psql":
                option, what = argv[1:]
                database.run((ROOT / what).read_text() if option == "-f" else what)
            else:
                assert program == "export"
    for said in re.findall(r"\*([A-Z][^*]+)\*", PAGE):
        assert said in out
    for line in re.findall(r"^ {4}(.+)$", PAGE, re.MULTILINE):
        assert line.strip() in out, "the page shows what the program says"
    assert database.value("SELECT count(*) FROM ticket") == 20006, "the row from the new side came back too"
    assert database.value("SELECT count(*) FROM pg_namespace WHERE nspname IN ('changeover', 'compat', 'archive')") == 0
    database.run("DROP TABLE ticket")
    assert database.schema_dump() == before
