"""What a way back that ends early has taken back already: its error says that nothing was changed by one step only."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from orchestrator.kernel.errors import ChangeoverError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.kernel.events import Bus, Event

_WORDS: Final = {
    "flag.lowered": "flag {flag} was lowered from {before} to {stage}",
    "source.restored": "table {source} was taken back out of the archive",
    "phase.rolled_back": "phase {phase} of stage {stage} was taken back",
}


@contextmanager
def told(bus: Bus) -> Iterator[None]:
    """Say in an error what was committed before it."""
    done: list[str] = []

    def note(event: Event) -> None:
        if event.kind in _WORDS:
            fields: dict[str, Any] = event.fields
            done.append(_WORDS[event.kind].format(**fields))

    unsubscribe = bus.subscribe(note)
    try:
        yield
    except ChangeoverError as exc:
        if done:
            first = "; ".join(done)
            rest = exc.kept.replace("Nothing was changed", "Nothing else was changed")
            exc.kept = f"{first[0].upper()}{first[1:]}. {rest}".rstrip()
        raise
    finally:
        unsubscribe()
