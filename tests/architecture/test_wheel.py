"""An installed wheel is complete: SQL and plans are data of the packages and must travel with them."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.architecture.source import PACKAGES, ROOT, files


def test_the_wheel_carries_every_file_of_the_packages(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    names = [path.relative_to(ROOT) for path in files()]
    wanted = {name.as_posix() for name in names if name.parts[0] in PACKAGES}
    assert wanted - carried == set()
    assert not any(name.startswith("tests/") for name in carried)
