"""Where everything stands, what it brought, and what it may take."""
