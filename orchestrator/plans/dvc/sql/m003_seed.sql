-- The document seeds these in 009.
INSERT INTO postal.postal_provider (providercode, providername, providertype, servicetype, isactive, isprimaryprovider, priority)
VALUES
    ('VNP', 'Vietnam Post', 'NATIONAL', 'STANDARD_DELIVERY', true, true, 1),
    ('EMS', 'EMS Vietnam', 'NATIONAL', 'EXPRESS_DELIVERY', true, false, 2),
    ('GHTK', 'Giao Hang Tiet Kiem', 'PRIVATE', 'ECONOMY_DELIVERY', true, false, 3)
ON CONFLICT DO NOTHING;
