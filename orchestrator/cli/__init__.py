"""The command line: parse, call, render. What a command does stands in `orchestrator.engine.commands`."""
