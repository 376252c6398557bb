-- Who is behind an address: two questions, put together by the application.
SELECT p.name, p.role, p.department, p.is_active FROM public.people AS p WHERE p.email = $1
