"""The ledger: what is going on, kept in schema `changeover` of the database that is being migrated.

Every change of state is a compare-and-set that appends its event in the same transaction, and every
function here joins the transaction of its caller if there is one: progress commits with the work.

`store.Ledger` carries the connection and the acting person; one module per noun does the rest.
"""
