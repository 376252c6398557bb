"""The demo's readers, with the real plan: a defect in the new report is caught at shadow, the mended one goes to the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from flags import store
from flags.stages import Stage
from orchestrator.demo.application import Application, counters_of
from orchestrator.demo.application.reads import AUDITS, EMPLOYEES
from orchestrator.demo.legacy import generate, grant_application
from orchestrator.demo.moved import MENDED, sections
from orchestrator.demo.narrator import Narrator
from orchestrator.demo.readers import Readers
from orchestrator.engine import commands
from orchestrator.kernel.events import Bus
from tests.support.database import Database


@pytest.mark.newest
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_reader_sees_the_defect_and_all_come_to_the_new_tables(database: Database, tmp_path: Path) -> None:
    generate(database.dsn, audits=600, tables=12, seed=5)
    commands.init(database.dsn)
    for stage in ("foundation", "audits"):  # those of the two flags
        commands.start(database.dsn, "cqms", stage=stage, until="verify", kind="cutover", bus=Bus(), operator="test")
    grant_application(database.dsn, database.app_role)

    def settle() -> None:
        commands.drain(database.dsn, operator="test")

    with Application(database.app_dsn, tmp_path, rate=60, old=1, new=4) as application:
        voice = Narrator(Console(quiet=True))
        readers = Readers(database.dsn, (EMPLOYEES, AUDITS), "demo", application, voice, settle)
        readers.move(2)
        readers.all_to(Stage.RAMPDOWN)
        readers.all_to(Stage.COMPLETE)
    moved = readers.moved(application.requests())
    assert counters_of(application.requests()).errors == {}
    assert moved.caught is not None
    assert (moved.caught.flag, moved.caught.start, moved.caught.end) == (AUDITS, "shadow", "dualwrite")
    assert moved.caught.different > 0
    assert moved.defective == 0
    steps = {step.label: step for step in moved.steps}
    assert steps[MENDED].compared >= 40
    assert [step.label for step in moved.steps if step.different] == ["shadow, first attempt"]
    assert 0 < steps["live 50 %"].new < steps["live 50 %"].reads
    assert set(moved.stages.values()) == {"complete"}
    assert [section.good for section in sections(moved)] == [None, True]
    with database.connect() as conn:
        by = [(entry.actor, entry.stage) for entry in store.history(conn, AUDITS)]
    assert ("guard", "dualwrite") in by
    assert by.index(("guard", "dualwrite")) < by.index(("demo", "live"))
