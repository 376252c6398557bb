"""Changeover: moves a live PostgreSQL database from an old schema to a new one, and back."""

__version__ = "0.1.0"
