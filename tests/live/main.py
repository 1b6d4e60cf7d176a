"""`run` and `clean`: the first real run of rdsproxy-setup, and what removes everything of it. docs/live.md explains both."""

import argparse
import os
import secrets
import sys
from pathlib import Path

from kit import cost, experiments, leftovers
from kit.account import Account
from kit.clock import limited
from kit.cycle import Cycle, Database
from kit.functions import created
from kit.package import authorities, package
from kit.program import ROOT, Program, found
from kit.report import RESULTS, Report
from kit.stack import Stack
from kit.stops import Interrupted, Missing, Refused, TimeUp

CLEAN_UP = 150 * 60
# Hours of it that are billed in full, for the cost that is expected.
CLEANING = 1
PASSED, FAILED, MISSING, LEFT, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130
RIGHTS = Path(__file__).with_name("rights.json")


def arguments():
    parser = argparse.ArgumentParser(prog="tests/live", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", prog="tests/live/run", description="Runs rdsproxy-setup in a real account, from an empty VPC back to nothing. It costs a dollar or two.")
    clean = commands.add_parser("clean", prog="tests/live/clean", description="Deletes everything that a live run has left, found by its names and tags.")
    for one in (run, clean):
        one.add_argument("--account", metavar="ID", help="the account's twelve digits; with other credentials, nothing happens")
        one.add_argument("--region", metavar="REGION", help="the AWS Region")
        one.add_argument("--profile", metavar="NAME", help="the AWS profile")
        one.add_argument("--endpoint-url", metavar="URL", help="an emulator on this machine, to try this script itself")
        one.add_argument("--id", metavar="ID", help="the run's id: six letters and digits" + ("" if one is run else " [default: all runs]"))
        one.add_argument("--yes", action="store_true", help="do not ask")
        one.add_argument("--folder", metavar="DIR", type=Path, help="where the run's files go [default: target/live/ID]")
    run.add_argument("--program", metavar="PATH", help="the program [default: target/release, target/debug, the PATH]")
    run.add_argument("--experiments", metavar="LIST", default="usual", help="numbers with commas, usual (all but 5 and 6, which cost more), all or none [default: usual]")
    run.add_argument("--databases", metavar="LIST", default="mysql,postgres", help="mysql, postgres or both")
    run.add_argument("--mysql-version", metavar="VERSION", default="8.4", choices=["8.4", "8.0"], help="8.0 is billed as Extended Support [default: 8.4]")
    run.add_argument("--time-limit", metavar="MINUTES", type=float, default=300, help="after which everything is deleted, wherever the run is [default: 300]")
    run.add_argument("--cost", action="store_true", help="print the expected cost, and do nothing")
    run.add_argument("--package", metavar="FILE", type=Path, help="write the functions' package to a file, and do nothing")
    run.add_argument("--rights", action="store_true", help="print the policy that a run needs besides `rdsproxy-setup permissions`, and do nothing")
    return parser.parse_args()


def chosen(text):
    """The numbers of the experiments."""
    known = set(experiments.ALL)
    if text in ("usual", "all", "none"):
        return {"usual": known - experiments.DEARER, "all": known, "none": set()}[text]
    try:
        numbers = {int(part) for part in text.split(",")}
    except ValueError:
        numbers = {0}
    if not numbers <= known:
        raise Refused(f"--experiments takes numbers from 1 to {max(known)}, and not {text}")
    return numbers


def listed(text):
    names = text.split(",")
    if not names or not set(names) <= {"mysql", "postgres"}:
        raise Refused(f"--databases takes mysql and postgres, and not {text}")
    return names


def consent(given, question, account):
    """Whether the user agrees, by typing the account's number."""
    if given.yes:
        return
    if not sys.stdin.isatty():
        raise Refused("there is no terminal to ask at; --yes agrees in advance")
    try:
        answer = input(f"{question}\nType the account's number to go on: ")
    except EOFError:
        answer = ""
    if answer.strip() != account:
        raise Refused("not confirmed")


def opened(given):
    """The account, if the credentials are for the one that was named."""
    if not given.account or not given.region:
        raise Refused("--account and --region are needed")
    account = Account(given.region, given.profile, given.endpoint_url)
    account.caller = account.guarded(given.account)
    return account


def run(given):
    numbers, names = chosen(given.experiments), listed(given.databases)
    hours = given.time_limit / 60 + CLEANING
    priced = {"engines": 5 in numbers, "aurora": 6 in numbers, "former": given.mysql_version.startswith("8.0")}
    if given.rights:
        print(RIGHTS.read_text(), end="")
        return PASSED
    if given.package:
        given.package.write_bytes(package())
        return PASSED
    if given.cost:
        print(cost.text(given.region or cost.HOME, hours, **priced))
        return PASSED
    path = found(given.program)
    account = opened(given)
    identity = given.id or secrets.token_hex(3)
    prefix = f"{leftovers.PREFIX}{identity}"
    print(f"Account {account.number}, as {account.caller}, Region {account.region}.", f"Everything is called {prefix}….", "", sep="\n")
    print(cost.text(given.region, hours, **priced), flush=True)
    print()
    if account.temporary:
        print(f"THESE CREDENTIALS END AND CANNOT BE RENEWED: if they end within {hours:.1f} hours, nothing can be deleted with them. A profile renews itself.\n", flush=True)
    consent(given, "This creates databases, functions and proxies in this account, and deletes them again.", account.number)
    report = Report(given.folder or ROOT / "target" / "live" / identity)
    if account.emulated:
        report.say(f"NO REAL ACCOUNT: {account.endpoint_url} is an emulator. Nothing below says what AWS does.")
    program = Program(path, account, report)
    report.say(f"{program.version}; files go to {report.folder}; if this script dies: tests/live/clean --account {account.number} --region {account.region} --id {identity}")
    code = PASSED
    rows = planned(names, numbers)
    try:
        with limited(given.time_limit * 60):
            work(given, account, identity, prefix, program, report, names, numbers)
    except TimeUp as stop:
        report.say(str(stop))
        report.not_run(rows, "the time limit was reached")
        report.notes.append(str(stop))
        code = FAILED
    except Interrupted as stop:
        report.say(f"interrupted by {stop}: cleaning up, which signals do not end")
        report.not_run(rows, f"interrupted by {stop}")
        report.notes.append(f"interrupted by {stop}")
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, the account is cleaned
        report.say(f"{type(error).__name__}: {error}")
        report.not_run(rows, "the script failed")
        report.notes.append(f"the script failed: {type(error).__name__}: {error}")
        code = FAILED
    finally:
        program.end_all()
        left = cleaned(account, prefix, report)
    report.not_run(rows, "what it needs failed")
    statuses = {row["status"] for row in report.rows}
    code = code or (FAILED if statuses - {"passed", "missing"} else MISSING if "missing" in statuses else PASSED)
    text = report.ended(account.number, endpoint=account.endpoint_url, region=account.region, version=program.version, left=[str(row) for row in left.rows], not_listed=left.unknown)
    if not account.emulated:
        RESULTS.write_text(text)
    summary(report, left, account, identity)
    return code if left.nothing else LEFT


def planned(names, numbers):
    """The names of all rows, so that what was not reached is named."""
    rows = ["create the stack", "upload the functions", "publish a version and its alias"]
    for name in names:
        rows += [f"create the users of {name}", *Cycle.__new__(Cycle).named(name)]
    return rows + [experiments.title(number) for number in sorted(numbers)]


def work(given, account, identity, prefix, program, report, names, numbers):
    stack = Stack(account, prefix, identity)
    stack.report = report
    options = {"mysql": given.mysql_version, "WithEngines": "yes" if 5 in numbers else "no", "WithAurora": "yes" if 6 in numbers else "no"}
    if not report.row("create the stack", lambda: stack.create(**options)):
        return
    bundle = None
    try:
        bundle = authorities(account.region)
    except Missing as missing:
        report.notes.append(f"{missing}, so a log-in to a database itself, within TLS, cannot succeed")
        report.say(f"   missing: {missing}")
    if not report.row("upload the functions", lambda: stack.upload(package(bundle))):
        return
    if not report.row("publish a version and its alias", stack.publish):
        return
    mysql = Database("mysql", f"{prefix}-mysql", stack.outputs["MysqlHost"], [("token", None), ("alias", "live")], ["--database-auth", "iam"])
    postgres = Database("postgres", f"{prefix}-postgres", stack.outputs["PostgresHost"], [("password", None), ("url", None)], ["--secret", stack.outputs["PostgresAppSecret"]], ["--probe-login"])
    lab = experiments.Lab(stack, program, report, mysql)
    for engine, database, port in (("mysql", mysql, 3306), ("postgresql", postgres, 5432)):
        if database.key in names:
            report.row(f"create the users of {database.key}", lambda: created(stack, engine, database.host, port))
    for number in sorted(numbers & set(experiments.BEFORE)):
        experiments.carried_out(lab, number)
    for database in (mysql, postgres):
        if database.key in names:
            Cycle(stack, program, report, database).run()
    for number in sorted(numbers & set(experiments.AFTER)):
        experiments.carried_out(lab, number)


def cleaned(account, prefix, report):
    """Deletes everything; what is left. Signals do not end it."""
    report.say("-> clean up")
    try:
        with limited(CLEAN_UP, interruptible=False):
            left = leftovers.clean(account, prefix, report.say)
    except (TimeUp, Exception) as error:  # noqa: BLE001 - what is left is named in any case
        left = leftovers.Found(unknown=[f"the clean-up ended: {error}"])
    return left


def summary(report, left, account, identity):
    counted = {status: sum(row["status"] == status for row in report.rows) for status in ("passed", "failed", "missing", "interrupted", "not run")}
    report.say("")
    for row in report.rows:
        if row["status"] != "passed":
            report.say(f"{row['status']:>11}  {row['name']}: {row['seen']}")
    report.say(", ".join(f"{count} {status}" for status, count in counted.items() if count))
    report.say(f"Results: {report.folder / 'live-results.md'}" + ("" if account.emulated else f" and {RESULTS}"))
    told(left, account, identity, report.say)


def told(left, account, identity, say):
    if left.nothing:
        say(f"Nothing is left in the account: looked for {', '.join(left.looked)}.")
    else:
        say("LEFT IN THE ACCOUNT, and billed until it is deleted:")
        for row in left.rows:
            say(f"  {row}")
        for text in left.unknown:
            say(f"  not listed: {text}")
        say(f"Run: tests/live/clean --account {account.number} --region {account.region}" + (f" --id {identity}" if identity else ""))
    for text in left.scheduled:
        say(f"  {text}: the index of tags lags behind; look again in some minutes")


def clean(given):
    account = opened(given)
    prefix = f"{leftovers.PREFIX}{given.id or ''}"
    there = leftovers.everything(account, prefix)
    print(f"Account {account.number}, as {account.caller}, Region {account.region}. By the name {prefix}…:")
    for row in there.rows:
        print(f"  {row}")
    for text in there.unknown:
        print(f"  not listed: {text}")
    if there.nothing:
        told(there, account, given.id, print)
        return PASSED
    consent(given, "This deletes all of it.", account.number)
    report = Report(given.folder or ROOT / "target" / "live" / "clean")
    left = cleaned(account, prefix, report)
    told(left, account, given.id, report.say)
    return PASSED if left.nothing else LEFT


def main():
    os.umask(0o077)
    given = arguments()
    try:
        return {"run": run, "clean": clean}[given.command](given)
    except Refused as refused:
        print(f"tests/live: {refused}. Nothing was created or deleted.", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
