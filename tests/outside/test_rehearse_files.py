"""What `rehearse` writes: a copy that works, and a report that is Markdown, whatever things are called."""

import collections
import contextlib
import html
import json
import re
import stat
import unittest

from account import program
from rehearsing import changed, held
from test_rehearse import CLUSTER, MINE, Account
from worlds import difference

FAST = 3600
# A thing stands this deep in an account: `rds`, `proxies`, its name.
THING = 3
# Names that AWS takes for security groups, and one that only the simulated account does.
LINK = "fn [x](http://e.example) ![y](http://e.example/y) & *b*"
HOSTILE = "#1 a|b`c` <b onclick=x>&lt;\\"


def between(before, after, path=()):
    """The places in which two accounts differ; what is new or gone as a whole is one."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            if key in before and key in after:
                yield from between(before[key], after[key], (*path, key))
            elif len(path) + 1 < THING:
                yield from between(before.get(key, {}), after.get(key, {}), (*path, key))
            else:
                yield (*path, key)
    elif isinstance(before, list) and isinstance(after, list):
        yield from ((*path, item) for item in [*before, *after] if (item in before) != (item in after))
    else:
        yield path


def kinds(places):
    """How many there are of each kind, whatever they are called."""
    return collections.Counter((place[:2], len(place)) for place in places)


class Copy:
    """A saved copy, on which commands are run."""

    def __init__(self, file):
        self.file = file

    def run(self, *arguments):
        done = program("--sandbox", "--sandbox-file", self.file, "--sandbox-speed", FAST, "--output", "json", *arguments)
        return done.returncode, json.loads(done.stdout)

    def shown(self):
        return self.run("sandbox", "show")[1]

    def settled(self):
        """The account after some hours: interfaces go slowly."""
        found = held(self.file)
        found["at"] -= 3 * 3_600_000 // FAST
        self.file.write_text(json.dumps(found), "utf-8")
        return self.shown()


class Saved(unittest.TestCase):
    """Whoever has the file can carry out there what was rehearsed."""

    maxDiff = None

    def setUp(self):
        self.stack = self.enterContext(contextlib.ExitStack())
        self.account = Account(self.stack)

    def saved(self, *arguments):
        file = self.account.folder / f"copy-{len(list(self.account.folder.iterdir()))}.json"
        run = self.account.rehearse(*arguments, "--save", file)
        self.assertEqual(0, run.returncode, run.stderr)
        self.assertEqual(0o600, stat.S_IMODE(file.stat().st_mode))
        return json.loads(run.stdout), Copy(file)

    def carried_out(self, copy, database, document):
        """All commands on the copy; the places in which it is another account after `up`."""
        before = copy.settled()
        code, found = copy.run("up", "--db", database, "--dry-run")
        self.assertEqual((0, document["counts"]), (code, found["counts"]))
        self.assertEqual(0, copy.run("up", "--db", database, "--yes")[0])
        places = list(between(before, copy.settled()))
        self.assertEqual(0, copy.run("status", "--db", database, "--exit-code")[0])
        code, found = copy.run("doctor", "--db", database)
        self.assertEqual((0, document["findings_after"]), (code, found["findings"]))
        code, found = copy.run("verify", "--db", database)
        self.assertEqual((0, document["static"]), (code, found["static"]))
        self.assertEqual(0, copy.run("teardown", "--db", database, "--yes")[0])
        self.assertEqual([], list(difference(copy.settled(), before)))
        return places

    def test_the_copy_ends_as_the_rehearsal_did(self):
        for flags in (MINE, (*CLUSTER, "--reader-endpoint", "always")):
            with self.subTest(flags):
                document, copy = self.saved(*flags)
                places = self.carried_out(copy, flags[1], document) if flags is MINE else self.with_reader(copy, document)
                self.assertEqual(kinds(map(tuple, (row["path"] for row in document["differences"]))), kinds(places))
                self.assertGreater(len(places), 6)

    def with_reader(self, copy, document):
        before = copy.settled()
        self.assertEqual(0, copy.run("up", *CLUSTER, "--reader-endpoint", "always", "--yes")[0])
        places = list(between(before, copy.settled()))
        self.assertEqual(0, copy.run("teardown", *CLUSTER, "--yes")[0])
        # What the sample account's function with an alias had, it has in a version of its own, as the rehearsal says.
        self.assertEqual([tuple(row["path"]) for row in document["left"]], list(between(before, copy.settled())))
        return places

    def test_the_copy_under_pseudonyms_does_too(self):
        document, copy = self.saved(*MINE, "--pseudonymize")
        (database,) = held(copy.file)["world"]["rds"]["instances"]
        self.assertNotEqual("my-instance", database)
        places = self.carried_out(copy, database, document)
        self.assertEqual(kinds(map(tuple, (row["path"] for row in document["differences"]))), kinds(places))

    def test_a_file_that_exists_stays_as_it_is(self):
        file = self.account.folder / "there"
        for flag in ("--save", "--report"):
            for content in ("mine", ""):
                file.write_text(content)
                mark = len(self.account.lens.exchanges)
                run = self.account.rehearse(*MINE, flag, file)
                self.assertEqual((64, content), (run.returncode, file.read_text()), run.stderr)
                self.assertEqual([], self.account.lens.since(mark), "said before the account is read")
        self.assertEqual([], changed(self.account.file, self.account.before))

    def test_a_link_to_a_file_and_a_missing_folder_are_refused(self):
        link, there = self.account.folder / "link", self.account.folder / "there"
        there.write_text("mine")
        link.symlink_to(there)
        for flag in ("--save", "--report"):
            run = self.account.rehearse(*MINE, flag, link)
            self.assertEqual((64, "mine", True), (run.returncode, there.read_text(), link.is_symlink()))
            mark = len(self.account.lens.exchanges)
            run = self.account.rehearse(*MINE, flag, self.account.folder / "no" / "folder")
            self.assertEqual(64, run.returncode)
            self.assertIn("no/folder", run.stdout)
            self.assertEqual([], self.account.lens.since(mark), "said before the account is read")


def cells(row):
    """The cells of a row of a table, as GitHub Flavored Markdown splits it."""
    return re.fullmatch(r"\|((?:(?:\\.|[^|\\])*\|)+)", row) and re.findall(r"((?:\\.|[^|\\])*)\|", row)[1:]


def flaws(text):
    """Where a text is not the Markdown that a report consists of: headings, sentences, lists and tables."""
    lines, head = text.splitlines(), None
    if not text.startswith("# ") or sum(line.startswith("# ") for line in lines) != 1:
        yield "it has not one title"
    for at, line in enumerate(lines):
        if not line.startswith("|"):
            head = None
        elif head is None:
            head = cells(line)
            if lines[at - 1] != "" or not head or cells(lines[at + 1]) is None or set("".join(cells(lines[at + 1]))) != {" ", "-"}:
                yield f"no head of a table: {line}"
        elif cells(line) is None or len(cells(line)) != len(head):
            yield f"not {len(head or ())} cells: {line}"
        if not re.match(r"$|\| |#{1,2} [A-Z]|- |[A-Za-z]", line):
            yield f"neither heading, sentence, item nor row: {line}"
        bare = re.sub(r"\\.", "", line)
        if re.search(r"<|`", bare):
            yield f"HTML or code: {line}"


class Report(unittest.TestCase):
    """The report is for a page that others read."""

    def report(self, *arguments, rename=None, refuse=None):
        """The report on the sample account, with other names of groups, and with a refusal in other words."""

        def renamed(world):
            for group in world["world"]["ec2"]["groups"].values():
                group["name"] = (rename or {}).get(group["name"], group["name"])
            return world

        with contextlib.ExitStack() as stack:
            account = Account(stack, change=renamed, deviations={"refused": refuse} if refuse else None)
            file = account.folder / "report.md"
            run = account.rehearse(*arguments, "--report", file)
            self.assertEqual(0, run.returncode, run.stdout + run.stderr)
            return file.read_text("utf-8")

    def test_it_is_markdown(self):
        for arguments in (MINE, (*MINE, "--function", "DBAppFunction", "--init-query", "SET @a='|`<b>'"), CLUSTER):
            with self.subTest(arguments):
                text = self.report(*arguments)
                self.assertEqual([], list(flaws(text)))
                self.assertGreater(text.count("\n| --- |"), 4)

    def test_names_are_names(self):
        text = self.report(*MINE, rename={"app-functions": HOSTILE, "my-instance-db": LINK})
        self.assertEqual([], list(flaws(text)))
        self.assertIn("#1 a|b", html.unescape(text))

    def test_a_refusal_is_a_sentence(self):
        """AWS's words stand in it as they are, whatever they are."""
        said = html.escape("no | `way`\n\n# <b>At all</b>\n| a | b |").encode()
        error = b"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>%s</Message></Error></Errors><RequestID>0</RequestID></Response>"

        def refuse(exchange):
            return (403, error % said) if exchange.operation == "DescribeNetworkAcls" else (exchange.status, exchange.answer)

        text = self.report(*MINE, refuse=refuse)
        self.assertEqual([], list(flaws(text)))
        self.assertIn("DescribeNetworkAcls", text)

    def test_a_name_is_no_link_and_no_picture(self):
        text = re.sub(r"\\.", "", self.report(*MINE, rename={"app-functions": LINK}))
        self.assertNotRegex(text, r"\]\(")

    def test_the_check_sees_flaws(self):
        good = "# A\n\n## B\n\n| a | b |\n| --- | --- |\n| c | d |\n"
        self.assertEqual([], list(flaws(good)))
        for bad in (good.replace("c", "c | e"), good.replace("c", "<b>"), good.replace("c", "`x`"), good.replace("| d |", "| d"), "# C\n" + good, good.replace("\n\n|", "\n|")):
            self.assertNotEqual([], list(flaws(bad)), bad)
        self.assertEqual([], list(flaws(good.replace("c", r"c \| e"))))


if __name__ == "__main__":
    unittest.main()
