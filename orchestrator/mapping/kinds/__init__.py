"""The kinds of mapping: one line for each.

`README.md` beside this file says how to add one. Everything else asks a mapping itself (`base.Kind`) and never which
kind it is; a test in tests/architecture keeps it so.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Discriminator, Tag

from orchestrator.mapping.kinds.base import Kind
from orchestrator.mapping.kinds.derive import Derive
from orchestrator.mapping.kinds.in_place import InPlace
from orchestrator.mapping.kinds.merge import Merge
from orchestrator.mapping.kinds.split import Split
from orchestrator.mapping.kinds.unify import Unify

KINDS: Final[dict[str, type[Kind]]] = {
    each.kind: each
    for each in (
        Unify,
        Merge,
        Split,
        InPlace,
        Derive,
    )
}


def _tag(value: Any) -> str | None:
    """The kind of a mapping, as read from the plan or made already."""
    if isinstance(value, Kind):
        return value.kind
    return next((kind for kind in KINDS if isinstance(value, dict) and kind in value), None)


def _names() -> str:
    *first, last = KINDS
    return f"{', '.join(first)} or {last}"


if TYPE_CHECKING:
    Mapping = Kind
else:
    Mapping = Annotated[
        reduce(or_, (Annotated[each, Tag(kind)] for kind, each in KINDS.items())),
        Discriminator(
            _tag,
            custom_error_type="mapping_kind",
            custom_error_message=f"a mapping begins with one of the keys {_names()}",
        ),
    ]
"""A mapping in a plan: its first key says which kind it is."""
