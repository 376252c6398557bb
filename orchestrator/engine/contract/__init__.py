"""The old tables go to the archive, their names to views; at last they are dropped."""
