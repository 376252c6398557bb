"""What was compiled once is compiled anew only where its own input differs."""

from __future__ import annotations

from orchestrator.mapping.memory import Memory


def test_an_equal_input_is_compiled_once() -> None:
    memory, built = Memory(), list[str]()

    def build() -> list[str]:
        built.append("once")
        return built

    first = memory.recall("roads", ("asphalt", 1), build)
    assert memory.recall("roads", ("asphalt", 1), build) is first
    assert built == ["once"]


def test_another_input_and_another_key_are_compiled_anew() -> None:
    memory = Memory()
    assert memory.recall("roads", 1, lambda: "a") == "a"
    assert memory.recall("rivers", 1, lambda: "b") == "b"
    assert memory.recall("roads", 2, lambda: "c") == "c"
    assert memory.recall("roads", 2, lambda: "d") == "c"
