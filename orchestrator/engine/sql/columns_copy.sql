-- The columns with the key of each row, where a row says something in one of them.
INSERT INTO :copy: SELECT :columns: FROM :table: WHERE :used:
