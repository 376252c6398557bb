"""The Grafana dashboard, made by code: a row of numbers, then graphs, each with a title, queries and a unit.

`python -m orchestrator.observability.dashboard > deploy/grafana/changeover.json` writes it; a test compares the file
with what the code makes, and each metric in it with those that exist. What several processes export alike (the ledger)
is taken once: `max by` over them.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final, NamedTuple

_COLUMNS: Final = 24
_STAGE: Final = '{plan=~"$plan",stage=~"$stage"}'
_OPEN: Final = ',state="open"'
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


class Panel(NamedTuple):
    """One panel. `unit` is Grafana's name of a unit."""

    title: str
    query: str
    legend: str
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8


def _ledger(name: str, by: str, more: str = "") -> str:
    """A metric of the ledger, once, however many processes export it."""
    where = _STAGE if "stage" in by.split(", ") else '{plan=~"$plan"}'
    return f"max by ({by}) (changeover_{name}{where[:-1]}{more}}})"


PANELS: Final = (
    Panel("Rows left", f"sum({_ledger('rows_remaining', 'plan, stage, source')})", "rows", kind="stat", width=4),
    Panel("Time left", f"max(changeover_eta_seconds{_STAGE})", "left", "s", "stat", 4),
    Panel(
        "Open rejects",
        f"sum({_ledger('rejects', 'plan, stage, reason', _OPEN)})",
        "rows",
        kind="stat",
        width=4,
    ),
    Panel(
        "Rows that differ", f"sum({_ledger('verify_mismatches', 'plan, stage, kind')})", "rows", kind="stat", width=4
    ),
    Panel("Keys in the queue", f"sum({_ledger('queue_waiting', 'plan, stage, source')})", "keys", kind="stat", width=4),
    Panel(
        "Since the last progress",
        f"time() - max({_ledger('last_progress_timestamp_seconds', 'plan')})",
        "{{plan}}",
        "s",
        "stat",
        4,
    ),
    Panel(
        "Phases running or failed",
        _ledger("phase_state", "plan, stage, phase, state", ',state=~"running|stopped|failed"') + " == 1",
        "{{stage}} {{phase}} {{state}}",
    ),
    Panel("Copied", f"changeover_backfill_ratio{_STAGE}", "{{stage}}", "percentunit"),
    Panel("Rows per second", "sum by (source) (rate(changeover_rows_seen_total[1m]))", "{{source}}", "rowsps"),
    Panel(
        "Batch, 95 %", "histogram_quantile(0.95, sum by (le) (rate(changeover_batch_seconds_bucket[5m])))", "batch", "s"
    ),
    Panel("Retries", "sum by (sqlstate_class) (rate(changeover_batch_retries_total[5m]))", "{{sqlstate_class}}", "cps"),
    Panel(
        "Standing still",
        f"sum by (reason) (rate(changeover_throttle_seconds_total{_STAGE}[5m]))",
        "{{reason}}",
        "percentunit",
    ),
    Panel(
        "Probes, part of the limit",
        f"changeover_probe_value{_STAGE} / changeover_probe_limit{_STAGE}",
        "{{probe}}",
        "percentunit",
    ),
    Panel("Waiting for locks", "max by (whose) (changeover_lock_waits)", "{{whose}}", "short"),
    Panel("Replication lag", "max(changeover_replication_lag_seconds)", "replay", "s"),
    Panel("Queue", f"sum by (stage) ({_ledger('queue_waiting', 'plan, stage, source')})", "{{stage}}"),
    Panel("Oldest key in the queue", _ledger("queue_oldest_seconds", "plan, stage"), "{{stage}}", "s"),
    Panel("Open rejects by reason", _ledger("rejects", "plan, stage, reason", _OPEN), "{{stage}} {{reason}}"),
    Panel("Flags", "max by (flag, stage) (changeover_flag_stage) == 1", "{{flag}} {{stage}}"),
    Panel("Readers moved", "max by (flag) (changeover_flag_rollout_percent)", "{{flag}}", "percent"),
    Panel(
        "Shadow reads that differ or fail",
        'max by (flag, read, result) (changeover_flag_shadow_reads{result!="compared"})',
        "{{flag}} {{read}} {{result}}",
    ),
    Panel("Gates", _ledger("gate_met", "plan, stage, gate"), "{{stage}} {{gate}}", "bool_yes_no"),
)


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    return {
        "uid": "changeover",
        "title": "Changeover",
        "schemaVersion": 39,
        "refresh": "15s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_datasource(), _variable("plan", ""), _variable("stage", '{plan=~"$plan"}'), _docs()]},
        "annotations": {"list": [_phases()]},
        "links": [
            {"title": "Runbooks", "type": "link", "url": "${docs}/operations/runbooks/", "targetBlank": True},
            {"title": "What every number means", "type": "link", "url": "${docs}/operations/", "targetBlank": True},
        ],
        "panels": _placed(),
    }


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _docs() -> dict[str, Any]:
    """Where the pages of docs/ are published."""
    return {"name": "docs", "label": "Documentation", "type": "textbox", "query": "http://127.0.0.1:8000"}


def _variable(name: str, where: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values(changeover_phase_state{where}, {name})",
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    }


def _phases() -> dict[str, Any]:
    """A line over the graphs for as long as a phase runs."""
    return {
        "name": "Phases",
        "enable": True,
        "datasource": _SOURCE,
        "expr": _ledger("phase_state", "plan, stage, phase", ',state="running"') + " == 1",
        "titleFormat": "{{stage}} {{phase}}",
        "step": "15s",
        "iconColor": "blue",
    }


def _placed() -> list[dict[str, Any]]:
    """The panels from left to right, a new line where there is no more room."""
    made, x, y, height = [], 0, 0, 0
    for number, panel in enumerate(PANELS, start=1):
        if x + panel.width > _COLUMNS:
            x, y = 0, y + height
        height = 4 if panel.kind == "stat" else 8
        made.append(_panel(number, panel, {"x": x, "y": y, "w": panel.width, "h": height}))
        x += panel.width
    return made


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    target = {"refId": "A", "datasource": _SOURCE, "expr": panel.query, "legendFormat": panel.legend}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "noValue": "unknown"}, "overrides": []},
        "targets": [target],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(dashboard(), indent=2) + "\n")
