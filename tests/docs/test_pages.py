"""The README is short and true, and what a page tells a reader to type is something that the program understands."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

import pytest

from orchestrator.plan.schema import schema
from tests.architecture.source import ROOT, named
from tests.docs.write import PAGES
from tests.support.parsing import parse

if TYPE_CHECKING:
    from pathlib import Path

README: Final = (ROOT / "README.md").read_text()
MOST_LINES: Final = 120
WRITTEN: Final = [
    path
    for path in named(".md")
    if path.relative_to(ROOT).parts[0] in {"docs", "README.md", "CONTRIBUTING.md"}
    and "runbooks" not in path.parts  # they have tests of their own
    and path.relative_to(ROOT).as_posix() not in PAGES
]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES, "move it to docs/"


def test_the_plan_of_the_readme_is_the_one_of_the_tutorial() -> None:
    (plan,) = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert plan == (ROOT / "examples/tickets/plan.yaml").read_text()


def test_every_file_that_is_linked_from_the_root_exists() -> None:
    for page in ("README.md", "CONTRIBUTING.md", "SECURITY.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
            assert (ROOT / target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_made_from_the_program_is_current(name: str) -> None:
    assert (ROOT / name).read_text() == PAGES[name](), "`make reference` writes it"


def test_every_key_of_a_plan_has_a_meaning() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| [^|]* \| (.*?) ?\|$", (ROOT / "docs/reference/plan.md").read_text(), re.MULTILINE
    )
    silent = [key for key, meaning in rows if not re.sub(r"\*Required\.\*|Default: `[^`]*`\.", "", meaning).strip()]
    assert silent == [], "say it in the schema (Field(description=…)) or in tests/docs/meanings.py"
    assert len(rows) > 80


def test_every_file_that_a_page_names_is_there() -> None:
    """Pages of the way things work name modules and SQL files; one that has moved is noticed."""
    for page in (page for page in WRITTEN if "decisions" not in page.parts):
        text = page.read_text()
        for name in re.findall(r"`((?:[a-z_]+/)+[\w.@-]+\.(?:py|sql|ya?ml|service|json))`", text):
            assert (ROOT / name).exists() or name.startswith("cluster/"), f"{page.name} names {name}"
    for name in re.findall(r"`([a-z_]+\.sql)`", (ROOT / "docs/architecture.md").read_text()):
        assert list((ROOT / "orchestrator").rglob(name)), f"architecture.md names {name}"


def test_every_make_target_that_is_shown_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in WRITTEN:
        for target in set(re.findall(r"(?:^\s*|`)make ([a-z]+)", page.read_text(), re.MULTILINE)):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page.name} shows `make {target}`"


def shown(text: str) -> list[list[str]]:
    """The command lines of ours in indented blocks, in fenced ones and between backticks."""
    lines = re.findall(r"^(?: {4})?(changeover .+)$", text, re.MULTILINE)
    inline = re.findall(r"`(changeover [^`]+)`", text)
    found = [shlex.split(line, comments=True)[1:] for line in [*lines, *inline]]
    # `changeover flag guard` names a command, and need not give all that it asks for. A `…` stands for something.
    return [argv for argv in found if argv and "…" not in " ".join(argv)]


@pytest.mark.parametrize("page", WRITTEN, ids=[path.relative_to(ROOT).as_posix() for path in WRITTEN])
def test_a_command_that_a_page_shows_is_one_of_the_program(page: Path) -> None:
    for argv in shown(page.read_text()):
        try:
            parse(argv)
        except Exception as error:
            if "Missing" not in str(error) and type(error).__name__ != "MissingParameter":
                raise AssertionError(f"{page.name}: changeover {' '.join(argv)}: {error}") from error


def test_a_command_that_is_none_would_be_noticed() -> None:
    (argv,) = shown("Text.\n\n    changeover throtle show cqms\n")
    with pytest.raises(AssertionError, match="throtle"):
        parse(argv)
    with pytest.raises(Exception, match="loud"):
        parse(shown("`changeover pause cqms --loud`")[0])


def test_every_key_of_a_plan_says_in_its_schema_what_it_means() -> None:
    whole = schema()
    silent = [
        f"{name}.{key}"
        for name, node in {"Plan": whole, **whole["$defs"]}.items()
        for key, said in node.get("properties", {}).items()
        if not said.get("description")
    ]
    assert silent == []
