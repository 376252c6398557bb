"""Flags: what decides where an application reads, and whether it can trust the answer. README.md has more."""
