"""kill -9 after every commit point, and before it; the same command then goes on, and nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import backfill.compare
import backfill.engine  # noqa: F401 - importing declares the failpoints
from orchestrator.kernel.failpoints import NAMES, VARIABLE
from tests.integration.backfill.world import Recorder, add_source, copy, is_equal, new_verification, verify

if TYPE_CHECKING:
    from tests.support.database import Database

COPYING = sorted(name for name in NAMES if name.startswith("backfill."))
COMPARING = sorted(name for name in NAMES if name.startswith("compare."))


def run(database: Database, *args: str, failpoint: str | None = None) -> int:
    env = {**os.environ, **({VARIABLE: failpoint} if failpoint else {})}
    command = [sys.executable, "-m", "tests.integration.backfill.runner", database.dsn, *args]
    return subprocess.run(command, env=env, timeout=240, check=False).returncode


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("name", COPYING)
def test_killed_while_copying(small: Database, name: str, nth: int) -> None:
    # A chunk is cut only when a second worker finds nothing else to do: it needs time to come while the first is at work.
    many = 5_000 if "split" in name else 900
    sources = [add_source(small, 1, many), add_source(small, 2, 100)]
    small.run(f"""UPDATE legacy_1 SET body = 'reject me' WHERE id % {many // 10} = 0; DELETE FROM public.fresh;
                 INSERT INTO changeover.queue (source_id, direction, key)
                 VALUES (1, 'forward', '5'), (2, 'forward', '5'), (1, 'forward', '7')""")
    code = run(small, "copy", failpoint=f"{name}:{nth}")
    if nth == 1 or code != 0:  # some places are passed only once
        assert code == -signal.SIGKILL
    assert run(small, "copy") == 0
    assert all(is_equal(small, source) for source in sources)
    assert small.rows("SELECT count(*), count(DISTINCT key) FROM changeover.reject") == [(10, 10)]
    assert small.rows("SELECT sum(rows_seen)::int FROM changeover.chunk GROUP BY source_id ORDER BY 1") == [
        (100,),
        (many,),
    ]
    assert small.value("SELECT count(*) FROM changeover.queue") == 0
    assert small.rows("SELECT DISTINCT state FROM changeover.source") == [("copied",)]


@pytest.mark.parametrize("name", COMPARING)
def test_killed_while_comparing_and_repairing(small: Database, name: str) -> None:
    source = add_source(small, 1, 900)
    asyncio.run(copy(small, source))
    small.run("UPDATE fresh SET body = 'wrong' WHERE id = 77; DELETE FROM fresh WHERE id = 800")
    verification = str(new_verification(small))
    assert run(small, "repair", verification, failpoint=name) == -signal.SIGKILL
    assert run(small, "repair", verification) == 0
    assert is_equal(small, source)
    assert small.value("SELECT count(*) FROM changeover.difference") == 0
    result = asyncio.run(verify(small, source, verification=int(verification)))
    assert result.clean
    assert result.rows_compared == 900


def test_killed_at_any_moment(small: Database) -> None:
    """Not at a place of ours, but whenever: three times, then to the end."""
    source = add_source(small, 1, 20_000)
    command = [sys.executable, "-m", "tests.integration.backfill.runner", small.dsn, "copy"]
    for patience in (0.6, 0.8, 1.0):
        with subprocess.Popen(command) as process:
            time.sleep(patience)
            process.kill()
    recorder = Recorder()
    assert asyncio.run(copy(small, source, recorder=recorder)).rows_seen == 20_000
    assert is_equal(small, source)
