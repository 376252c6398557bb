SET search_path = app_v2, public;
INSERT INTO events (kind, at) VALUES ('new', '2024-05-01 10:00+00');
UPDATE events SET at = at + interval '1 day' WHERE id = 6;
SELECT kind, extract(hour FROM at) FROM events WHERE id < 9 FOR UPDATE;
