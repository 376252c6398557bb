-- Sources that were registered and have no mirror: a runner was killed between the two.
SELECT EXISTS (
    SELECT FROM changeover.source s
    JOIN changeover.mapping m ON m.id = s.mapping_id
    JOIN pg_catalog.pg_class c ON c.oid = s.oid
    WHERE m.plan = %(plan)s AND m.stage = %(stage)s AND m.name = %(mapping)s AND s.state = 'found')
