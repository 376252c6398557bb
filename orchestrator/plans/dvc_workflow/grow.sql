-- More runs with two tasks each, with the words and the dirt of legacy.sql; one of 200 runs beside an earlier one of its case,
-- one of 500 has no workflow, and one of 1,000 tasks no step.
INSERT INTO old_workflow.instances (definition_id, case_code, title, state, priority, progress, started_at, starter, assignee, engine_id, data)
SELECT CASE WHEN n % 500 = 3 THEN -77 ELSE (ARRAY[1, 2, 3, 4, 6])[1 + n % 5] END,
       'G-' || CASE WHEN n % 200 = 5 THEN n - 1 ELSE n END,
       'Hồ sơ ' || n,
       CASE WHEN n % 200 IN (4, 5) THEN 'running' ELSE
           (ARRAY['running', 'Completed', 'DONE', 'dang_xu_ly', 'hoàn thành', ' Tam_Dung', 'huy', 'odd word', NULL])[1 + n % 9] END,
       (ARRAY['HIGH', '3', 'low', NULL, 'khẩn', '7'])[1 + n % 6],
       (ARRAY['0', '45 %', '100', NULL, '12.5%', '120', 'half'])[1 + n % 7],
       timestamp '2023-01-01' + n % 9000 * interval '1 hour',
       (ARRAY['user1', 'USER2', 'nobody', NULL])[1 + n % 4],
       CASE WHEN n % 3 > 0 THEN 'user' || (1 + n % 20) END,
       CASE WHEN n % 4 > 0 THEN 'elsa-' || n END,
       (ARRAY['{"step": 1}', NULL, '{', '"text"'])[1 + n % 4]
FROM generate_series(1001, 1000 + {rows}) AS n;
INSERT INTO old_workflow.tasks (instance_id, step_id, nth, state, worker, progress, minutes, note)
SELECT i.id, CASE WHEN i.id % 1000 = 9 THEN -99 ELSE 1 + (i.id * 3 + k) % 15 END, k,
       (ARRAY['done', 'waiting', 'running', 'Skipped'])[1 + (i.id + k) % 4],
       (ARRAY['user3', 'User4 ', 'nobody', NULL])[1 + (i.id + k) % 4], (ARRAY['100', '50%', NULL])[1 + k % 3], k * 10, 'Ghi chú ' || i.id
FROM old_workflow.instances i, generate_series(1, 2) AS k
WHERE i.case_code LIKE 'G-%';
