"""The pages are built as a site, and every link between them leads somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import ROOT


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build a copy of the pages, so that the build leaves nothing in the work tree."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("zensical")), "build", "--clean", "--strict"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def copy(folder: Path) -> Path:
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    return folder


def test_the_site_is_built_and_no_link_is_broken(tmp_path: Path) -> None:
    done = build(copy(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path.relative_to(tmp_path / "docs").with_suffix("") for path in (tmp_path / "docs").rglob("*.md")}
    for page in pages:
        made = page if page.name == "index" else page / "index"
        assert (tmp_path / "site" / made).with_suffix(".html").is_file(), f"{page} is not in the site"
    fetched = re.compile(r"""<(?:script|img|iframe)[^>]+src=["']?https?:|<link[^>]+stylesheet[^>]+href=["']?https?:""")
    assert not [page for page in (tmp_path / "site").rglob("*.html") if fetched.search(page.read_text())]


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    copy(tmp_path)
    (tmp_path / "docs/more.md").write_text("# More\n\n[nowhere](nowhere.md), [no such part](limits.md#nothing)\n")
    done = build(tmp_path)
    assert done.returncode != 0
    assert "page does not exist" in done.stderr
    assert "anchor does not exist" in done.stderr
