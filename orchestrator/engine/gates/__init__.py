"""What must hold, and who must say yes, before contract."""
