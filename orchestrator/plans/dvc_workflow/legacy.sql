-- The workflow system before, and the tables of DVC beside it that a run refers to: small, and dirty in each way that a
-- plan must have an answer for. Every row of dirt is named where it is made; the acceptance test counts it beforehand.

CREATE SCHEMA IF NOT EXISTS identity;
CREATE SCHEMA IF NOT EXISTS "case";
CREATE SCHEMA IF NOT EXISTS notification;
CREATE SCHEMA old_workflow;

CREATE TABLE IF NOT EXISTS identity.user_profile (userid bigint PRIMARY KEY, username varchar(100) NOT NULL UNIQUE, fullname varchar(255));
CREATE TABLE IF NOT EXISTS "case".hoso (hosoid bigint PRIMARY KEY, mahoso varchar(50) NOT NULL UNIQUE, status varchar(50));

CREATE TABLE old_workflow.definitions (
    id bigserial PRIMARY KEY,
    code text,
    name text,
    kind text,
    hours numeric,
    complexity text,
    bpmn text,
    graph text,
    live text,
    made_by text,
    made_at timestamp
);
CREATE TABLE old_workflow.steps (
    id bigserial PRIMARY KEY,
    definition_id bigint,
    code text,
    name text,
    kind text,
    position integer,
    minutes integer,
    rules text
);
CREATE TABLE old_workflow.instances (
    id bigserial PRIMARY KEY,
    definition_id bigint,
    case_code text,
    title text,
    state text,
    priority text,
    progress text,
    started_at timestamp DEFAULT LOCALTIMESTAMP,
    finished_at timestamp,
    due timestamp,
    starter text,
    assignee text,
    engine_id text,
    data text
);
CREATE INDEX instances_case ON old_workflow.instances (case_code);
CREATE TABLE old_workflow.tasks (
    id bigserial PRIMARY KEY,
    instance_id bigint,
    step_id bigint,
    nth integer,
    state text,
    worker text,
    progress text,
    started_at timestamp,
    finished_at timestamp,
    minutes integer,
    result text,
    note text
);
CREATE INDEX tasks_instance ON old_workflow.tasks (instance_id);

INSERT INTO identity.user_profile (userid, username, fullname)
SELECT n, 'user' || n, 'User ' || n FROM generate_series(1, 20) AS n;

INSERT INTO "case".hoso (hosoid, mahoso, status)
SELECT n, 'HS-' || lpad(n::text, 5, '0'), 'MOI' FROM generate_series(1, 60) AS n;

INSERT INTO old_workflow.definitions (code, name, kind, hours, complexity, bpmn, graph, live, made_by, made_at)
VALUES ('CAP-PHEP', 'Cấp phép xây dựng', 'TTHC', 72, '3', '<definitions><process id="p1"/></definitions>', '{"nodes": [1, 2]}', 'Y', 'user1', '2021-01-04 08:00'),
       ('KHAI-SINH', 'Đăng ký khai sinh', 'TTHC', 8, 'simple', NULL, NULL, '1', ' USER2 ', '2021-02-01 09:30'),
       (' HO-KHAU ', '', NULL, 24.0, 'Complex', '<not closed', '{broken', 'y', 'nobody', NULL),  -- BPMN that does not end, broken JSON, a maker who is no user
       ('TAM-TRU', 'Tạm trú', 'Review', 0, '9', NULL, '[]', 'N', NULL, '2022-10-30 02:30'),  -- no duration, a complexity beyond the rule
       ('  ', 'No code', 'TTHC', 5, '2', NULL, NULL, 'N', 'user3', '2022-01-01'),  -- no code: a reject
       ('KHIEU-NAI', 'Khiếu nại', 'Emergency', 12.00, NULL, '<a/>', 'null', 'true', 'user4', '2023-03-26 02:30');

INSERT INTO old_workflow.steps (definition_id, code, name, kind, position, minutes, rules)
SELECT d, 'S' || n, 'Bước ' || n, (ARRAY['Task', 'Gateway', 'Event'])[n], n, 30 * n, CASE n WHEN 1 THEN '{"role": "clerk"}' END
FROM (VALUES (1), (2), (3), (4), (6)) AS definitions (d), generate_series(1, 3) AS n;
INSERT INTO old_workflow.steps (definition_id, code, name, kind, position, minutes, rules)
VALUES (1, NULL, NULL, '', NULL, NULL, 'no json'),  -- nothing said
       (2, 'S9', 'Negative', 'Task', 9, -5, NULL),  -- a duration beyond the rule
       (5, 'S1', 'Of a workflow without a code', 'Task', 1, 10, NULL),  -- its workflow is a reject: so is it
       (-99, 'S1', 'Of no workflow', 'Task', 1, 10, NULL);  -- a reject

