"""A phase as a process: watched, steered, stopped and restarted from outside, by people and by schedulers."""
