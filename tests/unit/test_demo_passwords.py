"""What a server of our own keeps of a password: the verifier of RFC 5802, as libpq would compute it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from orchestrator.demo.passwords import kept_of, random_password

KEPT = re.compile(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)")


def test_it_is_the_verifier_of_the_password_and_of_no_other() -> None:
    found = KEPT.fullmatch(kept_of("pencil"))
    assert found
    rounds, (salt, stored, server) = int(found[1]), (base64.b64decode(found[number]) for number in (2, 3, 4))
    for password, same in (("pencil", True), ("pencils", False)):
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
        key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        assert (stored == key) is same
        assert (server == hmac.digest(salted, b"Server Key", "sha256")) is same


def test_no_two_are_alike() -> None:
    assert kept_of("pencil") != kept_of("pencil")
    assert len({random_password() for _ in range(50)}) == 50
