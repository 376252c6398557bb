-- A batch of staged steps, dirty; what is wrong is said where it is made, and counted by test_umig.py. 200 good ones first.
INSERT INTO public.stg_steps (step_id, description, owner_team_id, phase_id, order_number, duration_minutes, step_type, teams_impacted, iteration_types)
SELECT 'DB-' || n, 'Staged step ' || n, 1 + n % 4, public.umig_id('phm', 1 + n % 12)::text, n, n % 60, 'db',
       -- One team, two in other spellings, one twice (an item of three is repeated), one that nobody knows (an item of two), nothing.
       (ARRAY['Team 1', 'team 2, TEAM 3', 'Team 4,Team 1,team 4 ', 'Team 2, Team 9', '', NULL])[1 + n % 6],
       -- Two, one with a blank item, one that is no type (an item of two), nothing.
       (ARRAY['RUN,DR', 'cutover,', 'RUN,TEST', NULL])[1 + n % 4]
FROM generate_series(1001, 1200) AS n;
INSERT INTO public.stg_steps (step_id, owner_team_id, phase_id, order_number, duration_minutes, step_type, teams_impacted, iteration_types)
VALUES ('', 1, public.umig_id('phm', 1)::text, 2001, 1, 'DB', 'Team 1,Team 2', 'RUN'),              -- no id; so three items have no step
       ('APP-1', 1, 'phase one', 2002, 1, 'APP', 'Team 1', NULL),                                    -- no phase; one item
       ('APP-2', 1, public.umig_id('phm', 999)::text, 2003, 1, 'APP', NULL, 'RUN'),                  -- no such phase; one item
       ('XYZ-1', 1, public.umig_id('phm', 1)::text, 2004, 1, 'XYZ', 'Team 1', 'DR'),                 -- no such type of steps; two items
       ('CHK-1', 77, public.umig_id('phm', 1)::text, 2005, 1, 'CHK', NULL, NULL),                    -- no such owner
       ('CHK-2', 1, public.umig_id('phm', 1)::text, 2006, -5, 'CHK', NULL, NULL),                    -- a negative duration
       ('DB-1001', 1, public.umig_id('phm', 6)::text, 1001, 5, 'DB', 'Team 1, Team 3', 'CUTOVER');  -- staged twice: its items go to the step that is there
INSERT INTO public.stg_step_instructions (instruction_id, step_id, instruction_text, order_number, duration_minutes)
SELECT 'I' || n, 'DB-' || 1001 + n % 210, 'Do ' || n, n, 1 FROM generate_series(0, 299) AS n;  -- ten are of no step
INSERT INTO public.stg_step_instructions (instruction_id, step_id, instruction_text, order_number, duration_minutes)
VALUES ('I-a', 'DB-1001', 'Without an order', NULL, 1), ('I-b', 'DB-1001', 'Back in time', 1, -1);
