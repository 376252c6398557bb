"""The means of the schedules do what they say: else nothing would happen in them, or nobody would notice."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from contextlib import nullcontext

import psycopg
import pytest

from tests.chaos.schedules.chaos_run import out_of_order
from tests.chaos.schedules.jobs import Launcher
from tests.chaos.schedules.schedule import HOUR, Kind, drawn
from tests.chaos.schedules.uncertain_writer import Doubt, UncertainWriter, Weather, under
from tests.chaos.schedules.world import Grounds
from tests.support.cases import CASES, EXAMPLE
from tests.support.database import Database
from tests.support.proxy import Proxy
from tests.support.running import eventually
from tests.support.small_disk import PRETEND, small_disk
from tests.support.traffic import Failure, missing

pytestmark = pytest.mark.newest
BOOK = EXAMPLE.old[0]


def test_a_seed_is_a_schedule_and_all_kinds_come_up() -> None:
    schedules = [drawn(seed) for seed in range(200)]
    assert [str(drawn(each.seed)) for each in schedules] == [str(each) for each in schedules]
    assert {fault.kind for each in schedules for step in each.steps for fault in step.faults} == set(Kind)
    assert {each.case.name for each in schedules} == {each.name for each in CASES}
    assert {bool(each.contract) + 2 * bool(each.back) for each in schedules} == {0, 1, 2, 3}
    assert any(step.clock for each in schedules for step in each.steps)


def test_the_proxy_cuts_refuses_and_holds_back(database: Database) -> None:
    with Proxy(database.dsn) as proxy:
        dsn = proxy.through(database.dsn)
        with psycopg.connect(dsn) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
            assert proxy.cut() == 1
            with pytest.raises(psycopg.OperationalError):
                conn.execute("SELECT 1")
        with proxy.refusing(), pytest.raises(psycopg.OperationalError):
            psycopg.connect(dsn)
        with psycopg.connect(dsn) as conn:
            answered = threading.Event()

            def ask() -> None:
                conn.execute("SELECT 1")
                answered.set()

            with proxy.stalled():
                asking = threading.Thread(target=ask)
                asking.start()
                assert not answered.wait(0.3)
            assert answered.wait(60)
            asking.join()
        eventually(lambda: proxy.open == 0)


@pytest.mark.parametrize("pretended", [False, True], ids=["what there is", "the substitute"])
def test_a_full_disk_is_53100_for_new_rows_and_then_is_free(
    grounds: Grounds, monkeypatch: pytest.MonkeyPatch, *, pretended: bool
) -> None:
    ground = grounds.get(0)
    if pretended:
        monkeypatch.setenv(PRETEND, "1")
    with ground.world(EXAMPLE) as world, small_disk(ground.server) if pretended else nullcontext(ground.disk) as disk:
        disk.use(world.database)
        world.database.run("CREATE TABLE public.fresh (t text)")
        fill = "INSERT INTO public.fresh SELECT repeat('x', 500) FROM generate_series(1, 1000)"
        with disk.full(world.database, ["public.fresh", "public.not_there"]):
            with pytest.raises(psycopg.errors.DiskFull):
                world.database.run(fill)
            world.database.run("INSERT INTO public.customers_old (id) VALUES (-1)")
        world.database.run(fill)


def test_a_wall_clock_jumps_for_the_program_alone() -> None:
    code = (
        "import time; from orchestrator.kernel.clock import SystemClock; from tests.chaos.schedules import launcher;"
        "plain = time.time; launcher._move_clock([(0.0, -86400.0), (3600.0, 5.0)]);"
        "print(plain() - time.time(), plain() - SystemClock().now().timestamp())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert [round(float(each), 1) for each in done.stdout.split()] == [24 * HOUR, 24 * HOUR]


def test_a_job_can_be_stopped_and_killed(database: Database) -> None:
    with Launcher() as launcher:
        assert launcher.start(database.dsn, "init").wait(60) == 0
        job = launcher.start(database.dsn, "metrics", "--serve")
        eventually(lambda: job.lines > 0)
        assert job.send(signal.SIGSTOP)
        assert not job.ended.wait(0.2)
        assert job.send(signal.SIGKILL)
        assert job.wait(60) == -signal.SIGKILL
        assert not job.send(signal.SIGKILL)


def test_an_acknowledged_write_that_is_gone_is_noticed_and_a_doubtful_one_may_be_either() -> None:
    writer = UncertainWriter("", "old0a", BOOK)
    writer.kept = {"old0a/1.0"}
    doubt = Doubt(frozenset({"old0a/2.0"}), frozenset({"old0a/2.1", "old0a/3.0"}))
    for stands, odd in (({"old0a/2.0"}, 0), ({"old0a/2.1", "old0a/3.0"}, 0), ({"old0a/2.1"}, 1), (set(), 1)):
        writer.doubts = [doubt]
        assert len(writer.resolve({"old0a/1.0", *stands})) == odd
        assert not writer.doubts
    assert missing({"old0a/2.0"}, "here", [writer])["old0a: not in here"][0] == "old0a/1.0"


@pytest.mark.parametrize(
    ("name", "error", "weather", "excused"),
    [
        ("old0a", psycopg.OperationalError, Weather(), False),
        ("old0a", psycopg.OperationalError, Weather(lines_broke=True), True),
        ("old0a", psycopg.errors.CrashShutdown, Weather(lines_broke=True), True),
        ("old0a", psycopg.errors.UniqueViolation, Weather(lines_broke=True), False),
        ("old0a", psycopg.errors.LockNotAvailable, Weather(lines_broke=True), False),
        ("old0a", psycopg.errors.DiskFull, Weather(disk_was_full=True), False),
        ("new0a", psycopg.errors.DiskFull, Weather(disk_was_full=True), True),
        ("new0a", psycopg.errors.DiskFull, Weather(lines_broke=True), False),
    ],
)
def test_only_what_the_weather_explains_is_excused(
    name: str, error: type[psycopg.Error], weather: Weather, *, excused: bool
) -> None:
    writer = under(weather)("", name, BOOK)
    assert writer._excused(Failure(name, BOOK.name, "insert", error())) is excused


def test_a_commit_of_an_earlier_epoch_after_a_later_one_is_noticed() -> None:
    assert out_of_order([(1, "a", 1), (2, "b", 2), (3, "c", 2)]) == []
    assert len(out_of_order([(1, "a", 1), (2, "lease.taken", 2), (3, "phase.done", 1)])) == 1
