"""The simulated application: clients of the old and the new version at work while the database changes."""

from orchestrator.demo.application.check import check_acknowledged
from orchestrator.demo.application.process import Application
from orchestrator.demo.application.record import Latency, Request, Tally, relabel, tally

__all__ = ["Application", "Latency", "Request", "Tally", "check_acknowledged", "relabel", "tally"]
