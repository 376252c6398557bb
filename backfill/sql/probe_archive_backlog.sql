-- Segments written but not yet archived, from the file names (timeline, log, segment; 8 hex digits each): the directory that says it exactly
-- is only for pg_monitor. Without archiving it is 0; before the first file was ever archived, everything waits.
WITH wal AS (
    SELECT pg_catalog.current_setting('archive_mode') AS archive_mode,
           pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) AS current_file,
           a.last_archived_wal IS NULL AS nothing_archived,
           substring(a.last_archived_wal FROM '^[0-9A-F]{24}') AS archived_file,
           (4294967296 / (SELECT s.setting::bigint FROM pg_catalog.pg_settings AS s WHERE s.name = 'wal_segment_size')) AS per_log
      FROM pg_catalog.pg_stat_archiver AS a
), numbered AS (
    SELECT wal.archive_mode, nothing_archived,
           ('x' || substr(current_file, 9, 8))::bit(32)::bigint * per_log + ('x' || substr(current_file, 17, 8))::bit(32)::bigint AS current_number,
           ('x' || substr(archived_file, 9, 8))::bit(32)::bigint * per_log + ('x' || substr(archived_file, 17, 8))::bit(32)::bigint AS archived_number
      FROM wal
)
SELECT CASE WHEN archive_mode = 'off' THEN 0
            WHEN nothing_archived THEN current_number - 1 -- the first has the number 1, the current one is still being written
            WHEN archived_number IS NULL THEN NULL -- the last file archived was no segment: unreadable, and greatest() would say 0
            ELSE greatest(0, current_number - 1 - archived_number)
       END::float8
  FROM numbered
