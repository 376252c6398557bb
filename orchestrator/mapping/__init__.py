"""A mapping says once how rows of a source become rows of a target; this package compiles it.

From one text come the batch, the forward and the reverse mirror, the comparison, the repair, the
compatibility view and the rejects, so that a trigger and a backfill cannot disagree. The compiled
form is a set of functions in schema ``changeover`` of the database being migrated; `compile` lists
them as objects with the SQL that makes and the SQL that removes each.
"""
