"""The databases that are backed up. They are the same on every machine: nothing in them is random but pgbench's own rows."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """How much of what a database holds."""

    name: str
    pgbench: int
    noise_rows: int
    log_rows: int
    tables: int

    def divided(self, by):
        """A database that is so many times smaller."""
        return Scale(
            f"{self.name}/{float(by):.3g}", max(1, self.pgbench // by), self.noise_rows // by, self.log_rows // by,
            max(1, self.tables // by))


SCALES = {
    "full": Scale("full", pgbench=100, noise_rows=400_000, log_rows=2_000_000, tables=2000),
    "small": Scale("small", pgbench=10, noise_rows=40_000, log_rows=200_000, tables=200),
}

# 1 KiB a row that no compressor makes smaller.
NOISE = """
CREATE TABLE noise (id int, payload bytea);
ALTER TABLE noise ALTER payload SET STORAGE EXTERNAL;
INSERT INTO noise
SELECT i, (SELECT string_agg(sha512((i || '.' || j)::bytea), '') FROM generate_series(1, 16) j)
FROM generate_series(1, {rows}) i;
"""

# About 270 bytes a row, such as applications write.
LOG = """
CREATE TABLE log (id bigint PRIMARY KEY, at timestamptz, document jsonb);
INSERT INTO log
SELECT i, timestamptz '2026-01-01' + i * interval '1 second', jsonb_build_object(
    'level', (array['debug', 'info', 'info', 'warning'])[1 + i % 4], 'service', 'service-' || i % 23,
    'request', md5(i::text), 'path', '/api/v1/accounts/' || i::bigint * 7919 % 100003 || '/orders', 'status', 200 + i % 3 * 100,
    'milliseconds', i * 31 % 977, 'message', 'the request was answered by the upstream service')
FROM generate_series(1, {rows}) i;
"""

TABLES = """
DO $$ BEGIN
    FOR number IN 1..{count} LOOP
        EXECUTE format('CREATE TABLE small_%s (id int PRIMARY KEY, name text, note text)', number);
        EXECUTE format('INSERT INTO small_%s SELECT i, ''name '' || i, repeat(''note '', i %% 20) '
            'FROM generate_series(1, 50) i', number);
        IF number % 100 = 0 THEN COMMIT; END IF;
    END LOOP;
END $$;
"""


def fill(cluster, scale):
    """Makes the tables, and leaves nothing to do to the server on its own."""
    cluster.account.run([
        f"{cluster.programs}/pgbench", "-i", "-q", "-s", str(scale.pgbench), *cluster.connection(), "postgres"])
    cluster.sql(NOISE.format(rows=scale.noise_rows))
    cluster.sql(LOG.format(rows=scale.log_rows))
    cluster.sql(TABLES.format(count=scale.tables))
    cluster.sql("VACUUM (FREEZE, ANALYZE)")
    cluster.sql("CHECKPOINT")
