"""What a server of our own keeps of a password, made here so that it costs next to nothing to prove one knows it.

A server hashes a password 4,096 times, so that whoever steals what is kept cannot guess the password. A role of ours
has one of 128 random bits, which nobody guesses however cheap a guess is; and both ends of each of some ten thousand
connections would pay for it. So it is hashed once (RFC 5802 leaves the number to who makes it).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

_ROUNDS: Final = 1


def random_password() -> str:
    """One that nobody guesses."""
    return secrets.token_urlsafe(16)


def kept_of(password: str) -> str:
    """What PostgreSQL takes in the place of a password, and stores as it is: its SCRAM-SHA-256 verifier."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${_ROUNDS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
