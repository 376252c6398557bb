-- The document seeds these in 009.
INSERT INTO system.lgsp_configuration (configkey, configvalue, configtype, configcategory, environment, description, isactive, createdby)
SELECT v.configkey, v.configvalue, v.configtype, v.configcategory, 'PRODUCTION', v.description, true, 1
FROM (
    VALUES
        ('LGSP_ENDPOINT', 'https://lgsp.gov.vn/api/v1/', 'STRING', 'CONNECTION', 'LGSP API endpoint URL'),
        ('LGSP_TIMEOUT', '30000', 'NUMBER', 'CONNECTION', 'LGSP API timeout in milliseconds'),
        ('LGSP_RETRY_ATTEMPTS', '3', 'NUMBER', 'RETRY', 'Maximum retry attempts for failed syncs'),
        ('SYNC_BATCH_SIZE', '100', 'NUMBER', 'PERFORMANCE', 'Batch size for bulk synchronization'),
        ('ENABLE_FALLBACK', 'true', 'BOOLEAN', 'FEATURE', 'Enable fallback to cached data when LGSP unavailable')
) AS v (configkey, configvalue, configtype, configcategory, description)
WHERE NOT EXISTS (
    SELECT FROM system.lgsp_configuration AS x WHERE x.configkey = v.configkey AND x.environment = 'PRODUCTION'
);
