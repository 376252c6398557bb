"""Rules for files that no linter knows."""

from __future__ import annotations

import re

from tests.architecture.source import PACKAGES, ROOT, files, named, shown

MOST_LINES = 350
WRITTEN = "tests/unit/golden/sql/"  # by `make golden`: as long as what a kind compiles to

# Split, so that this file does not contain what it looks for.
SKIPS = re.compile(r"pytest\.(mark\.)?(skip|importorskip|xfail)|unittest\.(skip|SkipTest)|raise SkipTest")
# What installs something names packages and versions only: wherever they come from is the machine's affair.
INSTALLS = ("requirements*.txt", "pyproject.toml", "Makefile", ".ci/run", "deploy/Dockerfile", "tests/**/package.json")
ADDRESS = re.compile(r"\w+://(?!127\.)|(index-url|find-links|registry)\s*[= ]\s*\w")
MACHINE = re.compile(r"(?<![\w/])/(work|tmp/v|root/\.pyenv)/")


def test_a_file_is_one_noun_and_no_longer_than_that() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in named(".py", ".sql")}
    lengths = {name: lines for name, lines in lengths.items() if not name.startswith(WRITTEN)}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_every_sql_file_of_the_program_says_why_it_is_there() -> None:
    silent = [shown(path) for path in named(".sql", under=PACKAGES) if not re.search(r"--|/\*", path.read_text())]
    assert silent == [], "these files have no comment"


def test_what_is_installed_in_a_database_is_ascii() -> None:
    """A database may have an encoding that has nothing else in common with ours; comments of functions go there, too."""
    sent = [path for path in named(".sql", under=PACKAGES) if not {"plans", "demo"} & set(path.parts)]
    assert [shown(path) for path in sent if not path.read_text().isascii()] == []


def test_every_module_of_the_program_explains_itself() -> None:
    silent = [
        shown(path)
        for path in named(".py", under=PACKAGES)
        if not path.read_text().lstrip().startswith(('"""', 'r"""'))
    ]
    assert silent == [], "these modules have no docstring"


def test_nothing_is_skipped() -> None:
    here = ROOT / "tests/architecture/test_files.py"
    skipping = [
        f"{shown(path)}:{number}"
        for path in named(".py", under=("tests",))
        if path != here
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if SKIPS.search(line)
    ]
    assert skipping == []


def test_nothing_is_installed_from_an_address() -> None:
    installing = sorted({path for pattern in INSTALLS for path in ROOT.glob(pattern)})
    assert len(installing) >= len(INSTALLS)
    found = [
        f"{shown(path)}:{number}: {line.strip()[:80]}"
        for path in installing
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if ADDRESS.search(line)
    ]
    assert found == []


def test_no_path_of_one_machine() -> None:
    here = ROOT / "tests/architecture/test_files.py"
    found = [
        f"{shown(path)}:{number}: {line.strip()[:80]}"
        for path in files()
        if path != here
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert found == []


def test_every_pin_has_a_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        pins = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
        assert pins
        for pin in pins:
            assert re.match(r"[a-z0-9.-]+==\S+( ; [^\\\n]+)? \\\n +--hash=sha256:[0-9a-f]{64}", pin), pin[:80]


def test_decisions_are_numbered_without_gaps_and_short() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("0*.md"))
    numbers = [int(path.name.split("-")[0]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in decisions:
        text = path.read_text()
        assert len(text.splitlines()) <= 60, f"{path.name}: half a page was meant"
        status = text.splitlines()[2]
        assert re.match(r"\d{4}-\d\d-\d\d\. (Accepted|Replaced by \d{4})\.", status), f"{path.name}: date and status"
        assert f"({path.name})" in (path.parent / "index.md").read_text()