INSERT INTO old_workflow.instances (definition_id, case_code, title, state, priority, progress, started_at, finished_at, due, starter, assignee, engine_id, data)
SELECT (ARRAY[1, 2, 3, 4, 6])[1 + n % 5],
       'HS-' || lpad(n::text, 5, '0'),
       'Hồ sơ ' || n,
       (ARRAY['running', 'Completed', 'DONE', 'dang_xu_ly', 'hoàn thành', ' Tam_Dung', 'huy', 'odd word', NULL])[1 + n % 9],
       (ARRAY['HIGH', '3', 'low', NULL, 'khẩn', '7'])[1 + n % 6],  -- 7 is beyond the rule
       (ARRAY['0', '45 %', '100', NULL, '12.5%', '120', 'half'])[1 + n % 7],  -- 120 is beyond the rule, half is no number
       timestamp '2023-01-01' + n * interval '7 hours',
       CASE WHEN n % 9 IN (1, 2, 4) THEN timestamp '2023-02-01' + n * interval '7 hours' END,
       CASE WHEN n % 2 = 0 THEN timestamp '2023-03-01' + n * interval '1 day' END,
       (ARRAY['user1', 'USER2', 'nobody', NULL])[1 + n % 4],
       CASE WHEN n % 3 > 0 THEN 'user' || (1 + n % 20) END,
       CASE WHEN n % 4 > 0 THEN 'elsa-' || n END,
       (ARRAY['{"step": 1}', NULL, '{', '"text"'])[1 + n % 4]
FROM generate_series(1, 50) AS n;
INSERT INTO old_workflow.instances (definition_id, case_code, title, state, priority, progress, starter)
VALUES (1, 'HS-00009', 'Second of a case that runs', 'running', '1', '0', 'user1'),  -- the second: a reject while run 9 runs
       (1, 'HS-00009', 'Third of a case that runs', 'đang xử lý', '1', '0', 'user1'),  -- the third
       (1, 'HS-00010', 'Runs where the first is done', 'Running', '1', '0', 'user1'),  -- no reject
       (-77, 'HS-00051', 'Of no workflow', 'running', '2', '0', 'user1'),  -- a reject
       (5, NULL, 'Of a workflow without a code', 'done', '2', '0', 'user1'),  -- a reject
       (2, 'HS-99999', 'Of no case', 'running', '2', '0', 'user1'),  -- its case is kept beside it
       (2, '', 'Of no case either', 'running', '2', '0', 'user1'),
       (2, '', 'A second one without a case', 'running', '2', '0', 'user1');  -- both move: there is no case to share

INSERT INTO old_workflow.tasks (instance_id, step_id, nth, state, worker, progress, started_at, finished_at, minutes, result, note)
SELECT n, 1 + (n * 3 + k) % 15, k, (ARRAY['done', 'waiting', 'running', 'Skipped'])[1 + (n + k) % 4],
       (ARRAY['user3', 'User4 ', 'nobody', NULL])[1 + (n + k) % 4], (ARRAY['100', '50%', NULL])[1 + k % 3],
       timestamp '2023-01-02' + n * interval '7 hours', NULL, k * 10, (ARRAY['Approve', ' ', NULL])[1 + k % 3], 'Ghi chú ' || n
FROM generate_series(1, 50) AS n, generate_series(1, 2) AS k;
INSERT INTO old_workflow.tasks (instance_id, step_id, nth, state, worker, progress)
VALUES (51, 1, 1, 'waiting', 'user1', '0'),  -- its run is a reject: so is it
       (1, -99, 1, 'waiting', 'user1', '0'),  -- no such step, and no sequence will give one that key: a reject
       (NULL, 1, 1, 'waiting', 'user1', '0'),  -- no run: a reject
       (2, 2, NULL, 'huy', 'user1', '-3');  -- no number, a progress beyond the rule
