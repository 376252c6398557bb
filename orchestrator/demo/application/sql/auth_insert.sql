-- The provider's side of an account, which is never migrated.
INSERT INTO auth.users (id, email) VALUES ($1::text::uuid, $2)
