-- Repair of one key whose row refers to one that is missing: its rows become rejects, as the drain makes them.
SELECT changeover.one({source}, k.key) FROM unnest($1::text[]) AS k (key)
