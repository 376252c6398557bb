"""The Grafana dashboard, made by code: rows of panels, each a title and a query.

`python -m orchestrator.observability.dashboard > deploy/grafana/changeover.json` writes it; a test compares the file
with what the code makes, and each metric in it with those that exist.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

_WIDTH: Final = 8
_HEIGHT: Final = 8
_PER_ROW: Final = 3

PANELS: Final = (
    (
        "Phases running or failed",
        'changeover_phase_state{state=~"running|failed"} == 1',
        "{{stage}} {{phase}} {{state}}",
    ),
    ("Rows left", "sum by (plan, stage) (changeover_rows_remaining)", "{{stage}}"),
    ("Time left", "changeover_eta_seconds", "seconds"),
    ("Rows per second", "sum by (source) (rate(changeover_rows_seen_total[1m]))", "{{source}}"),
    (
        "Batch, 95 %",
        "histogram_quantile(0.95, sum by (le) (rate(changeover_batch_seconds_bucket[5m])))",
        "seconds",
    ),
    ("Retries", "sum by (sqlstate_class) (rate(changeover_batch_retries_total[5m]))", "{{sqlstate_class}}"),
    ("Standing still", "sum by (reason) (rate(changeover_throttle_seconds_total[5m]))", "{{reason}}"),
    ("Probes, part of the limit", "changeover_probe_value / changeover_probe_limit", "{{probe}}"),
    ("Waiting for locks", "changeover_lock_waits", "{{whose}}"),
    ("Replication lag", "changeover_replication_lag_seconds", "seconds"),
    ("Queue waiting", "sum by (stage) (changeover_queue_waiting)", "{{stage}}"),
    ("Open rejects", 'sum by (stage, reason) (changeover_rejects{state="open"})', "{{stage}} {{reason}}"),
    ("Mismatches", "sum by (stage, kind) (changeover_verify_mismatches)", "{{stage}} {{kind}}"),
    ("Flags", "changeover_flag_stage == 1", "{{flag}} {{stage}}"),
    (
        "Shadow reads that differ or fail",
        'sum by (flag, read) (changeover_flag_shadow_reads{result!="compared"})',
        "{{flag}} {{read}}",
    ),
    ("Gates", "changeover_gate_met", "{{stage}} {{gate}}"),
    ("Since the last progress", "time() - changeover_last_progress_timestamp_seconds", "{{plan}}"),
)


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    return {
        "uid": "changeover",
        "title": "Changeover",
        "schemaVersion": 39,
        "refresh": "15s",
        "time": {"from": "now-3h", "to": "now"},
        "panels": [_panel(number, *panel) for number, panel in enumerate(PANELS)],
    }


def _panel(number: int, title: str, query: str, legend: str) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "prometheus"}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": source,
        "gridPos": {
            "x": number % _PER_ROW * _WIDTH,
            "y": number // _PER_ROW * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "targets": [{"refId": "A", "datasource": source, "expr": query, "legendFormat": legend}],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(dashboard(), indent=2) + "\n")
