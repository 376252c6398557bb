-- One employee's audits in one table, as the document's §1.2 asks for them.
SELECT * FROM {table} WHERE employee_email = $1
