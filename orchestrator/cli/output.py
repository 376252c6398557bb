"""Where output goes: what a command prints to standard output, everything else to standard error.

So `changeover … --json > file` holds one JSON document whatever happens, and a pipe never meets a progress bar. Tables
are for people: on a terminal they take its width (`rows`), in a pipe they are never cut.

What others have written (reasons, names, keys, rows) is shown and never obeyed: all text goes through `kernel.visible`
here, and a line stays one line.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from orchestrator.cli.rows import Rows
from orchestrator.kernel import documents
from orchestrator.kernel.visible import escaped_json, visible
from orchestrator.kernel.words import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDE: Final = 1_000_000
"""The width of what is no terminal: no line is wrapped there."""
_STYLES: Final = {
    **dict.fromkeys(("done", "ok", "clean", "met", "finished", "copied", "live", "complete"), "green"),
    **dict.fromkeys(
        ("running", "warn", "warning", "copying", "active", "unmet", "rolled_back", "open", "stopped"), "yellow"
    ),
    **dict.fromkeys(("failed", "fail", "error", "different", "lost"), "red"),
    **dict.fromkeys(("pending", "off", "waived"), "dim"),
}


def out() -> Console:
    """A console on standard output as it is now (a test may have replaced it)."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else _WIDE)


def err() -> Console:
    """A console on standard error."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=not sys.stderr.isatty())


def say(text: str = "", *, lines: bool = False) -> None:
    """A line for people, never cut and never taken for markup; new lines before it are empty lines.

    With `lines` it is a text of several lines, such as SQL.
    """
    out().print(Text(_shown(text, lines=lines)), soft_wrap=True)


def tell(text: str, style: str = "", *, lines: bool = False) -> None:
    """The same on standard error."""
    err().print(Text(_shown(text, lines=lines), style=style), soft_wrap=True)


def write(text: str) -> None:
    """A text for programs on standard output, as it is; on a terminal without what that would obey."""
    sys.stdout.write(visible(text, lines=True) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def ask(question: str) -> None:
    """Ask on standard error; typer.Abort unless the answer is yes."""
    typer.confirm(_shown(question), abort=True, err=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(as_json(value) + "\n")
    sys.stdout.flush()


def as_json(value: Any, *, indent: int | None = 2) -> str:
    """JSON of anything that a command returns; dates in ISO 8601, exact numbers digit for digit."""
    return escaped_json(documents.write(value, _plain, indent=indent))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """A table on standard output."""
    out().print(made_table(columns, rows, right=right))


def made_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = (), indent: int = 0
) -> Rows:
    """A table; a cell that is a known state has its colour."""
    cells = [[cell(value) for value in row] for row in rows]
    return Rows([visible(column) for column in columns], cells, right=right, indent=indent)


def line(text: str, style: str = "") -> Text:
    """A line for people, as `say` prints it."""
    return Text(_shown(text), style=style)


def cell(value: Any) -> Text:
    """One value for people."""
    match value:
        case None:
            return Text("-", style="dim")
        case bool():
            return Text("yes" if value else "no")
        case float():
            return Text(f"{value:.1f}")
        case datetime():
            return Text(moment(value))
        case list() | tuple():
            return Text(visible(", ".join(str(each) for each in value)))
        case _:
            return Text(visible(str(value)), style=_STYLES.get(str(value), ""))


def _shown(text: str, *, lines: bool = False) -> str:
    line = text.lstrip("\n")
    return "\n" * (len(text) - len(line)) + visible(line, lines=lines)


def _plain(value: Any) -> Any:
    if hasattr(value, "as_json"):
        return value.as_json()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    match value:
        case datetime() | date():
            return value.isoformat()
        case set() | frozenset():
            return sorted(value)
        case _:
            return str(value)
