"""What mirrors have left behind is derived again; what the ledger may forget is forgotten."""
