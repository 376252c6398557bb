"""What a server refuses before it starts."""

from __future__ import annotations

from orchestrator.kernel.errors import UsageError


class ServeError(UsageError):
    """The address cannot be listened on."""

    def __init__(self, host: str, port: int, why: str) -> None:
        """Name the address."""
        super().__init__(
            f"Nothing can listen on {host}:{port}: {why}.",
            kept="Nothing was started.",
            todo="Choose another --port; 0 takes a free one.",
        )
