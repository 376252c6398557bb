"""The OpenFeature provider: an application asks its flags in its ecosystem's own way.

    client = FlagClient(lambda: connect(dsn, role="flags"))
    openfeature.api.set_provider(ChangeoverProvider(client))
    openfeature.api.get_client().get_boolean_value("USE_UNIFIED_AUDITS_TABLE", False, EvaluationContext("user-7"))

It answers from the client's memory, so an evaluation costs no input or output. A changed flag is the event
PROVIDER_CONFIGURATION_CHANGED; a database that is away is PROVIDER_STALE (the last known values go on answering) and,
when it is back, PROVIDER_READY.
"""

# ruff: noqa: ARG002, FBT001 - the signatures are the SDK's

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from openfeature.event import ProviderEventDetails
from openfeature.exception import FlagNotFoundError, ProviderNotReadyError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from .values import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openfeature.evaluation_context import EvaluationContext

    from .sync_client import FlagClient

T = TypeVar("T", bool, str, float)


class ChangeoverProvider(AbstractProvider):
    """Answers from a `FlagClient`, which it starts and closes."""

    def __init__(self, client: FlagClient) -> None:
        """`client` need not be started yet."""
        super().__init__()
        self._client = client
        self._stale = False
        client.cache.subscribe(self._changed)
        client.on_contact = self._contact

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Wait for the first snapshot; without one the SDK reports an error, and READY follows with the database."""
        if not self._client.start():
            self._stale = True
            raise ProviderNotReadyError("The database of the flags does not answer.")

    def shutdown(self) -> None:
        """Stop following the flags."""
        self._client.close()

    def get_metadata(self) -> Metadata:
        """The provider's name."""
        return Metadata(name="changeover")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Does this caller read the new tables?"""
        return self._resolve(bool, flag_key, evaluation_context)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """The stage that counts for this caller: ask for `NAME.stage`."""
        return self._resolve(str, flag_key, evaluation_context)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """The percentage: ask for `NAME.rollout`."""
        return self._resolve(float, flag_key, evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """No flag is a whole number."""
        raise TypeMismatchError(f"{flag_key} is no integer")

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """No flag is an object."""
        raise TypeMismatchError(f"{flag_key} is no object")

    def _resolve(self, kind: type[T], name: str, context: EvaluationContext | None) -> FlagResolutionDetails[T]:
        key, attributes = (None, {}) if context is None else (context.targeting_key, context.attributes)
        found = value_of(self._client.cache, name, key or None, attributes)
        if found is None:
            raise FlagNotFoundError(f"There is no flag {name}.")
        if not isinstance(found.value, kind):
            raise TypeMismatchError(f"{name} is a {type(found.value).__name__}")
        reason = Reason.STALE if self._stale else Reason[found.answer.reason.name]
        return FlagResolutionDetails(
            found.value, reason=reason, variant=found.variant, flag_metadata=found.answer.metadata()
        )

    def _changed(self, flag: str) -> None:
        self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=[flag]))

    def _contact(self, there: Any) -> None:
        if there and self._stale:
            self._stale = False
            self.emit_provider_ready(ProviderEventDetails())
        elif not there and not self._stale:
            self._stale = True
            self.emit_provider_stale(ProviderEventDetails(message="the last known values answer"))
