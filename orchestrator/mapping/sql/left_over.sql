-- Keys of what stands in the target and of no row in the source, so far as the target tells them.
CREATE OR REPLACE FUNCTION changeover.:fn:_left_over()
RETURNS SETOF text
LANGUAGE sql
STABLE
:pins:
AS $changeover$
    :left_over:
$changeover$
