"""The way back: readers first, then phases in reverse, mirrors last."""
