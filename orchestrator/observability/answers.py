"""How often which flag was answered how, over HTTP.

The names are those of flags that exist: an unknown name is counted as a refusal, by its code, and makes no series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class FlagAnswers:
    """Counts answers and refusals in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Nothing was asked yet."""
        labels = ("flag", "variant", "reason")
        self._answers = Counter("changeover_flag_answers", "Flags evaluated over HTTP", labels, registry=registry)
        self._refusals = Counter(
            "changeover_flag_refusals", "Evaluations that were refused", ("code",), registry=registry
        )
        self._known: dict[tuple[str, str, str], Counter] = {}

    def __call__(self, flag: str, variant: str, reason: str) -> None:
        """Count one answer; without a flag it is a refusal, and `reason` is its code."""
        key = (flag, variant, reason)
        counter = self._known.get(key)
        if counter is None:
            counter = self._answers.labels(*key) if flag else self._refusals.labels(reason)
            self._known[key] = counter
        counter.inc()
