"""A stand-in for a Pushgateway that is as strict as the real one.

The labels of the group go over the labels of the metrics, and a push after which two metrics have the same name and
labels is refused with 400, as prometheus-pushgateway 1.5 does.
"""

from __future__ import annotations

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Gateway:
    """Listens on a free port of the loopback interface and keeps the groups."""

    def __init__(self, status: int = 200) -> None:
        self.groups: dict[str, Samples] = {}
        self.refused: list[str] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                answer = gateway.take(self.path, text) if status == 200 else status
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, path: str, text: str) -> int:
        """Replace a group; the status of the answer."""
        words = path.removeprefix("/metrics/").split("/")
        group = {
            name.removesuffix("@base64"): _plain(name, value)
            for name, value in zip(words[::2], words[1::2], strict=True)
        }
        found: Samples = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                which = sample.name, frozenset({**sample.labels, **group}.items())
                if which in found:
                    self.refused.append(sample.name)
                    return 400
                found[which] = sample.value
        self.groups[group.get("instance", "")] = found
        return 200

    def value(self, instance: str, name: str, **labels: str) -> float | None:
        """A sample of a group, by some of its labels."""
        for (found, has), value in self.groups[instance].items():
            if found == name and set(labels.items()) <= has:
                return value
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _plain(name: str, value: str) -> str:
    if not name.endswith("@base64"):
        return value
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
