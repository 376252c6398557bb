-- The old schema of the example: two shops that grew apart and kept their customers in a table each.
--
-- It is small enough to read and has one row of every kind of dirt that a plan must have an answer for:
--   the same number in both tables          customer 1 of each shop is another person
--   another spelling                        ACTIVE, " active ", Closed: they fold, and the original comes back
--   a value that breaks a new rule          a negative credit: it moves, and is listed as exempt
--   a value that nobody can repair          no mail: it is rejected, and kept whole
--   a column that only one table has        loyalty_card: it goes into extra

CREATE TABLE public.customers_old (
    id     integer PRIMARY KEY,
    mail   text,
    name   text,
    status text,
    credit numeric(10, 2),
    joined date
);

CREATE TABLE public.customers_west (
    id           integer PRIMARY KEY,
    mail         text,
    name         text,
    status       text,
    credit       numeric(10, 2),
    joined       date,
    loyalty_card text
);

INSERT INTO public.customers_old (id, mail, name, status, credit, joined)
VALUES (1, 'ann@example.com', 'Ann Archer', 'active', 20.00, '2021-03-01'),
       (2, ' Bob@Example.COM', 'Bob Baker', 'ACTIVE', 0.00, '2021-04-12'),
       (3, 'cleo@example.com', NULL, ' active ', NULL, NULL),
       (4, 'dan@example.com', 'Dan Dyer', 'Closed', -5.50, '2020-01-31'),
       (5, NULL, 'Eve Ewing', 'active', 1.00, '2022-08-09');

INSERT INTO public.customers_west (id, mail, name, status, credit, joined, loyalty_card)
VALUES (1, 'fay@example.com', 'Fay Fox', 'active', 7.25, '2023-02-02', 'W-0001'),
       (2, 'gus@example.com', 'Gus Gray', 'on hold', 3.00, '2023-05-17', NULL),
       (3, '  ', 'Hal Hart', 'closed', 0.00, '2023-06-30', 'W-0003');
