"""The engine: carries plans out, phase by phase, under a lease, and can take them back.

`commands` is the Python interface of the whole program; the command line calls nothing else.
"""
