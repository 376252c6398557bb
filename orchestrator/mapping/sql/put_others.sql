-- Another row of the key may speak for it now: because this one says something else, or stands behind it. What the
        -- new side has said of the key holds all the same, so that row says it too. One that must not is left as it is.
        IF :when:v_row IS NOT NULL AND EXISTS (SELECT FROM :source: x WHERE x.ctid <> v_row AND :same_key:) THEN
            BEGIN
                WHILE v_row <> ALL (v_written) AND EXISTS (SELECT FROM :source: x WHERE x.ctid = v_row AND :same_key:) LOOP
                    v_written := v_written || v_row;
                    :choose:
                    IF v_row <> ALL (v_written) THEN
                        UPDATE :source: x SET :others_set: :others_from:
                        WHERE x.ctid = v_row AND :others_changed: RETURNING x.ctid INTO v_row;
                    END IF;
                END LOOP;
            EXCEPTION WHEN integrity_constraint_violation OR data_exception OR feature_not_supported OR raise_exception THEN
                v_row := NULL;
            END;
        END IF;
