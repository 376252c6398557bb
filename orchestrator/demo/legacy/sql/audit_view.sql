-- The rows to come, under a name: the statement that cuts them to a table's columns can then consist of
-- identifiers alone, with no parameter beside a column named `100%%`.
CREATE OR REPLACE TEMPORARY VIEW stock AS
