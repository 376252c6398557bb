"""The settings of a process: one tree, read once, at the entry point.

Every value comes from an environment variable with the prefix CHANGEOVER_ (`CHANGEOVER_LOCK__TIMEOUT_MS=500`: two
underscores go one level down) or from an option of the command line, which wins. Only `cli` and `jobs` import this
module; everything below is given plain values, so a test never has to set an environment, and import-linter keeps it
so.

CHANGEOVER_FAILPOINT, CHANGEOVER_PG_BIN and CHANGEOVER_TEST_DSN are for tests and the demo and are read where they
act.
"""

from __future__ import annotations

import getpass
import os
import socket
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestrator.kernel.errors import UsageError


class LockSettings(BaseModel):
    """How long DDL may stand in a lock queue, and how often it comes back."""

    timeout_ms: int = Field(default=300, ge=1, le=10_000)
    attempts: int = Field(default=30, ge=1)
    patient_ms: int = Field(default=600_000, ge=1)
    """For what nobody queues behind: an index that is built concurrently waits for older transactions to end."""


class BatchSettings(BaseModel):
    """How the backfill cuts its work."""

    target_ms: int = Field(default=200, ge=10, le=10_000)
    lock_timeout_ms: int = Field(default=100, ge=1, le=10_000)


class LeaseSettings(BaseModel):
    """How long a runner that stopped answering keeps others out."""

    ttl_s: float = Field(default=30.0, gt=0)
    heartbeat_s: float = Field(default=5.0, gt=0)


class JobSettings(BaseModel):
    """How a phase behaves as a process."""

    grace_s: float = Field(default=25.0, gt=0)
    """After SIGTERM: how long the batch or statement in hand may take before it is cut."""
    reconnect_s: float = Field(default=300.0, ge=0)
    """How long to look for a server that went away, counted from the last progress."""
    wait_s: float = Field(default=0.0, ge=0)
    """How long to wait for a lease that somebody else holds."""


class MetricsSettings(BaseModel):
    """Where metrics go. Without a port nothing listens."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65_535)
    push_url: str | None = None
    """A Pushgateway, for jobs that are over before anybody scrapes them."""


class TracesSettings(BaseModel):
    """OpenTelemetry. The standard OTEL_* variables are read by its SDK; these are for what they have no name for."""

    endpoint: str | None = None
    """The collector's full address for traces over HTTP; OTEL_EXPORTER_OTLP_ENDPOINT serves as well."""
    batches: float = Field(default=0.01, ge=0, le=1)
    """The share of batches that become spans: a copy has millions of them. The phase's span has the totals of all."""


class NotifySettings(BaseModel):
    """Who is told of what, without looking. Without an address and a command nobody is."""

    urls: SecretStr | None = None
    """Addresses of webhooks, with blanks between them."""
    secret: SecretStr | None = None
    """Shared with the receivers, who check signatures with it."""
    command: str | None = None
    """A command that is run with each notice as JSON on its standard input."""
    kinds: str = ""
    """Of these kinds only, with commas between them: gate.waiting, phase.done, phase.failed, and so on."""
    every_s: float = Field(default=5.0, gt=0)
    attempts: int = Field(default=5, ge=1, le=20)
    timeout_s: float = Field(default=5.0, gt=0, le=60)

    @field_validator("urls")
    @classmethod
    def _http(cls, given: SecretStr | None) -> SecretStr | None:
        for url in () if given is None else given.get_secret_value().split():
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                message = "an address of a webhook begins with https:// or http://"
                raise ValueError(message)
        return given

    @property
    def anybody(self) -> bool:
        """Is there a receiver?"""
        return self.urls is not None or self.command is not None

    def addresses(self) -> list[str]:
        """The addresses, one by one."""
        return [] if self.urls is None else self.urls.get_secret_value().split()

    def wanted(self) -> list[str]:
        """The kinds, one by one; none for all."""
        return [kind.strip() for kind in self.kinds.split(",") if kind.strip()]


class LogSettings(BaseModel):
    """How events are written. `auto` is readable on a terminal and JSON elsewhere."""

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


def _user() -> str:
    """The user of this process; a container may run under a number that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


class Settings(BaseSettings):
    """Everything that can be set from outside."""

    model_config = SettingsConfigDict(
        env_prefix="CHANGEOVER_", env_nested_delimiter="__", env_ignore_empty=True, frozen=True
    )

    dsn: SecretStr | None = None
    """Where the database is; a URI or libpq's `key=value` form."""
    actor: str = Field(default_factory=lambda: f"{_user()}@{socket.gethostname()}")
    """Who did it, in the ledger."""
    workers: int = Field(default=2, ge=1, le=64)
    """How many connections copy or compare at the same time."""
    lock: LockSettings = LockSettings()
    flag_poll_s: float = Field(default=5.0, ge=0)
    """The longest `poll` of the applications' flag clients: a rollback waits so long after it has lowered a flag."""
    batch: BatchSettings = BatchSettings()
    lease: LeaseSettings = LeaseSettings()
    log: LogSettings = LogSettings()
    job: JobSettings = JobSettings()
    metrics: MetricsSettings = MetricsSettings()
    notify: NotifySettings = NotifySettings()
    traces: TracesSettings = TracesSettings()

    def require_dsn(self) -> str:
        """The DSN in the clear, or an error that says how to give one."""
        if self.dsn is None:
            raise UsageError(
                "No database was named.",
                kept="Nothing was changed.",
                todo="Set CHANGEOVER_DSN=postgresql://USER@HOST/DATABASE, or give --dsn-file FILE.",
            )
        return self.dsn.get_secret_value()


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def read(dsn: str | None = None) -> Settings:
    """Read the environment; a DSN of the command line wins. A wrong value is the user's error, in words."""
    for name, value in os.environ.items():
        if name.startswith("CHANGEOVER_") and not value.isascii() and not _is_text(value):
            raise UsageError(f"A setting is wrong. {name}: it has bytes that are no text.", kept="Nothing was changed.")
    try:
        return Settings(dsn=SecretStr(dsn)) if dsn else Settings()
    except ValidationError as exc:
        # Names and reasons only: the rejected input could be a DSN.
        wrong = "; ".join(f"CHANGEOVER_{'__'.join(str(p).upper() for p in e['loc'])}: {e['msg']}" for e in exc.errors())
        raise UsageError(f"A setting is wrong. {wrong}", kept="Nothing was changed.") from None
