"""The phases in their order. A new phase is one module and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phases.backfill import Backfill
from phases.contract import Contract
from phases.dual_write import DualWrite
from phases.expand import Expand
from phases.verify import Verify

if TYPE_CHECKING:
    from phases.base import Phase

PHASES: dict[str, Phase] = {p.name: p for p in (Expand(), DualWrite(), Backfill(), Verify(), Contract())}
"""By name, in the order in which a stage goes through them."""
