"""Settings: from the environment, checked, and silent about secrets."""

from __future__ import annotations

import os
import pwd

import pytest

from orchestrator import settings
from orchestrator.kernel.errors import UsageError

DSN = "postgresql://u:hush@h/d"


def test_defaults_need_no_environment() -> None:
    read = settings.read()
    assert read.batch.target_ms == 200
    assert read.lock.timeout_ms < 1000, "must stay below the server's deadlock_timeout"
    with pytest.raises(UsageError):
        read.require_dsn()


def test_the_environment_is_read_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGEOVER_DSN", "postgresql://u@h/other")
    monkeypatch.setenv("CHANGEOVER_LOCK__TIMEOUT_MS", "50")
    monkeypatch.setenv("CHANGEOVER_WORKERS", "4")
    read = settings.read(DSN)
    assert (read.require_dsn(), read.lock.timeout_ms, read.workers) == (DSN, 50, 4)
    assert settings.read().require_dsn() == "postgresql://u@h/other"


def test_a_wrong_value_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANGEOVER_WORKERS", "secret-nonsense")
    with pytest.raises(UsageError, match="CHANGEOVER_WORKERS") as caught:
        settings.read()
    assert "secret-nonsense" not in str(caught.value)


@pytest.mark.parametrize("name", ["CHANGEOVER_DSN", "CHANGEOVER_ACTOR", "CHANGEOVER_NOTIFY__COMMAND"])
def test_bytes_that_are_no_text_are_named_by_their_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hush\udcff")
    with pytest.raises(UsageError, match=f"{name}.*no text") as caught:
        settings.read()
    assert "hush" not in str(caught.value)


def test_the_password_does_not_show() -> None:
    assert "hush" not in repr(settings.read(DSN))


def test_who_acts_is_the_user_also_where_the_environment_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "CHANGEOVER_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    user, _, host = settings.read().actor.partition("@")
    assert user == pwd.getpwuid(os.getuid()).pw_name
    assert host

    def nobody(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert settings.read().actor.startswith(f"uid-{os.getuid()}@")
