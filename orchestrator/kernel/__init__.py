"""The ground floor: what every other package may use, and what itself uses none of them.

Nothing here knows what a plan, a phase or a mapping is. A module of this package may import the
standard library, the drivers and its neighbours in this folder, and import-linter keeps it so.
"""
