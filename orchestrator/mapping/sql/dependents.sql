-- Keys of the rows that hang on changed rows of a lookup: a note names it, tells why they count, and the rows.
CREATE OR REPLACE FUNCTION changeover.:fn:_dependents(p_note jsonb)
RETURNS SETOF text
LANGUAGE plpgsql
STABLE
:pins:
AS $changeover$
#variable_conflict use_column
BEGIN
    :dependents:
END
$changeover$
