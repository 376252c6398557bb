"""Whether Changeover can do its work here: what is measured, and what is judged of it."""
