"""Carrying out a phase: its actions, its seeds, its views that are computed again."""
