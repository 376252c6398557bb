"""A plan against the live database before anything is changed: what is there, and a trial that is rolled back."""
