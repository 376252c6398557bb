-- What a batch has rejected stands if it is the very version of the row that the batch saw, and nobody is about to change
-- it: whoever changes it from now on sees the reject. No batch is under way.
    DELETE FROM changeover.queue c
    WHERE c.source_id = :id: AND c.id > 0 AND c.direction = 'forward' AND c.patch ? 'place'
      AND EXISTS (SELECT FROM :source: x
                  WHERE x.ctid = (c.patch ->> 'place')::tid AND x.xmin::text = c.patch ->> 'xmin' AND x.xmax = 0 OFFSET 0);
    GET DIAGNOSTICS v_drained = ROW_COUNT;
