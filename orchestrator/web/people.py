"""Who acts: people with tokens, their sessions, and the secret that each form of theirs carries.

A file has a line for each person, a name and a token. Signing in with a token starts a session: a random cookie that
scripts cannot read and other sites cannot send (`HttpOnly`, `SameSite=Strict`), known to this process only. What a
session does is done in that person's name, as with CHANGEOVER_ACTOR on the command line. A form carries the session's
own secret; without it nothing is changed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from orchestrator.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

COOKIE: Final = "changeover_session"
LASTS_S: Final = 12 * 3600.0
_SHORTEST: Final = 16
_MOST_SESSIONS: Final = 1000


@dataclass(frozen=True)
class Session:
    """Somebody who has signed in."""

    name: str
    until: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    notes: list[str] = field(default_factory=list)
    """What the next page tells: the outcome of what was done."""

    def admits(self, secret: str) -> bool:
        """Does a form with this secret come from a page of this session?"""
        return hmac.compare_digest(self.csrf.encode(), secret.encode(errors="replace"))


class People:
    """The persons who may act, and their sessions."""

    def __init__(self, tokens: dict[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        """`tokens` has the name of each token's owner."""
        self._tokens = {_digest(token): name for token, name in tokens.items()}
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def __bool__(self) -> bool:
        """Is there anybody who may act?"""
        return bool(self._tokens)

    def sign_in(self, token: str) -> tuple[str, Session] | None:
        """A new session and its cookie's value; None for a token that nobody has."""
        given = _digest(token.strip())
        found = [name for known, name in self._tokens.items() if hmac.compare_digest(known, given)]
        if not found:
            return None
        now = self._clock()
        self._sessions = {key: each for key, each in self._sessions.items() if each.until > now}
        while len(self._sessions) >= _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        cookie, session = secrets.token_urlsafe(32), Session(found[0], now + LASTS_S)
        self._sessions[_digest(cookie)] = session
        return cookie, session

    def session(self, cookie: str | None) -> Session | None:
        """The session of a cookie, if it is one and not over."""
        found = self._sessions.get(_digest(cookie)) if cookie else None
        return found if found is not None and found.until > self._clock() else None

    def sign_out(self, cookie: str | None) -> None:
        """End a session."""
        if cookie:
            self._sessions.pop(_digest(cookie), None)


def people_of(lines: Iterable[str]) -> dict[str, str]:
    """The names by token, from lines `NAME TOKEN`; UsageError without what is in them."""
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, _, token = line.strip().rpartition(" ")
        name = name.strip().removesuffix(":").strip()
        if not name or not token:
            raise _wrong(number, "is not of the form NAME TOKEN")
        if len(token) < _SHORTEST:
            raise _wrong(number, f"has a token of less than {_SHORTEST} characters")
        if token in found:
            raise _wrong(number, "has the token of an earlier line")
        found[token] = name
    return found


def _wrong(number: int, why: str) -> UsageError:
    return UsageError(
        f"Line {number} of the people {why}.",
        kept="Nothing was started.",
        todo="One person a line: a name, a blank, a token (`openssl rand -hex 24` makes one).",
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
