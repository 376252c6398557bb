"""The journal of acknowledged writes: what the application was told is done, in the order it was told.

Each row that is written has one owner, a client that works one request after the other; so for every row
there is a last acknowledged state, and `check.py` can ask the database for it. An entry says table, which
column finds the row (`by`, mostly the id), its key, and the columns written, in the legacy table's own
terms whichever version wrote them. A write whose commit was not answered (the connection broke) is in
doubt: either state may stand, so the row leaves the check and is counted. Entries go to a file at once,
so that a killed application leaves its journal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import TextIO

Act = Literal["write", "delete", "add", "doubt"]


@dataclass(frozen=True)
class Entry:
    """One acknowledged write of one row. `add` means: each value was added to what stood there."""

    table: str
    key: str
    act: Act
    values: dict[str, Any] = field(default_factory=dict)
    by: str = "id"
    version: str = "old"


@dataclass
class State:
    """What must stand for one row: `values`, or nothing at all where `deleted`."""

    table: str
    by: str
    key: str
    values: dict[str, Any] = field(default_factory=dict)
    folded: set[str] = field(default_factory=set)
    """Columns last written by the new version: it writes folded values, an equal old spelling may stay."""
    added: dict[str, int] = field(default_factory=dict)
    deleted: bool = False
    doubtful: bool = False


class Journal:
    """Writes entries, a line each."""

    def __init__(self, path: Path) -> None:
        """Open the file; the journal of an earlier process is kept and continued."""
        self._file: TextIO = path.open("a", encoding="utf-8")

    def note(self, entries: Iterable[Entry]) -> None:
        """Note what one acknowledged request has written."""
        for entry in entries:
            line = {
                "table": entry.table,
                "by": entry.by,
                "key": entry.key,
                "act": entry.act,
                "values": entry.values,
                "version": entry.version,
            }
            self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(path: Path) -> Iterator[Entry]:
    """Read a journal; a last line that was cut off by a kill is left out (its write was not noted)."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield Entry(**json.loads(line))


def last_states(entries: Iterable[Entry]) -> list[State]:
    """Fold the entries into what must stand now, row by row."""
    states: dict[tuple[str, str, str], State] = {}
    for entry in entries:
        place = (entry.table, entry.by, entry.key)
        state = states.setdefault(place, State(entry.table, entry.by, entry.key))
        match entry.act:
            case "doubt":
                state.doubtful = True
            case "delete":
                states[place] = State(entry.table, entry.by, entry.key, deleted=True, doubtful=state.doubtful)
            case "add":
                for name, value in entry.values.items():
                    state.added[name] = state.added.get(name, 0) + value
            case "write":
                state.deleted = False
                state.values |= entry.values
                state.folded -= entry.values.keys()
                if entry.version == "new":
                    state.folded |= entry.values.keys()
    return list(states.values())
