r"""Text of others, made harmless for a terminal.

A reason, a name or a key may hold what a terminal obeys: escape sequences that clear the screen or set its title, a
carriage return that writes over the line, a new line that looks like one of ours, letters that turn the direction of
writing. Such a character is shown as its escape (`\x1b`, `\u202e`) and not sent.
"""

from __future__ import annotations

import re
from typing import Final

# C0 and C1 controls, DEL; the marks that turn the direction of writing; separators of lines; halves of characters.
_OBEYED: Final = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff\\ud800-\\udfff"
)
_IN_LINES: Final = re.compile(f"[{_OBEYED}]")
_IN_A_LINE: Final = re.compile(f"[\\t\\n{_OBEYED}]")
_SHORT: Final = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_BYTE: Final = 0x100


def visible(text: str, *, lines: bool = False) -> str:
    """The text with every control character as its escape; with `lines` new lines and tabs stay."""
    return (_IN_LINES if lines else _IN_A_LINE).sub(_escape, text)


def escaped_json(text: str) -> str:
    """JSON with those characters escaped that JSON leaves as they are: they can only be inside of strings."""
    return _IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < _BYTE else f"\\u{code:04x}")
