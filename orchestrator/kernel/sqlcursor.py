"""Reading the head of a statement word by word, as its grammar goes on.

`takes` steps over words that must come, `skips` over those that may. A name is read with all its parts, folded as the
server folds it, so that what is looked for in the catalog is what the statement makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kernel.identifiers import quote
from orchestrator.kernel.sqltokens import at, closing, dotted, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.kernel.sqltokens import Token

Name = tuple[str, ...]


class Cursor:
    """A place in a statement."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found = tokens(text)
        self.place = 0

    @property
    def here(self) -> Token:
        """The token that comes next; an empty one at the end."""
        return at(self.found, self.place)

    @property
    def at_end(self) -> bool:
        """Whether nothing comes any more."""
        return self.place >= len(self.found)

    def takes(self, *words: str) -> bool:
        """Step over these words if all of them come next."""
        comes = all(at(self.found, self.place + n).says(word) for n, word in enumerate(words))
        self.place += len(words) if comes else 0
        return comes

    def skips(self, *words: str) -> bool:
        """Step over these words if they come next; true in any case."""
        self.takes(*words)
        return True

    def takes_one_of(self, *words: str) -> str:
        """Step over one of these words; '' if none of them comes next."""
        return next((word for word in words if self.takes(word)), "")

    def name(self) -> Name:
        """The name that comes next; () if none does."""
        parts, self.place = dotted(self.found, self.place)
        return parts

    def rest(self) -> str:
        """The text from here on."""
        return "" if self.at_end else self.text[self.here.start :]

    def arguments(self) -> str | None:
        """What the parentheses hold that open here, as it is written; None if none do."""
        if not self.here.says("("):
            return None
        end = closing(self.found, self.place)
        begins, self.place = self.here.end, end + 1
        return self.text[begins : at(self.found, end).start] if end < len(self.found) else None

    def seek(self, *words: str) -> bool:
        """Go to the next place outside of parentheses where these words stand, and behind them."""
        for place in range(self.place, len(self.found)):
            if at(self.found, place).depth == 0:
                self.place, before = place, self.place
                if self.takes(*words):
                    return True
                self.place = before
        return False


def sql_name(parts: Sequence[str]) -> str:
    """A name in SQL, each part in quotes."""
    return ".".join(quote(part) for part in parts)
