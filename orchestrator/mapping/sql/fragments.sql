-- What the fixed functions must know of this source: pieces of SQL over x, the old table, and g, the new one.
CREATE OR REPLACE FUNCTION changeover.:fn:_fragments()
RETURNS jsonb
LANGUAGE sql
STABLE
AS $changeover$
    SELECT jsonb_build_object(
        :fragments:)
$changeover$
