UPDATE changeover.source SET relfilenode = $2, state = 'copying' WHERE id = $1
