-- Before every write of the new side; what hinders it is left to the comparison, the write goes on.
CREATE OR REPLACE FUNCTION changeover.:fn:_before()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
:pins:
AS $changeover$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW := changeover.:fn:_carry(NULL, NEW, true);
    ELSE
        NEW := changeover.:fn:_carry(OLD, NEW, false);
    END IF;
    RETURN NEW;
EXCEPTION WHEN OTHERS THEN
    RAISE DEBUG 'changeover: % %', SQLSTATE, SQLERRM;
    RETURN NEW;
END
$changeover$
