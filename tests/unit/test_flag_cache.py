from __future__ import annotations

from typing import Any

import pytest

from flags.cache import FlagCache
from flags.stages import Stage


def _row(version: int, stage: str = "live", rollout: int = 100, *, deleted: bool = False, flag: str = "F") -> Any:
    return (flag, version, stage, rollout, [], deleted)


def test_nothing_known_is_the_default() -> None:
    cache = FlagCache()
    assert not cache.reads_new("F", "key")
    assert cache.reads_new("F", "key", default=True)
    assert (cache.stage("F"), cache.version("F")) == (None, 0)


def test_a_snapshot_replaces_the_one_before_also_with_a_lower_version() -> None:
    cache = FlagCache()
    assert cache.replace([_row(6, "live"), _row(1, flag="GONE")])
    assert cache.replace([_row(5, "shadow")])
    assert (cache.stage("F"), cache.stage("GONE")) == (Stage.SHADOW, None)
    assert not cache.replace([_row(5, "shadow")])


def test_listeners_hear_of_changes_only_and_may_fail() -> None:
    cache, heard = FlagCache(), list[str]()

    def failing(_flag: str) -> None:
        raise RuntimeError

    cache.subscribe(failing)
    cache.subscribe(heard.append)
    cache.replace([_row(1)])
    cache.replace([("F", 1, "live", 100)])
    cache.replace([("F", 2, "live", 100), ("G", 1, "off", 100)])
    assert heard == ["F", "F", "G"] or sorted(heard) == ["F", "F", "G"]
    assert cache.failures == 3


def test_rollout_is_one_stage_behind_outside() -> None:
    cache = FlagCache()
    cache.replace([_row(1, "live", rollout=30)])
    stages = {cache.stage("F", str(number)) for number in range(200)}
    assert stages == {Stage.LIVE, Stage.SHADOW}
    assert cache.stage("F") is Stage.SHADOW  # without a key
    cache.replace([_row(2, "rampdown", rollout=0)])
    assert all(cache.reads_new("F", str(number)) for number in range(50))


def test_the_environment_decides_and_says_so() -> None:
    cache = FlagCache({"USE_UNIFIED_AUDITS": "true", "OTHER": "shadow", "ODD": "perhaps"})
    answer = cache.answer("USE_UNIFIED_AUDITS_TABLE", "key")
    assert (answer.new, answer.variant, answer.metadata()["override"]) == (True, "live", "environment")
    cache.replace([_row(1, flag="OTHER")])
    assert (cache.reads_new("OTHER"), cache.stage("OTHER")) == (False, Stage.SHADOW)
    assert not cache.answer("ODD").overridden


def test_the_fail_safe_value_follows_the_stage() -> None:
    cache = FlagCache({})
    for version, stage in enumerate(Stage, start=1):
        cache.replace([_row(2 * version, stage)])
        cache.replace([_row(2 * version + 1, stage, deleted=True)])
        assert cache.reads_new("F") == (stage in {Stage.RAMPDOWN, Stage.COMPLETE})


def test_reasons() -> None:
    cache = FlagCache({})
    assert cache.answer("F").reason == "DEFAULT"
    cache.replace([_row(1)])
    assert cache.answer("F").reason == "STATIC"
    cache.replace([_row(2, rollout=50)])
    assert cache.answer("F", "key").reason == "SPLIT"
    rules = [{"name": "pilots", "if": {"tenant": "acme"}}]
    cache.replace([("F", 3, "live", 0, rules)])
    answer = cache.answer("F", "key", {"tenant": "acme"})
    assert (answer.new, answer.reason, answer.rule) == (True, "TARGETING_MATCH", "pilots")
    cache.replace([("F", 4, "live", 100, [{"unless": {}}])])
    assert (cache.reads_new("F"), cache.failures) == (False, 1)


@pytest.mark.parametrize(
    ("key", "context"),
    [
        ("\ud800", {}),
        (object(), {}),
        ("k", None),
        ("k", {"tenant": ["acme"]}),
        ("k", {"tenant": float("nan")}),
        (b"k", 7),
    ],
)
def test_whatever_is_asked_there_is_an_answer(key: Any, context: Any) -> None:
    cache = FlagCache({})
    rules = [{"if": {"tenant": "acme"}}, {"if": {"targetingKey": {"prefix": "k"}, "tenant": {"not": "x"}}}]
    cache.replace([("F", 2, "live", 50, rules), ("ALL", 2, "live", 100)])
    assert cache.stage("F", key, context) in {Stage.LIVE, Stage.SHADOW}
    assert cache.answer("F", key, context).stage in {Stage.LIVE, Stage.SHADOW}
    assert cache.reads_new("ALL", key, context)


def test_names_that_somebody_invents_are_not_kept_for_ever() -> None:
    cache = FlagCache({"LATE": "true"})
    for number in range(1500):
        assert cache.stage(f"INVENTED_{number}") is None
    assert len(cache._overrides) == 1000
    assert cache.reads_new("LATE")
