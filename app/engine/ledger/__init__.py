"""The ledger: Postgres' side of a job's life, one verb a file.

Every verb is a function over an asyncpg connection and works on many jobs at once. Begin, finish and rescue are
compare-and-swap on (job, attempt, token, status): whoever comes second changes nothing.
"""
