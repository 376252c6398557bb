"""Moving rows: the backfill engine and the online comparison.

Both walk tables by ranges of heap pages, with several workers, each range in one short transaction that also
writes down how far it came. What is done with the rows of a range is not known here: that is compiled, per
source table, into functions of the schema `changeover` (`mN_batch`, `mN_compare`, ...). This package decides
how large a range is, when to wait, what to try again, and what an error means.

The entrances are `backfill.engine.backfill`, `backfill.drain.drain_until_empty` and `backfill.compare.compare`.
"""
