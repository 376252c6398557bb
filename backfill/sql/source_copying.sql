-- The file that the chunks were cut from: another one later means that the heap was rewritten.
UPDATE changeover.source SET relfilenode = $2, state = 'copying' WHERE id = $1
