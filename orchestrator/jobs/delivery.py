"""Delivering a notice: as a webhook that is signed and retried, or to a command of the operator's.

A webhook is a POST of JSON. Its signature is an HMAC-SHA256 over the time, a dot and the body, with the shared secret:
who receives it computes the same and refuses what is old, so that nobody can make one up or play one again. What a
receiver refuses for good (most of 4xx) is not tried again; whatever may pass is, with growing pauses. A redirect is not
followed: the address is a secret, and so is what is sent.

A command is started without a shell; what the database says is on its standard input only, never in its arguments.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay, wait_random_exponential

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPMessage
    from typing import IO

    from orchestrator.jobs.notices import Notice

LONGEST_PAUSE_S: Final = 10.0
_LONGEST_S: Final = 25.0
"""All attempts together; who tells a receiver has claimed it for longer than that."""
_AGAIN: Final = frozenset({408, 425, 429})
_SERVER: Final = 500


class DeliveryError(Exception):
    """A notice that was not taken; `passing` if it may be later."""

    def __init__(self, why: str, *, passing: bool) -> None:
        """Say why, without the address."""
        super().__init__(why)
        self.passing = passing


class PassingError(DeliveryError):
    """It may be taken later."""

    def __init__(self, why: str) -> None:
        """Say why."""
        super().__init__(why, passing=True)


class Sink(Protocol):
    """Takes notices."""

    @property
    def id(self) -> str:
        """The same in every process that has this sink, and no secret."""
        ...

    def send(self, notice: Notice) -> None:
        """Once; raises DeliveryError."""
        ...


@dataclass(frozen=True)
class Webhook:
    """An address that takes JSON."""

    url: str
    secret: str = ""
    timeout_s: float = 5.0

    @property
    def id(self) -> str:
        """Of the address."""
        return "webhook-" + hashlib.sha256(self.url.encode()).hexdigest()[:16]

    def send(self, notice: Notice) -> None:
        """POST it."""
        body = json.dumps(notice.as_json(), ensure_ascii=False, default=str).encode(errors="replace")
        headers = {"Content-Type": "application/json", "User-Agent": "changeover", "X-Changeover-Id": notice.id}
        if self.secret:
            headers |= signed(self.secret, body, int(time.time()))
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310 - the settings allow http and https only
        try:
            with _OPENER.open(request, timeout=self.timeout_s):
                return
        except urllib.error.HTTPError as exc:
            with exc:
                if exc.code in _AGAIN or exc.code >= _SERVER:
                    raise PassingError(f"it answered {exc.code}") from None
                raise DeliveryError(f"it answered {exc.code}", passing=False) from None
        except (OSError, ValueError) as exc:
            raise PassingError(f"no answer ({type(exc).__name__})") from None


@dataclass(frozen=True)
class Hook:
    """A command that takes JSON on its standard input."""

    command: str
    timeout_s: float = 30.0

    @property
    def id(self) -> str:
        """Of the command."""
        return "command-" + hashlib.sha256(self.command.encode()).hexdigest()[:16]

    def send(self, notice: Notice) -> None:
        """Run it. Our own settings, secrets among them, are not its affair."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHANGEOVER_")}
        body = json.dumps({**notice.as_json(), "text": notice.text}, ensure_ascii=True, default=str)
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
                shlex.split(self.command),
                input=body,
                text=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=self.timeout_s,
                check=False,
                env={**environment, "CHANGEOVER_NOTICE": notice.kind},
            )
        except subprocess.TimeoutExpired:
            raise DeliveryError(f"it took longer than {self.timeout_s:g} s", passing=False) from None
        except (OSError, ValueError) as exc:
            raise DeliveryError(f"it cannot be run ({type(exc).__name__})", passing=False) from None
        if done.returncode:
            raise PassingError(f"it ended with {done.returncode}")


def deliver(sink: Sink, notice: Notice, *, attempts: int, sleep: Callable[[float], Any] = time.sleep) -> None:
    """Send it, several times if need be; raises the last DeliveryError."""
    retrying = Retrying(
        stop=stop_after_attempt(attempts) | stop_after_delay(_LONGEST_S),
        wait=wait_random_exponential(multiplier=1, max=LONGEST_PAUSE_S),
        retry=retry_if_exception_type(PassingError),
        sleep=sleep,
        reraise=True,
    )
    retrying(sink.send, notice)


def signed(secret: str, body: bytes, at: int) -> dict[str, str]:
    """The headers that say who sent a body, and when."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Changeover-Timestamp": str(at), "X-Changeover-Signature": f"sha256={mac}"}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other that is not 2xx."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """None: do not follow."""


_OPENER: Final = urllib.request.build_opener(_NoRedirect)
