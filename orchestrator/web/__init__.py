"""The program over HTTP: the page, the flags by OFREP, metrics and health, as one ASGI application."""
