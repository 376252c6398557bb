SET search_path = app_v1, public;
INSERT INTO tickets (title, status) VALUES ('old', 'Waiting');
INSERT INTO tickets (title) VALUES ('old');
UPDATE tickets SET status = 'closed' WHERE id = 3;
SELECT id, status FROM tickets WHERE status = 'open';
