"""A function as many are: a connection for each environment, opened by the first invocation and kept. Runs with a real driver.

As a program, it is one execution environment: each line that it reads is an invocation, and each line that it writes is its outcome: "ok" or what
failed, and whether it had to log in or kept its connection.
"""

import os
import sys

import psycopg

# libpq gives no SQLSTATE for a connection that the server refuses; these are its words for 53300
# (https://www.postgresql.org/docs/15/errcodes-appendix.html, src/backend/utils/init/postinit.c and storage/lmgr/proc.c of PostgreSQL 15).
REFUSED = ("sorry, too many clients already", "remaining connection slots are reserved")
connection = None


def handler():
    """Does its work; whether it had to log in for that."""
    global connection
    logs_in = connection is None or connection.closed
    if logs_in:
        # TLS and channel binding are libpq's own to read (PGSSLMODE, PGSSLROOTCERT, PGCHANNELBINDING). A transaction pooler keeps no named statements.
        connection = psycopg.connect(
            host=os.environ["DB_HOST"], port=os.environ.get("DB_PORT", "5432"), user=os.environ["DB_USER"], password=os.environ["DB_PASSWORD"],
            dbname="postgres", connect_timeout=20, autocommit=True, prepare_threshold=None,
        )
    connection.execute("SELECT pg_sleep(%s)", [float(os.environ.get("WORK_SECONDS", "0.02"))])
    return logs_in


for _ in sys.stdin:
    try:
        outcome = "ok login" if handler() else "ok kept"
    except psycopg.Error as error:
        part = "login" if connection is None or connection.closed else "kept"
        connection = None
        too_many = any(words in str(error) for words in REFUSED)
        outcome = " ".join(f"{error.sqlstate or ('53300' if too_many else type(error).__name__)} {part} {error}".split())
    print(outcome, flush=True)
