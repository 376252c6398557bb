SELECT f.settled, f.remaining FROM {function}($1::int) AS f
