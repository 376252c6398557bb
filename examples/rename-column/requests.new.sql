SET search_path = app_v2, public;
INSERT INTO users (full_name) VALUES ('new');
UPDATE users SET full_name = full_name || '.' WHERE id = 4;
