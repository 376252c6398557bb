"""An action of the page, and who carries it out: what `actions` lists and `acting` shows and does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestrator.settings import Settings
    from orchestrator.web.reading import Where

    Form = Mapping[str, str]


@dataclass(frozen=True)
class By:
    """Who acts, and with what."""

    where: Where
    settings: Settings
    name: str
    tell: Callable[[str], None] = lambda _: None
    """Leaves a note for this person."""


@dataclass(frozen=True)
class Action:
    """Something that can be done."""

    title: str
    words: str
    """What it means, for who is about to do it."""
    do: Callable[[By, Form], str]
    """Carries it out; what to tell afterwards."""
    about: tuple[str, ...]
    """The fields that say what it is done to."""
    back: Callable[[Form], str]
    """The page to go to afterwards."""
    asks: tuple[str, ...] = ()
    """Fields to be filled in, beside the reason."""
    reason: bool | None = False
    """Whether there must be a reason; None where none is kept."""
    danger: bool = False
    question: Callable[[By, Form], str | None] = lambda _by, _form: None
    """What must be confirmed first, if anything."""
    asking: str = "This moves readers of a production database:"
    """What is said before the question."""
    begins: bool = False
    """Whether it begins a process of its own."""
