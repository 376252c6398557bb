SET search_path = app_v2, public;
INSERT INTO tickets (title, status) VALUES ('new', 2);
UPDATE tickets SET status = 1 WHERE id = 5;
SELECT t.id, s.code FROM tickets t JOIN statuses s ON s.id = t.status;
