-- Which row the view showed as OLD, where several can have one key: one that is alike in every column, or none. The
-- columns of which a write of the new side waits are compared with what the row says until then. Whoever is at the row
-- right now is waited for, as at any table: the row that he makes of it stands where none of the key's rows stood when
-- this statement began, and is written if it has the key still.
    SELECT jsonb_object_agg(e.key, e.value ->> 0 ORDER BY c.id DESC) INTO v_waits
    FROM changeover.recheck c, jsonb_each(c.patch -> 'set') e
    WHERE c.source_id = :id: AND c.direction = 'reverse' AND c.key = :key_of_old:;
    SELECT x.ctid INTO v_row
    FROM :source: x
    WHERE :same_key:
      AND ((:alike:) OR x.ctid <> ALL (ARRAY(SELECT y.ctid FROM :source: y WHERE :same_key_as:)))
    ORDER BY x.ctid LIMIT 1 FOR UPDATE OF x;
