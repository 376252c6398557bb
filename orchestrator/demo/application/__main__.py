"""The simulated application as a process: `python -m orchestrator.demo.application --dsn … --out DIR`.

It is a process of its own, so that it shares neither event loop nor fate with the migration. The driver
speaks to it in lines on its standard input (`phase NAME`, `rate N`, `mischief on|off`,
`deploy first|mended`, `stop`); when that
pipe ends, because the driver died, it stops as well. It answers `ready` once its clients are at work. In
DIR it leaves `journal.jsonl`, written as it goes, and at the end `requests.jsonl`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from orchestrator.demo.application.crew import Crew, Staff

JOURNAL: Final = "journal.jsonl"
REQUESTS: Final = "requests.jsonl"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.demo.application", description=__doc__)
    parser.add_argument("--dsn", default=os.environ.get("CHANGEOVER_DEMO_DSN"), help="or CHANGEOVER_DEMO_DSN")
    parser.add_argument("--out", type=Path, required=True, help="folder for the journal and the record")
    parser.add_argument("--rate", type=float, default=50, help="requests per second, of all clients together")
    parser.add_argument("--old", type=int, default=4, help="clients of the old version")
    parser.add_argument("--new", type=int, default=4, help="clients of the new version")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--name", default="app", help="part of every key that is made; new to the database")
    arguments = parser.parse_args()
    if not arguments.dsn:
        parser.error("--dsn or CHANGEOVER_DEMO_DSN is needed")
    return arguments


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _run(arguments: argparse.Namespace) -> None:
    arguments.out.mkdir(parents=True, exist_ok=True)
    staff = Staff(arguments.name, arguments.old, arguments.new, arguments.seed)
    crew = Crew(arguments.dsn, staff, arguments.rate, arguments.out / JOURNAL)
    await crew.prepare()
    reader = await _lines()
    async with crew.scene.reads, asyncio.TaskGroup() as group:
        crew.start(group)
        _say("ready")
        while line := (await reader.readline()).decode().strip():
            word, _, rest = line.partition(" ")
            if word == "stop":
                break
            crew.obey(word, rest)
        crew.stop()
    crew.save(arguments.out / REQUESTS)
    _say("stopped")


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
