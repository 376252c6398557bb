"""A plan's YAML as a tree and as data.

libyaml reads ten times as fast as the reader that is written in Python, and a command reads its plan several times.
What is wrong with a text the slow one says in better words, so it reads what the fast one refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def composed(text: str) -> yaml.Node | None:
    """The tree, which knows its lines."""
    return _read(text, yaml.compose)


def loaded(text: str) -> Any:
    """The data."""
    return _read(text, yaml.load)


def _read(text: str, how: Callable[[str, Any], T]) -> T:
    try:
        return how(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return how(text, yaml.SafeLoader)
