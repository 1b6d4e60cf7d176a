"""The function of a live test: logs in to the database that its variables name, and returns what both ends saw.

It opens a connection for each call and keeps none. No answer holds a password or a token: what a driver or a server says is searched for them.
With an event of {"do": "users"} or {"do": "try"} it is the set-up function, which gets the host from the event.
"""

import hashlib
import hmac
import os
import secrets
import socket
import ssl
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pg8000.dbapi
import pymysql

HERE = Path(__file__).parent
SECONDS = 15


def handler(event, context):
    hidden = [held for name, held in os.environ.items() if name.startswith(("MYSQL_", "POSTGRESQL_")) or name == "DB_PASSWORD"]
    try:
        work = {"query": query, "users": users, "try": attempts}[event.get("do", "query")]
        return {"ok": True, **work(event, hidden)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller sees its class and its words
        return {"ok": False, **said(error, hidden)}


def said(error, hidden):
    text = " ".join(str(error).split())
    for value in sorted(filter(None, hidden), key=len, reverse=True):
        text = text.replace(value, "…")
    return {"error": type(error).__name__, "message": text[:300]}


def settings(hidden):
    """Where to log in, and as whom: from one variable, or from several."""
    held = os.environ
    if "DATABASE_URL" in held:
        url = urlsplit(held["DATABASE_URL"])
        asked = {"engine": url.scheme, "host": url.hostname, "port": url.port, "user": url.username, "password": unquote(url.password), "database": url.path[1:]}
    else:
        asked = {"engine": held["ENGINE"], "host": held["DB_HOST"], "port": int(held["DB_PORT"]), "user": held["DB_USER"], "database": held["DB_NAME"]}
        asked["password"] = token(asked) if held.get("DB_IAM_AUTH") == "true" else held["DB_PASSWORD"]
    hidden.append(asked["password"])
    return asked


def token(asked):
    import boto3

    # Signed here, with the role's credentials: it takes no request.
    made = boto3.client("rds", region_name=os.environ["AWS_REGION"])
    return made.generate_db_auth_token(DBHostname=asked["host"], Port=asked["port"], DBUsername=asked["user"])


def trusted():
    """Amazon's own roots, to which a proxy's certificate leads, and those of RDS, to which a database's does."""
    context = ssl.create_default_context()
    # As Python did until 3.12: what the strict checks of 3.13 think of the certificates of RDS is not the question here.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    bundle = HERE / "rds.pem"
    if bundle.exists():
        context.load_verify_locations(bundle)
    return context


def connected(asked, tls=True):
    """A connection within TLS, its certificate verified for the host; what the socket knows of the other end."""
    wire = socket.create_connection((asked["host"], asked["port"]), SECONDS)
    seen = {"peer": wire.getpeername()[0]}
    context = trusted() if tls else None
    if asked["engine"] == "mysql":
        connection = pymysql.connect(
            host=asked["host"], port=asked["port"], user=asked["user"], password=asked["password"], database=asked.get("database"), ssl=context,
            ssl_disabled=not tls, connect_timeout=SECONDS, read_timeout=SECONDS, defer_connect=True,
        )
        connection.connect(wire)
        wrapped = connection._sock
    else:
        connection = pg8000.dbapi.connect(
            user=asked["user"], password=asked["password"], host=asked["host"], port=asked["port"], database=asked["database"], ssl_context=context,
            sock=wire, timeout=SECONDS,
        )
        wrapped = connection._usock
    if tls:
        told = wrapped.getpeercert()
        seen["tls"] = wrapped.version()
        seen["issuer"], seen["subject"] = (", ".join(value for part in told[key] for _, value in part) for key in ("issuer", "subject"))
    return connection, seen


# What the database sees of its client, and of itself.
QUESTIONS = {
    "mysql": "SELECT USER(), CURRENT_USER(), @@hostname, VERSION(), 40 + 2",
    "postgresql": "SELECT CURRENT_USER || '@' || host(inet_client_addr()), CURRENT_USER, host(inet_server_addr()), version(), 40 + 2",
}


def query(event, hidden):
    asked = settings(hidden)
    connection, seen = connected(asked)
    try:
        cursor = connection.cursor()
        cursor.execute(QUESTIONS[asked["engine"]])
        client, user, server, version, value = cursor.fetchone()
    finally:
        connection.close()
    named = {key: asked[key] for key in ("engine", "host", "port")}
    return {**named, **seen, "client": client.rpartition("@")[2], "user": str(user), "server": server, "version": version, "value": int(value)}


def verifier(password):
    """What PostgreSQL keeps of a password (https://www.postgresql.org/docs/16/catalog-pg-authid.html), so that none is in a statement."""
    salt, rounds = secrets.token_bytes(16), 4096
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    served = hmac.digest(salted, b"Server Key", "sha256")
    first, second, third = (b64encode(part).decode() for part in (salt, stored, served))
    return f"SCRAM-SHA-256${rounds}:{first}${second}:{third}"


def administrator(event, hidden):
    engine = event["engine"]
    user = {"mysql": "admin", "postgresql": "postgres"}[engine]
    asked = {"engine": engine, "host": event["host"], "port": event["port"], "user": user, "database": "live"}
    return {**asked, "password": os.environ[f"{engine.upper()}_ADMIN"]}


def users(event, hidden):
    """Creates the users that the functions and the experiments log in as, and says which could not be created."""
    asked = administrator(event, hidden)
    password = os.environ[f"{asked['engine'].upper()}_APP"]
    if asked["engine"] == "mysql":
        statements = {
            "token": [("CREATE USER IF NOT EXISTS token@'%%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL", ()), ("GRANT SELECT ON live.* TO token@'%%'", ())],
            "app": [("CREATE USER IF NOT EXISTS app@'%%' IDENTIFIED BY %s", (password,)), ("GRANT SELECT ON live.* TO app@'%%'", ())],
        }
        if event.get("plugins"):
            for name, plugin in (("native", "mysql_native_password"), ("sha2", "caching_sha2_password")):
                statements[name] = [(f"CREATE USER IF NOT EXISTS {name}@'%%' IDENTIFIED WITH {plugin} BY %s", (password,))]
    else:
        kept = verifier(password)
        hidden.append(kept)
        statements = {"app": [(f"CREATE ROLE app LOGIN PASSWORD '{kept}'", ()), ("GRANT CONNECT ON DATABASE live TO app", ())]}
    connection, _ = connected(asked)
    made = {}
    try:
        connection.autocommit(True) if asked["engine"] == "mysql" else setattr(connection, "autocommit", True)
        for name, each in statements.items():
            try:
                for statement, values in each:
                    text = statement if values else statement.replace("%%", "%")
                    connection.cursor().execute(text, values) if values else connection.cursor().execute(text)
                made[name] = "created"
            except Exception as error:  # noqa: BLE001 - the next user may do
                made[name] = said(error, hidden)
    finally:
        connection.close()
    return {"users": made}


def attempts(event, hidden):
    """Experiment 5: each user with and without TLS, at the host of the event."""
    tried = {}
    for user in event["users"]:
        for tls in (True, False):
            asked = {"engine": "mysql", "host": event["host"], "port": event["port"], "user": user, "password": os.environ["MYSQL_APP"], "database": None}
            try:
                connected(asked, tls)[0].close()
                outcome = "logged in"
            except Exception as error:  # noqa: BLE001 - the outcome is what is asked for
                outcome = said(error, hidden)
            tried[f"{user}, {'with' if tls else 'without'} TLS"] = outcome
    return {"tried": tried}
