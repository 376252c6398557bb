"""A scripted application as a process: `python -m orchestrator.demo.scripted --plan PLAN --out DIR`.

It is a process of its own, so that it shares neither event loop nor fate with the migration. The driver speaks to it in
lines on its standard input (`phase NAME`, `open STAGE`, `close`, `rate N`, `stop`); when that pipe ends, it stops too.
It answers `ready` once its clients are at work, and `stopped` when it has left in DIR what it did (`requests.jsonl`)
and what must be there (`kept.json`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.demo.application.record import save
from orchestrator.demo.scripted.client import Client, Scene
from orchestrator.demo.scripted.script import load_script
from orchestrator.plan.loader import load

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT: Final = "kept.json"
REQUESTS: Final = "requests.jsonl"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.demo.scripted", description=__doc__)
    parser.add_argument("--plan", required=True, help="a shipped plan's name, or a plan's folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for the record")
    parser.add_argument("--rate", type=float, default=50, help="requests per second, of all clients together")
    parser.add_argument("--old", type=int, default=4, help="clients of the old version")
    parser.add_argument("--new", type=int, default=4, help="clients of the new version")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--name", default="app", help="part of every tag; new to the database")
    return parser.parse_args()


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _run(arguments: argparse.Namespace) -> None:
    scene = Scene(load_script(load(arguments.plan)))
    names = [("old", number) for number in range(arguments.old)] + [("new", number) for number in range(arguments.new)]
    clients = [
        Client(
            os.environ["CHANGEOVER_DEMO_DSN"],
            f"{arguments.name}-{version}{number}",
            version,
            number,
            scene,
            arguments.seed,
        )
        for version, number in names
    ]
    scene.pace = len(clients) / arguments.rate
    for client in clients:
        await client.connect()
    reader = await _lines()
    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(client.work(), name=client.name)
        _say("ready")
        while line := (await reader.readline()).decode().strip():
            if line == "stop":
                break
            _obey(scene, len(clients), line)
        scene.stopping = True
    save(scene.record, arguments.out / REQUESTS)
    (arguments.out / KEPT).write_text(json.dumps(_kept(scene, clients)), encoding="utf-8")
    _say("stopped")


def _obey(scene: Scene, clients: int, line: str) -> None:
    word, _, rest = line.partition(" ")
    match word:
        case "phase":
            scene.phase = rest
        case "open":
            scene.opened.append(rest)
        case "close":
            scene.opened.clear()
        case "rate":
            scene.pace = clients / float(rest)
        case _:
            raise ValueError(f"the driver said {line!r}, which means nothing here")


def _kept(scene: Scene, clients: Sequence[Client]) -> dict[str, dict[str, object]]:
    return {
        record: {
            "writes": sum(client.kept[record].writes for client in clients if record in client.kept),
            "tags": [tag for client in clients for tag in client.tags(record)],
            "doubtful": [tag for client in clients if record in client.kept for tag in client.kept[record].doubtful],
        }
        for record in scene.script.records
    }


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_run(_arguments()))
