"""A port for a server of our own."""

from __future__ import annotations

import random
import socket
from typing import Final

# Below the range from which Linux (32768) and others (49152) take the near ends of connections. One of those can be
# taken between looking and listening by any connection, even by that of whoever looks for the server before it stands.
_RANGE: Final = range(20_000, 32_768)
_ATTEMPTS: Final = 1000


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment.

    Raises:
        OSError: none was found.
    """
    for port in random.sample(_RANGE, _ATTEMPTS):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"Of {_ATTEMPTS} ports of 127.0.0.1 none is free.")
