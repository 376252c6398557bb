"""What a server answers to the compiler's questions, kept in a file, so that a plan is compiled without a server.

`Recording` passes each question on to a connection and keeps the answer. `Replaying` answers from the file. The compiler
asks the catalog only, so the answers change with the small plan, with the compiler's questions, or with PostgreSQL.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    import psycopg

_FIRST_OID = 16384
_SHOWN_OID = 100_000


class Column(NamedTuple):
    """What the compiler asks of a column of an answer."""

    name: str
    type_code: int


@dataclass
class Answer:
    """The rows of one answer, as a cursor gives them."""

    rows: list[tuple[Any, ...]]
    description: list[Column]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All of them."""
        return self.rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """The first one."""
        return self.rows[0] if self.rows else None


class Recording:
    """A connection whose answers are kept."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        self.kept: dict[str, dict[str, Any]] = {}

    def transaction(self, **more: Any) -> AbstractContextManager[Any]:
        """That of the connection."""
        return self._conn.transaction(**more)

    def execute(self, query: Any, values: Any = None) -> Answer:
        """Ask, and keep the answer."""
        cursor = self._conn.execute(query, values)
        described = [Column(each.name, each.type_code) for each in cursor.description or ()]
        answer = Answer(cursor.fetchall() if described else [], described)
        self.kept[_question(query, values)] = {"columns": described, "rows": answer.rows}
        return answer


class Replaying:
    """Answers from a file; a question that it does not know fails."""

    def __init__(self, kept: Mapping[str, Mapping[str, Any]]) -> None:
        self._kept = kept

    def transaction(self, **_more: Any) -> AbstractContextManager[None]:
        """Nothing is at stake."""
        return nullcontext()

    def execute(self, query: Any, values: Any = None) -> Answer:
        """The answer that was kept."""
        question = _question(query, values)
        assert question in self._kept, f"`make golden` has not asked this yet: {question}"
        found = self._kept[question]
        return Answer([tuple(row) for row in found["rows"]], [Column(*each) for each in found["columns"]])


def read(path: Path) -> dict[str, Any]:
    """What `written` has made."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def written(kept: Mapping[str, Any], oids: list[int]) -> str:
    """A file: the same for every server, whatever numbers it gave to tables (`oids`) and their files."""
    shown = {oid: _SHOWN_OID + place for place, oid in enumerate(oids)}

    def plain(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | list | tuple | dict):
            return value
        if isinstance(value, int):
            return shown.setdefault(value, _SHOWN_OID + len(shown)) if value >= _FIRST_OID else value
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        return [plain(each) for each in value]

    document = {}
    for question, answer in kept.items():
        text, values = json.loads(question)
        document[json.dumps([text, plain(values)])] = plain(answer)
    return json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n"


def _question(query: Any, values: Any) -> str:
    if isinstance(query, sql.Composable):
        query = query.as_string(None)
    text = query.decode() if isinstance(query, bytes) else query
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return json.dumps([" ".join(" ".join(lines).split()), values])
