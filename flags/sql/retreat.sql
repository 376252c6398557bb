-- The guard takes the flag back, unless somebody has moved it meanwhile.
SELECT changeover.flag_retreat(%(flag)s, %(version)s, %(why)s)
