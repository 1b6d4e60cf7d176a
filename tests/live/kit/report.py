"""What a run says, and what it leaves behind: a line for each row, files of what the program said, and the table of results."""

import contextlib
import json
import time
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from kit.stops import Failed, Missing

RESULTS = Path(__file__).parents[3] / "docs" / "live-results.md"
NONE_YET = "**No run has happened yet.** Nobody who builds this tool has an AWS account to run it in."


class Report:
    """The rows of a run, in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.rows, self.experiments, self.notes, self.files = Path(folder), [], [], [], 0
        self.folder.mkdir(parents=True, exist_ok=True)
        self.began = datetime.now(UTC)

    def say(self, text=""):
        """A line, to whoever still listens: a terminal that is gone must not keep a run from cleaning up."""
        with contextlib.suppress(OSError, ValueError):
            print(text, flush=True)
        with contextlib.suppress(OSError), (self.folder / "run.log").open("a") as log:
            log.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")

    def file(self, name, text):
        """A file of its own; its number is its place in the run."""
        self.files += 1
        path = self.folder / f"{self.files:02}-{name}"
        path.write_text(text)
        return path

    def row(self, name, work):
        """Does the work of a row: whether it passed. The work returns what it saw, or raises."""
        self.say(f"-> {name}")
        began = time.monotonic()
        row = {"name": name, "status": "interrupted", "seen": "", "seconds": 0}
        self.rows.append(row)
        try:
            row["seen"], row["status"] = work() or "", "passed"
        except Missing as missing:
            row["seen"], row["status"] = str(missing), "missing"
        except (Failed, BotoCoreError, ClientError, OSError, KeyError, IndexError, ValueError, TypeError) as error:
            row["seen"], row["status"] = f"{'' if isinstance(error, Failed) else type(error).__name__ + ': '}{error}", "failed"
        finally:
            row["seconds"] = round(time.monotonic() - began)
            self.say(f"   {row['status']}{': ' if row['seen'] else ''}{row['seen']}")
        return row["status"] == "passed"

    def status(self, name):
        return next((row["status"] for row in self.rows if row["name"] == name), "not run")

    def not_run(self, names, why):
        """Rows that the run did not come to, by name."""
        reached = {row["name"] for row in self.rows}
        for name in names:
            if name not in reached:
                self.rows.append({"name": name, "status": "not run", "seen": why, "seconds": 0})

    def ended(self, account, **about):
        """Writes everything down, without the account's number; the text of the results."""
        held = {"began": self.began.isoformat(timespec="seconds"), **about, "rows": self.rows, "experiments": self.experiments, "notes": self.notes}
        held = json.loads(json.dumps(held, default=str).replace(account, "ACCOUNT"))
        (self.folder / "results.json").write_text(json.dumps(held, indent=1) + "\n")
        text = document(held)
        (self.folder / "live-results.md").write_text(text)
        return text


def cell(text):
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


def document(held):
    """The page of results. Without a run, it says so."""
    out = ["# Results of live runs", "", "What `tests/live/run` saw in a real account; [live.md](live.md) says how to run it.", ""]
    if held is None:
        out += [NONE_YET, "The table is written by the script and by nothing else.", ""]
        out += ["| row | result | what was seen | seconds |", "| --- | --- | --- | ---: |"]
        return "\n".join(out) + "\n"
    if held.get("endpoint"):
        out += [f"**This is no real account**, but an emulator at {held['endpoint']}. Nothing here says what AWS does.", ""]
    out += [f"Began {held['began']}, Region {held['region']}, {held['version']}.", ""]
    out += ["| row | result | what was seen | seconds |", "| --- | --- | --- | ---: |"]
    out += [f"| {cell(row['name'])} | {row['status']} | {cell(row['seen'])} | {row['seconds']} |" for row in held["rows"]]
    out += ["", "## Experiments", ""]
    for one in held["experiments"]:
        out += [f"### {one['number']}. {one['question']}", "", f"Result: {one['status']}.", ""]
        out += [f"- done: {cell(text)}" for text in one["done"]]
        out += [f"- seen: {cell(text)}" for text in one["seen"]]
        out.append("")
    if held["notes"]:
        out += ["## Notes", "", *(f"- {cell(text)}" for text in held["notes"]), ""]
    return "\n".join(out).rstrip() + "\n"
