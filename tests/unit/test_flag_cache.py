from __future__ import annotations

import json
from typing import Any

import pytest

from flags.cache import FlagCache
from flags.stages import Stage


def _said(version: int, stage: str = "live", rollout: int = 100, *, deleted: bool = False, flag: str = "F") -> str:
    return json.dumps({"flag": flag, "version": version, "stage": stage, "rollout": rollout, "deleted": deleted})


def test_nothing_known_is_the_default() -> None:
    cache = FlagCache()
    assert not cache.reads_new("F", "key")
    assert cache.reads_new("F", "key", default=True)
    assert (cache.stage("F"), cache.version("F")) == (None, 0)


def test_an_older_announcement_is_ignored() -> None:
    cache = FlagCache()
    cache.announce(_said(5, "live"))
    cache.announce(_said(4, "off"))
    assert cache.reads_new("F")


def test_what_was_heard_while_a_snapshot_was_read_is_kept() -> None:
    cache = FlagCache()
    begun = cache.begin()
    cache.announce(_said(2, "live"))
    cache.announce(_said(1, "live", flag="JUST_MADE"))
    cache.replace([("F", 1, "off", 100)], begun)
    assert cache.reads_new("F")
    assert cache.reads_new("JUST_MADE")
    cache.replace([("F", 2, "live", 100)], cache.begin())
    assert cache.stage("JUST_MADE") is None


def test_a_snapshot_of_a_database_that_lost_something_is_believed() -> None:
    cache = FlagCache()
    cache.announce(_said(6, "live"))
    cache.replace([("F", 5, "shadow", 100)], cache.begin())
    assert cache.stage("F") is Stage.SHADOW


def test_a_deleted_flag_is_the_default_and_stays_deleted() -> None:
    cache = FlagCache()
    begun = cache.begin()
    cache.announce(_said(2, deleted=True))
    cache.replace([("F", 1, "live", 100)], begun)
    assert not cache.reads_new("F")
    cache.announce(_said(3))
    assert cache.reads_new("F")


@pytest.mark.parametrize("payload", ["", "{", "[]", "null", '{"flag": "F"}', _said(9).replace("live", "launched")])
def test_gibberish_is_counted_and_changes_nothing(payload: str) -> None:
    cache = FlagCache()
    cache.announce(_said(1))
    cache.announce(payload)
    assert cache.failures == 1
    assert cache.reads_new("F")


def test_listeners_hear_of_changes_only_and_may_fail() -> None:
    cache, heard = FlagCache(), list[str]()

    def failing(_flag: str) -> None:
        raise RuntimeError

    cache.subscribe(failing)
    cache.subscribe(heard.append)
    cache.announce(_said(1))
    cache.replace([("F", 1, "live", 100)], cache.begin())
    cache.replace([("F", 2, "live", 100), ("G", 1, "off", 100)], cache.begin())
    assert heard == ["F", "F", "G"] or sorted(heard) == ["F", "F", "G"]
    assert cache.failures == 3


def test_rollout_is_one_stage_behind_outside() -> None:
    cache = FlagCache()
    cache.announce(_said(1, "live", rollout=30))
    stages = {cache.stage("F", str(number)) for number in range(200)}
    assert stages == {Stage.LIVE, Stage.SHADOW}
    assert cache.stage("F") is Stage.SHADOW  # without a key
    cache.announce(_said(2, "rampdown", rollout=0))
    assert all(cache.reads_new("F", str(number)) for number in range(50))


def test_the_environment_decides_and_says_so() -> None:
    cache = FlagCache({"USE_UNIFIED_AUDITS": "true", "OTHER": "shadow", "ODD": "perhaps"})
    answer = cache.answer("USE_UNIFIED_AUDITS_TABLE", "key")
    assert (answer.new, answer.variant, answer.metadata()["override"]) == (True, "live", "environment")
    cache.announce(_said(1, flag="OTHER"))
    assert (cache.reads_new("OTHER"), cache.stage("OTHER")) == (False, Stage.SHADOW)
    assert not cache.answer("ODD").overridden


def test_the_fail_safe_value_follows_the_stage() -> None:
    cache = FlagCache({})
    for version, stage in enumerate(Stage, start=1):
        cache.announce(_said(2 * version, stage))
        cache.announce(_said(2 * version + 1, stage, deleted=True))
        assert cache.reads_new("F") == (stage in {Stage.RAMPDOWN, Stage.COMPLETE})


def test_reasons() -> None:
    cache = FlagCache({})
    assert cache.answer("F").reason == "DEFAULT"
    cache.announce(_said(1))
    assert cache.answer("F").reason == "STATIC"
    cache.announce(_said(2, rollout=50))
    assert cache.answer("F", "key").reason == "SPLIT"
    rules = [{"name": "pilots", "if": {"tenant": "acme"}}]
    cache.replace([("F", 3, "live", 0, rules)], cache.begin())
    answer = cache.answer("F", "key", {"tenant": "acme"})
    assert (answer.new, answer.reason, answer.rule) == (True, "TARGETING_MATCH", "pilots")
    cache.replace([("F", 4, "live", 100, [{"unless": {}}])], cache.begin())
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
    cache.replace([("F", 2, "live", 50, rules), ("ALL", 2, "live", 100)], cache.begin())
    assert cache.stage("F", key, context) in {Stage.LIVE, Stage.SHADOW}
    assert cache.answer("F", key, context).stage in {Stage.LIVE, Stage.SHADOW}
    assert cache.reads_new("ALL", key, context)


def test_names_that_somebody_invents_are_not_kept_for_ever() -> None:
    cache = FlagCache({"LATE": "true"})
    for number in range(1500):
        assert cache.stage(f"INVENTED_{number}") is None
    assert len(cache._overrides) == 1000
    assert cache.reads_new("LATE")
