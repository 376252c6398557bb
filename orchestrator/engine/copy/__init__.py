"""The copy step: a mapping's sources, handed to the backfill."""
