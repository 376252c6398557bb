-- What a batch stores; the template goes on with what a row does that stands there already.
INSERT INTO :target: AS g (:columns:)
        SELECT :derived_columns:
        FROM (
:by_pages:
        ) d
        WHERE CASE
            WHEN d."#reason" IS NULL AND NOT d."#unresolved" AND NOT :lacking: THEN true
            ELSE set_config('changeover.aside', current_setting('changeover.aside')
                || CASE WHEN d."#reason" IS NULL AND d."#unresolved" THEN '+' ELSE '' END || d."#ctid"::text || ';', true) IS NULL
        END
