-- The roles of the database, and what each may do. Run by psql as a superuser, connected
-- to the planner's database; running it again is harmless and repairs what drifted:
--
--     psql -U postgres -d vrp -f deploy/roles.sql
--
-- | role       | for                    | may                                        |
-- |------------|------------------------|--------------------------------------------|
-- | vrp_owner  | manage.py migrate only | own and change the tables                  |
-- | vrp_app    | web, worker, clock     | SELECT, INSERT, UPDATE, DELETE; no TRUNCATE |
-- | vrp_backup | backups                | read everything, past row-level security   |
--
-- The application is not the owner: an owner could switch off the triggers that keep
-- events and the ledger append-only, and the policies that keep tenants apart.
--
-- Passwords are set from the files that OWNER_PASSWORD_FILE, APP_PASSWORD_FILE and
-- BACKUP_PASSWORD_FILE name in the environment of psql; a role whose variable is not
-- set keeps its password. So this file rotates them too.
-- A database that another role owned so far is taken over with: -v older_owner=NAME

\set ON_ERROR_STOP on
\set QUIET on
\getenv owner_password OWNER_PASSWORD_FILE
\getenv app_password APP_PASSWORD_FILE
\getenv backup_password BACKUP_PASSWORD_FILE

BEGIN;

SELECT format('CREATE ROLE %I', name)
  FROM unnest(ARRAY['vrp_owner', 'vrp_app', 'vrp_backup']) AS wanted(name)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE vrp_owner  LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE vrp_app    LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE vrp_backup LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS;
ALTER ROLE vrp_backup SET default_transaction_read_only = on;
GRANT pg_read_all_data TO vrp_backup;

\if :{?owner_password}
\set secret `cat "$OWNER_PASSWORD_FILE"`
ALTER ROLE vrp_owner PASSWORD :'secret';
\endif
\if :{?app_password}
\set secret `cat "$APP_PASSWORD_FILE"`
ALTER ROLE vrp_app PASSWORD :'secret';
\endif
\if :{?backup_password}
\set secret `cat "$BACKUP_PASSWORD_FILE"`
ALTER ROLE vrp_backup PASSWORD :'secret';
\endif
\unset secret

\if :{?older_owner}
REASSIGN OWNED BY :"older_owner" TO vrp_owner;
DROP OWNED BY :"older_owner";
ALTER ROLE :"older_owner" NOLOGIN NOCREATEDB;
\endif

-- The database and its schema: nobody else comes in, only the owner makes things.
SELECT format('ALTER DATABASE %I OWNER TO vrp_owner', current_database()) \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO vrp_app, vrp_backup', current_database()) \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO vrp_owner;
GRANT USAGE ON SCHEMA public TO vrp_app, vrp_backup;

-- What exists, and what migrations will make: rows yes, structure no.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM vrp_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO vrp_app;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM vrp_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO vrp_app;
ALTER DEFAULT PRIVILEGES FOR ROLE vrp_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO vrp_app;
ALTER DEFAULT PRIVILEGES FOR ROLE vrp_owner IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO vrp_app;

COMMIT;
