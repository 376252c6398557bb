"""The bus: everybody hears everything, and nobody can break it."""

from __future__ import annotations

from orchestrator.kernel.events import Bus, Event


def test_every_listener_is_told_until_it_leaves() -> None:
    bus, first, second = Bus(), list[Event](), list[Event]()
    leave = bus.subscribe(first.append)
    bus.subscribe(second.append)
    bus.emit("a.b", kind="a field may be called kind", n=1)
    leave()
    bus.emit("c")
    assert first == [Event("a.b", {"kind": "a field may be called kind", "n": 1})]
    assert [event.kind for event in second] == ["a.b", "c"]


def test_a_broken_listener_harms_nobody_and_is_counted() -> None:
    def broken(_event: Event) -> None:
        raise RuntimeError

    bus, heard = Bus(), list[Event]()
    bus.subscribe(broken)
    bus.subscribe(heard.append)
    bus.emit("x")
    assert len(heard) == 1
    assert bus.failures == 1
