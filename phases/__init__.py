"""The phases that each stage goes through: expand, dual-write, backfill, verify, contract.

A phase builds what is to be done and executes nothing: it yields actions (SQL with an id, a probe, a
lock and an inverse) and, where SQL alone will not do, a named step that the engine knows. So dry run,
resume and rollback come from one place.
"""
