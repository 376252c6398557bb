"""Expressions that give another value tomorrow, or to somebody else.

A row is derived many times: by the batch, by the mirror, by the comparison, by the repair. Each must get the same
values from the same row, or verify finds differences that are none, for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.kernel.sqltokens import at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.kernel.sqltokens import Token

_FUNCTIONS: Final = frozenset(
    {
        *("now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday", "age"),
        *("random", "random_normal", "gen_random_uuid", "uuidv4", "uuidv7", "uuid_generate_v1", "uuid_generate_v4"),
        *("nextval", "currval", "lastval", "txid_current", "pg_current_xact_id", "pg_backend_pid", "current_setting"),
    }
)
_WORDS: Final = frozenset(
    {
        *("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"),
        *("current_user", "session_user", "current_role", "current_catalog", "current_schema"),
    }
)


def unsteady(found: list[Token]) -> Iterator[str]:
    """The words in these tokens whose value depends on when, by whom or how often it is asked."""
    for index, token in enumerate(found):
        if token.kind != "name" or at(found, index - 1).says(".", "as"):
            continue
        if token.text in _WORDS:
            yield token.text
        elif token.text in _FUNCTIONS and at(found, index + 1).says("("):
            # age(a, b) is as steady as a subtraction; age(a) counts from today.
            depth = at(found, index + 1).depth
            rest = found[index + 2 :]
            within = rest[: next((i for i, t in enumerate(rest) if t.says(")") and t.depth == depth), len(rest))]
            if token.text != "age" or not any(t.says(",") and t.depth == depth + 1 for t in within):
                yield f"{token.text}()"
