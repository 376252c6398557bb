-- Sums and samples of shadow reads.
SELECT changeover.flag_report(%(sums)s, %(samples)s)
