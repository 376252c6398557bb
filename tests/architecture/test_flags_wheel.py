"""`changeover-flags` is what an application installs: our flags, a driver, OpenFeature, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Final

import pytest

from orchestrator import __version__
from tests.architecture.source import ROOT

MAY_NEED: Final = ("psycopg", "psycopg_binary", "psycopg_binary.libs", "asyncpg", "openfeature", "typing_extensions.py")
ASK: Final = """
import importlib, pkgutil, sys
import changeover_flags
names = [m.name for m in pkgutil.iter_modules(changeover_flags.__path__)]
for name in names:
    importlib.import_module(f"changeover_flags.{name}")
from changeover_flags.queries import load
assert load("snapshot.sql") and load("window.sql") and load("retreat.sql") and load("report.sql")
from changeover_flags.cache import FlagCache
assert FlagCache().reads_new("UNKNOWN", "user-7") is False
assert not {"orchestrator", "flags", "phases", "backfill"} & set(sys.modules)
print("imported")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT / "flags", check=True, capture_output=True)
    (made,) = folder.glob("changeover_flags-*.whl")
    return made


def clean(folder: Path, wheel: Path) -> Path:
    """The interpreter of an environment that has the wheel and the drivers, and not even pip."""
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps", "--quiet"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (ours,) = (Path(path) for path in sys.path if Path(path, "psycopg").is_dir())
    for name in MAY_NEED:
        if (ours / name).exists():
            (packages / name).symlink_to(ours / name)
    return python


def test_it_is_imported_where_nothing_else_of_ours_is(tmp_path: Path, wheel: Path) -> None:
    python = clean(tmp_path / "application", wheel)
    done = subprocess.run([str(python), "-I", "-c", ASK], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "imported\n"


def test_it_brings_one_name_to_the_top(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        licences = [name for name in archive.namelist() if name.endswith("LICENSE")]
    assert {top for top in tops if not top.endswith(".dist-info")} == {"changeover_flags"}
    assert licences, "the licence goes along"


def test_both_distributions_have_one_version() -> None:
    assert tomllib.loads((ROOT / "flags/pyproject.toml").read_text())["project"]["version"] == __version__
