"""Whether what was made is still as it was made."""
