-- Fills roles, departments, teams and channels from what the rows of people say. The document never fills them.
--
-- One row for each name, folded by case and by the blanks around it, in its most frequent spelling (of two equally
-- frequent ones the first in sort order, so that every run agrees). Each statement can be run again, and leaves alone
-- what is there. Names longer than 200 characters are texts that landed in the wrong column: no row is made of them,
-- and employees.legacy keeps them.
--
-- The code is the name in capitals, ADMIN as in the document, and nothing shorter: any prettier code (TEAM_LEAD) is the
-- same for two names at some point (team lead, team_lead), and the second name would quietly get no row.
--
-- The columns are read out of the row as JSON, because a people that lacks one of them is migrated like any other.
--
-- The channels that only the audits name are made by the lookup of the audits stage. Countries come from the ISO 3166
-- list.

-- employees.role_id is NOT NULL, and not everybody has a role.
INSERT INTO public.roles (name, code, level, description, is_system_role)
VALUES ('UNASSIGNED', 'UNASSIGNED', 0, 'The legacy row names no role', true)
ON CONFLICT DO NOTHING;

-- What a role may do stands nowhere in the legacy data, and no right is given by guessing from a name: the level is 1
-- until somebody sets it.
INSERT INTO public.roles (name, code, level)
SELECT named.spelling, upper(named.spelling), 1
FROM (
    SELECT mode() WITHIN GROUP (ORDER BY p.spelling) AS spelling
    FROM (SELECT btrim(to_jsonb(x.*) ->> 'role') AS spelling FROM public.people AS x) AS p
    WHERE length(p.spelling) BETWEEN 1 AND 200
    GROUP BY lower(p.spelling)
) AS named
ON CONFLICT DO NOTHING;

INSERT INTO public.departments (name, code)
SELECT named.spelling, upper(named.spelling)
FROM (
    SELECT mode() WITHIN GROUP (ORDER BY p.spelling) AS spelling
    FROM (SELECT btrim(to_jsonb(x.*) ->> 'department') AS spelling FROM public.people AS x) AS p
    WHERE length(p.spelling) BETWEEN 1 AND 200
    GROUP BY lower(p.spelling)
) AS named
ON CONFLICT DO NOTHING;

INSERT INTO public.teams (name, code)
SELECT named.spelling, upper(named.spelling)
FROM (
    SELECT mode() WITHIN GROUP (ORDER BY p.spelling) AS spelling
    FROM (SELECT btrim(to_jsonb(x.*) ->> 'team') AS spelling FROM public.people AS x) AS p
    WHERE length(p.spelling) BETWEEN 1 AND 200
    GROUP BY lower(p.spelling)
) AS named
ON CONFLICT DO NOTHING;

INSERT INTO public.channels (name, code)
SELECT named.spelling, upper(named.spelling)
FROM (
    SELECT mode() WITHIN GROUP (ORDER BY p.spelling) AS spelling
    FROM (SELECT btrim(to_jsonb(x.*) ->> 'channel') AS spelling FROM public.people AS x) AS p
    WHERE length(p.spelling) BETWEEN 1 AND 200
    GROUP BY lower(p.spelling)
) AS named
ON CONFLICT DO NOTHING;
