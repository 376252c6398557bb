"""The JSON schema of `plan.yaml`, for editors that complete and check while one writes.

It is made from the very models that read a plan, so it cannot say anything else than they do. What the loader allows
besides (keys that begin with `x-`, which only hold YAML anchors) is added here.
"""

from __future__ import annotations

from typing import Any, Final

from orchestrator.plan.model import Plan

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema as a JSON document."""
    made = Plan.model_json_schema(by_alias=True)
    made["patternProperties"] = {"^x-": {"description": "Holds anchors for the rest of the file; not read."}}
    return {
        "$schema": DIALECT,
        "title": "A plan of Changeover (plan.yaml)",
        **{k: v for k, v in made.items() if k != "title"},
    }
