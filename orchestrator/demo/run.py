"""The demo: `changeover demo`, `make demo`. A whole migration on a server of its own, under load, and the proof.

That of CQMS is this module; that of any other plan is `scripted/`.

Two databases are made from one seed. The first goes all the way while an application works on it (`cutover.py`); the
second goes all the way and back (`turnback.py`). What came of it is a report: on the terminal, in a file that a
manager can read, and in the exit code, which is 0 only if every promise was kept.

All that is used belongs to a `with` block: the server, the application, the folder, the bars. So Ctrl-C at any moment
leaves nothing behind, and neither does an error.
"""

from __future__ import annotations

import dataclasses
import secrets
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from orchestrator.demo import rendering
from orchestrator.demo.application import counters_of, relabel
from orchestrator.demo.cutover import AFTER, BEFORE, Cutover, Pace, Place
from orchestrator.demo.cutover import PLAN as CQMS
from orchestrator.demo.legacy import generate, grant_application
from orchestrator.demo.narrator import Narrator
from orchestrator.demo.page import page as page_of
from orchestrator.demo.pictures import pictures
from orchestrator.demo.report import Report, document
from orchestrator.demo.scripted import run as scripted
from orchestrator.demo.server import FAST, open_server
from orchestrator.demo.turnback import there_and_back

if TYPE_CHECKING:
    from orchestrator.demo.cutover import Outcome
    from orchestrator.demo.databases import Server
    from orchestrator.demo.legacy import Planted

REPORT: Final = Path("build/demo-report.html")
_INTERRUPTED: Final = 130
_SETTINGS: Final = {**FAST, "shared_buffers": "256MB"}
_SMALL: Final = 10_000  # audits below which nobody wants to wait
_DURING: Final = "during"


@dataclass(frozen=True)
class Size:
    """What the old database is made of; `audits` and `tables` are CQMS's, `rows` any other plan's."""

    audits: int = 10_000
    tables: int = 14
    rows: int | None = None
    seed: int = 1


def main(
    plan: str,
    size: Size,
    *,
    report: Path | None = None,
    json: bool = False,
    page: bool = False,
    console: Console | None = None,
) -> int:
    """Play the demo of a plan; 0 if everything held, 1 if anything did not, 130 if it was interrupted.

    With `page` the migration can be watched in a browser.
    """
    voice = Narrator(Console(stderr=True))
    path = report or REPORT
    try:
        if plan == CQMS:
            result = _play(size.audits, size.tables, size.seed, voice, page=page)
            shown, numbers = document(result), _as_json(result)
        else:
            shown, numbers = scripted.play(plan, rows=size.rows, seed=size.seed, voice=voice, page=page)
    except KeyboardInterrupt:
        voice.say("interrupted: the application and the server are stopped, their files are removed")
        return _INTERRUPTED
    path.parent.mkdir(parents=True, exist_ok=True)
    rendering.write(shown, path)
    out = console or Console(file=sys.stdout)
    if json:
        sections = [dataclasses.asdict(section) for section in shown.sections]
        out.print_json(data={"good": shown.good, **numbers, "sections": sections})
    else:
        rendering.show(shown, out)
    voice.say(f"the report is in {path}")
    return 0 if shown.good else 1


def _play(audits: int, tables: int, seed: int, voice: Narrator, *, page: bool) -> Report:
    began = time.monotonic()
    with voice, tempfile.TemporaryDirectory(prefix="changeover-demo-") as folder:
        voice.chapter("A server of its own, and a legacy database with the dirt of years")
        with open_server(_SETTINGS) as server:
            name = f"changeover_demo_{secrets.token_hex(4)}"
            first, second = f"{name}_1", f"{name}_2"
            voice.say(f"PostgreSQL {server.installation.version} from {server.installation.origin}")
            planted = _build(server, (first, second), (audits, tables, seed), voice)
            voice.chapter("The first copy: migrated while the application works")
            place = Place(server.owner_dsn(first), server.app_dsn(first), server.application)
            with page_of(place.owner, Path(folder), voice) if page else nullcontext():
                outcome = Cutover(place, Path(folder), voice, _pace(audits), planted, seed).play()
            voice.chapter("The second copy: migrated to the end, and taken back")
            rollback = there_and_back(server, second, voice)
            facts = {
                "Server": f"PostgreSQL {server.installation.version}",
                "Made with": f"--audits {audits} --tables {tables} --seed {seed}",
                "Audits at the end": f"{outcome.planted.audits:,} in {len(outcome.planted.sources)} tables",
                "The whole demo took": f"{time.monotonic() - began:.0f} s",
            }
        report = _report(outcome, planted, facts)
        return dataclasses.replace(report, rollback=rollback)


def _build(server: Server, names: tuple[str, str], size: tuple[int, int, int], voice: Narrator) -> Planted:
    """The legacy database, and its copy."""
    first, second = names
    audits, tables, seed = size
    server.create_database(first)
    planted = generate(server.owner_dsn(first), audits=audits, tables=tables, seed=seed)
    grant_application(server.owner_dsn(first), server.application)
    rejected = sum(planted.rejected(table) for table in planted.rejects)
    voice.say(
        f"{planted.audits:,} audits in {len(planted.sources)} tables, {planted.rows['public.people']:,} people, "
        f"{planted.rows['public.users']:,} accounts; {rejected:,} rows of it cannot be migrated"
    )
    server.create_database(second, template=first)
    return planted


def _pace(audits: int) -> Pace:
    if audits < _SMALL:
        return Pace(rate=40, undisturbed=2.0, step=1.5)
    return Pace(rate=60, undisturbed=6.0, step=3.0)


def _report(outcome: Outcome, planted: Planted, facts: dict[str, str]) -> Report:
    moments = {request.phase: _DURING for request in outcome.requests if request.phase not in {BEFORE, AFTER}}
    during = counters_of(outcome.requests)
    return Report(
        title="Changeover: Express CQMS, from scattered tables to unified ones",
        facts=facts,
        planted=outcome.planted,
        found=outcome.found,
        verified=outcome.verified,
        verdict=outcome.verdict,
        during=during,
        moments=counters_of(relabel(outcome.requests, moments)),
        phases=outcome.phases,
        queries=outcome.queries,
        moved=outcome.moved,
        decoys_before=planted.decoys,
        hindered=outcome.hindered,
        unsettled=outcome.unsettled,
        pictures=pictures(outcome.requests, outcome.copied),
    )


def _as_json(report: Report) -> dict[str, Any]:
    """The numbers behind the verdict, for scripts."""
    return {
        "lost": report.lost,
        "requests": report.during.requests,
        "failed": report.during.failed,
        "moved": None if report.moved is None else dataclasses.asdict(report.moved),
        "rollback_equal": report.rollback is not None and report.rollback.dump_equal,
        "facts": report.facts,
    }
