"""`changeover demo --plan NAME`: the whole migration of a plan on a server of its own, under load, and the proof.

Two databases are made from the plan's `legacy.sql` and `grow` file. The first goes all the way while an application
works on it (`cutover.py`); the second goes all the way and back (`turnback.py`). Both belong to an ordinary owner, and
the application is an ordinary role that may read and write rows.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from orchestrator.demo.cutover import Pace, Place
from orchestrator.demo.page import page as page_of
from orchestrator.demo.scripted import database
from orchestrator.demo.scripted.cutover import Cutover
from orchestrator.demo.scripted.process import Clients, ScriptedApplication
from orchestrator.demo.scripted.report import Report, as_json, document
from orchestrator.demo.scripted.script import load_script
from orchestrator.demo.server import FAST, open_server
from orchestrator.demo.turnback import there_and_back
from orchestrator.kernel.words import counted
from orchestrator.plan.loader import load

if TYPE_CHECKING:
    from orchestrator.demo.narrator import Narrator
    from orchestrator.demo.section import Document

_SETTINGS: Final = {**FAST, "shared_buffers": "256MB"}
_SMALL: Final = 5_000  # rows below which nobody wants to wait


def play(
    plan_name: str, *, rows: int | None, seed: int, voice: Narrator, page: bool
) -> tuple[Document, dict[str, Any]]:
    """Play the demo of a plan; the report, and its numbers for scripts."""
    began = time.monotonic()
    plan = load(plan_name)
    script = load_script(plan)
    wanted = script.rows if rows is None else rows
    with voice, tempfile.TemporaryDirectory(prefix="changeover-demo-") as folder:
        voice.chapter("A server of its own, and an old database with its dirt")
        with open_server(_SETTINGS) as server:
            name = f"changeover_demo_{secrets.token_hex(4)}"
            first, second = f"{name}_1", f"{name}_2"
            voice.say(f"PostgreSQL {server.installation.version} from {server.installation.origin}")
            server.create_database(first)
            database.build(server.owner_dsn(first), plan, script, wanted)
            database.grant(server.owner_dsn(first), server.application)
            legacy, planted = database.planted(server.owner_dsn(first), script)
            rejected = sum(sum(by.values()) for by in planted.values())
            voice.say(
                f"{counted(sum(legacy.values()), 'row')} in {counted(len(legacy), 'table')}; "
                f"{rejected:,} of them cannot be migrated"
            )
            server.create_database(second, template=first)
            voice.chapter("The first copy: migrated while the application works")
            place = Place(server.owner_dsn(first), server.app_dsn(first), server.application)
            pace = _pace(wanted)
            clients = Clients(old=4, new=4, rate=pace.rate, seed=seed)
            with (
                page_of(place.owner, Path(folder), voice) if page else nullcontext(),
                ScriptedApplication(place.application, Path(folder) / "app", plan_name, clients) as application,
            ):
                cutover = Cutover(plan, script, place, pace, voice)
                cutover.play(application)
                outcome = cutover.examine()
            voice.chapter("The second copy: migrated to the end, and taken back")
            rollback = there_and_back(server, second, voice, plan=plan)
            facts = {
                "Server": f"PostgreSQL {server.installation.version}",
                "Made with": f"--plan {plan_name} --rows {wanted} --seed {seed}",
                "The whole demo took": f"{time.monotonic() - began:.0f} s",
            }
    report = Report(f"Changeover: {plan.model.title}", facts, outcome, rollback)
    return document(report), as_json(report)


def _pace(rows: int) -> Pace:
    if rows < _SMALL:
        return Pace(rate=40, undisturbed=1.0, step=0.3)
    return Pace(rate=60, undisturbed=6.0, step=2.0)
