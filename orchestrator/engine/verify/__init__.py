"""The compare step, and what a stage promises of the catalog."""
