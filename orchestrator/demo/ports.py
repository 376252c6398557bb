"""A port for a server of our own.

Between looking and listening another process may take a port. What is not ours seldom does; our own processes look in
the same range at the same time. So who is given a port keeps it among them: it binds an abstract socket that has the
number for a name, which one process can have and which goes with it. Only Linux has these; elsewhere chance must do.
"""

from __future__ import annotations

import random
import socket
import sys
from typing import Final

# Below the range from which Linux (32768) and others (49152) take the near ends of connections. One of those can be
# taken between looking and listening by any connection, even by that of whoever looks for the server before it stands.
_RANGE: Final = range(20_000, 32_768)
_ATTEMPTS: Final = 1000


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment, and that no other process of ours is given.

    Raises:
        OSError: none was found.
    """
    for port in random.sample(_RANGE, _ATTEMPTS):
        if _is_free(port) and _is_ours(port):
            return port
    raise OSError(f"Of {_ATTEMPTS} ports of 127.0.0.1 none is free.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _is_ours(port: int) -> bool:
    if sys.platform != "linux":
        return True
    with socket.socket(socket.AF_UNIX) as name:
        try:
            name.bind(f"\0changeover/port/{port}")
        except OSError:
            return False
        name.detach()  # open until this process ends
    return True
