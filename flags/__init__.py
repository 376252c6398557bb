"""Flags: what decides where an application reads, and whether it can trust the answer.

`stages` are the rules (pure), `store` changes a flag and says who and why, `cache` and the clients answer an
application without asking the database each time. The rules that must hold whoever writes stand in `sql/`.
"""
