"""The simulated application: clients of the old and the new version at work while the database changes."""

from orchestrator.demo.application.check import check_acknowledged
from orchestrator.demo.application.process import Application
from orchestrator.demo.application.record import Counters, Latency, Request, counters_of, relabel

__all__ = ["Application", "Counters", "Latency", "Request", "check_acknowledged", "counters_of", "relabel"]
