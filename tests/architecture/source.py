"""What the tests of the architecture look at: the files under version control and those about to be."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("orchestrator", "phases", "flags", "backfill")


@cache
def files() -> tuple[Path, ...]:
    """All files of the project, new ones included, what git ignores left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git is a tool we need
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(path for name in sorted(listed.split("\0")) if name and (path := ROOT / name).is_file())


def named(*suffixes: str, under: tuple[str, ...] = ()) -> list[Path]:
    """The files with one of these endings, below one of these folders if any are given."""
    return [
        path for path in files() if path.suffix in suffixes and (not under or path.relative_to(ROOT).parts[0] in under)
    ]


def shown(path: Path) -> str:
    """A path as a message shows it."""
    return str(path.relative_to(ROOT))
