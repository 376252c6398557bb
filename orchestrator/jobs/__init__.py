"""A phase as a process: watched, asked, stopped and restarted from outside, by people and by schedulers."""
