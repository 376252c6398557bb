-- One row: what is installed. The key lets there be no second one.
CREATE TABLE IF NOT EXISTS changeover.meta (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version integer NOT NULL,
    checksum text NOT NULL,
    installed_by text NOT NULL DEFAULT session_user,
    installed_at timestamptz NOT NULL DEFAULT now()
);
