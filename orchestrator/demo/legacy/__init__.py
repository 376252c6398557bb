"""The legacy CQMS: tables as the document lists them, rows with the dirt of years, everything counted."""

from orchestrator.demo.legacy.changes import add_column, add_scorecard
from orchestrator.demo.legacy.expectations import expect
from orchestrator.demo.legacy.found import Found, find
from orchestrator.demo.legacy.generator import generate
from orchestrator.demo.legacy.planted import Planted
from orchestrator.demo.legacy.rights import grant_application

__all__ = ["Found", "Planted", "add_column", "add_scorecard", "expect", "find", "generate", "grant_application"]
