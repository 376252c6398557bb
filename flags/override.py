"""The environment's word against the flags': `USE_UNIFIED_AUDITS=true`, as the document has it.

A variable with the flag's name, or its name without `_TABLE`, decides for this process alone what is read, whatever
the database says. `true` and `false` are the new and the old tables, a stage's name is that stage. It is no way round
the gates for others, and it is shown as what it is: an answer says that the environment gave it, `flag list` has a
column for it. A value that means nothing is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .stages import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUFFIX: Final = "_TABLE"
_WORDS: Final = {
    **dict.fromkeys(("true", "1", "on", "yes"), Stage.LIVE),
    **dict.fromkeys(("false", "0", "no"), Stage.DUALWRITE),
    **{stage.value: stage for stage in Stage},
}


def override(flag: str, environment: Mapping[str, str]) -> Stage | None:
    """The stage that the environment sets for a flag; None if it says nothing."""
    said = environment.get(flag) or environment.get(flag.removesuffix(_SUFFIX)) or ""
    return _WORDS.get(said.strip().lower())
