-- Which version and which text stand in the database now.
INSERT INTO changeover.meta (version, checksum) VALUES (%(version)s, %(checksum)s)
ON CONFLICT (only_row) DO UPDATE
   SET version = excluded.version, checksum = excluded.checksum,
       installed_by = excluded.installed_by, installed_at = excluded.installed_at
