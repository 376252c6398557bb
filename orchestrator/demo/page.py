"""The page beside the demo: `changeover serve` on the demo's database, in a process of its own."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import webbrowser
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from orchestrator.demo.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from orchestrator.demo.narrator import Narrator

_STARTS: Final = "from orchestrator.cli.entry import main; main()"
_SECONDS: Final = 10


@contextmanager
def page(dsn: str, folder: Path, voice: Narrator) -> Iterator[str]:
    """Serve it for the time of the block; its address. Who has the token that is said may act."""
    token, people, port = secrets.token_hex(12), folder / "people", free_port()
    people.touch(mode=0o600)
    people.write_text(f"demo {token}\n", encoding="utf-8")
    command = [sys.executable, "-c", _STARTS, "serve", "--port", str(port), "--people-file", str(people)]
    process = subprocess.Popen(  # noqa: S603 - our own command line
        command,
        env={**os.environ, "CHANGEOVER_DSN": dsn},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/"
    try:
        voice.say(f"the page is at {address}; to act, sign in with {token}")
        if _has_screen(os.environ):
            webbrowser.open(address)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _has_screen(environment: Mapping[str, str]) -> bool:
    """Is there a screen for a browser? One that draws on a terminal would cover what the demo says."""
    return sys.platform in {"darwin", "win32"} or bool({"DISPLAY", "WAYLAND_DISPLAY"} & environment.keys())
