-- Which backend answers, and from which port it believes to be called: a pooler in between is another process.
SELECT pg_backend_pid() AS pid, inet_client_port() AS client_port
