"""What a session costs its server: the CPU time and the private memory of its process, as the kernel counts them.

CPU time does not depend on what else the machine does, so a ratio of two readings is a figure even on a busy one. The
kernel tells it in `/proc/PID/schedstat` (nanoseconds on a CPU) and memory that no other process shares in
`/proc/PID/status` (RssAnon: catalog cache, compiled functions, plans). Both can be read for a server on this machine, by
root or by the user that the server runs as; `Backend.of` says so where they cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg


class UnreadableBackendError(RuntimeError):
    """The server's processes cannot be looked at from here."""


@dataclass(frozen=True)
class Backend:
    """The process that serves one connection."""

    pid: int

    @classmethod
    def of(cls, conn: psycopg.Connection[Any]) -> Backend:
        """The backend of a connection; raises UnreadableBackendError where its figures cannot be read."""
        backend = cls(conn.info.backend_pid)
        try:
            name = Path(f"/proc/{backend.pid}/comm").read_text().strip()
            backend.cpu_us()
        except OSError as exc:
            raise UnreadableBackendError(
                f"Process {backend.pid} of the server cannot be read ({exc.strerror}): the server must run on this "
                "machine, and we as root or as its user."
            ) from exc
        if "postgres" not in name:
            raise UnreadableBackendError(
                f"Process {backend.pid} of this machine is {name!r}: the server runs on another."
            )
        return backend

    def cpu_us(self) -> float:
        """Microseconds that it has been on a CPU since it started."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]) / 1000

    def private_kb(self) -> int:
        """Kilobytes of memory that are its own."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


@dataclass
class Meter:
    """CPU time of statements of one session, summed up over several turns."""

    conn: psycopg.Connection[Any]
    statements: int = 0
    micros: float = 0.0

    def __post_init__(self) -> None:
        self._backend = Backend.of(self.conn)

    def run(self, statements: Iterable[str]) -> None:
        """Execute, and add what it took."""
        texts = [each.encode() for each in statements]
        before = self._backend.cpu_us()
        for text in texts:
            self.conn.execute(text)
        self.micros += self._backend.cpu_us() - before
        self.statements += len(texts)

    @property
    def each(self) -> float:
        """Microseconds per statement."""
        return self.micros / self.statements
