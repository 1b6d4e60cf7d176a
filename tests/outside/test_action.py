"""The scripts of action.yml, run as a runner of GitHub would run them: inputs as variables, outputs in a file."""

import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import tarfile
import tempfile
import time
import tomllib
import unittest

import yaml

from account import BINARY, ROOT, environment

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
SCRIPTS = ROOT / "packaging" / "action"
TARGETS = {
    ("Linux", "X64"): "x86_64-unknown-linux-musl", ("Linux", "ARM64"): "aarch64-unknown-linux-musl",
    ("macOS", "X64"): "x86_64-apple-darwin", ("macOS", "ARM64"): "aarch64-apple-darwin",
}
# What must reach the program as one value, and nothing else as anything.
HOSTILE = [
    "a'b\"c", "$(touch pwned)", "`touch pwned`", "; touch pwned #", "$IFS|touch${IFS}pwned", "*", "%0A::error::x",
    "x\n::set-output name=exit-code::0\n::add-mask::a", "EOF\nexit-code<<EOF\n0\nEOF", "x\r\nexit-code=0", "--endpoint-url=http://127.0.0.1:9",
]


def outputs(text):
    """The file of outputs, read as the runner reads it; a name that comes twice is an error here."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, mark = re.fullmatch(r"([A-Za-z-]+)<<(\S+)", line).groups()
        value = []
        for held in lines:
            if held == mark:
                break
            value.append(held)
        else:
            raise ValueError(f"{name} does not end")
        if name in found:
            raise ValueError(f"{name} comes twice")
        found[name] = "\n".join(value)
    return found


class Runner:
    """A folder of a job, with what a runner puts into the environment."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.temp, self.work, self.bin = (self.folder / name for name in ("temp", "work", "bin"))
        for path in (self.temp, self.work, self.bin):
            path.mkdir()
        self.output, self.path, self.summary = (self.folder / name for name in ("output", "path", "summary"))

    def stand_in(self, name, script):
        tool = self.bin / name
        tool.write_text(f"#!/usr/bin/env bash\nset -eu\n{script}\n", "utf-8")
        tool.chmod(0o755)

    def environment(self, step, **inputs):
        """Each input that is not given has its default of action.yml."""
        defaults = {name: str(held.get("default", "")) for name, held in ACTION["inputs"].items()}
        unknown = {name.replace("_", "-") for name in inputs} - set(defaults)
        assert not unknown, unknown
        given = defaults | {name.replace("_", "-"): value for name, value in inputs.items()}
        variables = {}
        for name, text in ACTION["runs"]["steps"][step]["env"].items():
            key = re.match(r"\$\{\{ inputs\.([a-z-]+)", text)[1]
            variables[name] = given[key]
        return {
            **environment(), **variables, "PATH": f"{self.bin}:{os.environ['PATH']}", "GITHUB_ACTIONS": "true", "HOME": str(self.folder),
            "GITHUB_OUTPUT": str(self.output), "GITHUB_PATH": str(self.path), "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.temp), "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "GITHUB_ACTION_PATH": str(ROOT),
            "RDSPROXY_SANDBOX_FILE": str(self.folder / "world.json"), "RDSPROXY_SANDBOX_SPEED": "600",
        }

    def step(self, number, variables=None, **inputs):
        """The step's own script, as the runner starts it."""
        script = self.folder / "step.sh"
        script.write_text(ACTION["runs"]["steps"][number]["run"], "utf-8")
        self.output.write_text("", "utf-8")
        self.summary.write_text("", "utf-8")
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script], env=self.environment(number, **inputs) | (variables or {}), cwd=self.work,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False,
        )

    def run(self, **inputs):
        done = self.step(1, **{"sandbox": "true", **inputs})
        return done, outputs(self.output.read_text("utf-8"))


class Case(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.runner = Runner(folder)

    def program(self):
        (self.runner.bin / "rdsproxy-setup").symlink_to(BINARY)


class Run(Case):
    """The step that runs a command."""

    def setUp(self):
        super().setUp()
        self.program()

    def test_a_plan_is_an_output_and_its_exit_code_fails_the_step_unless_it_is_allowed(self):
        plan = {"command": "up", "db": "my-instance", "args": "--dry-run\n--detailed-exitcode\n"}
        for allowed, code in (("", 2), ("2", 0), ("3 2", 0), ("22 0", 2)):
            done, held = self.runner.run(**plan, allow_exit_codes=allowed)
            self.assertEqual((code, "2"), (done.returncode, held["exit-code"]), done.stderr)
        document = json.loads(pathlib.Path(held["json-file"]).read_text("utf-8"))
        self.assertEqual(document["plan"], json.loads(held["plan"]))
        self.assertEqual(13, len(document["plan"]))
        self.assertEqual(("", ""), (held["changed"], held["endpoint"]))

    def test_plan_and_outcome_are_the_steps_summary_and_a_file_for_a_comment(self):
        _, held = self.runner.run(command="up", db="my-instance", args="--dry-run")
        comment = pathlib.Path(held["markdown-file"]).read_text("utf-8")
        self.assertRegex(comment, r"^### .*\n")
        self.assertIn("RDS Proxy", comment)
        self.assertIn("my-instance-proxy", comment)
        self.assertEqual(comment, self.runner.summary.read_text("utf-8"))

    def test_a_run_hands_on_endpoint_and_change_and_status_sees_drift(self):
        up = {"command": "up", "db": "my-instance", "args": "--yes\n--timeout=12h"}
        done, held = self.runner.run(**up)
        self.assertEqual((0, "0", "true", ""), (done.returncode, held["exit-code"], held["changed"], held["plan"]), done.stderr)
        self.assertRegex(held["endpoint"], r"^my-instance-proxy\.proxy-\S+\.rds\.amazonaws\.com$")
        endpoint = held["endpoint"]
        _, held = self.runner.run(**up)
        self.assertEqual(("0", "false"), (held["exit-code"], held["changed"]))

        look = {"command": "status", "db": "my-instance", "args": "--exit-code"}
        done, held = self.runner.run(**look)
        self.assertEqual((0, "0", endpoint), (done.returncode, held["exit-code"], held["endpoint"]))
        done, held = self.runner.run(command="restore", db="my-instance", function="DBAppFunction", args="--yes\n--timeout=12h")
        self.assertEqual((0, ""), (done.returncode, held["changed"]), done.stderr)
        done, held = self.runner.run(**look)
        self.assertEqual((3, "3"), (done.returncode, held["exit-code"]))
        log = done.stdout + done.stderr
        self.assertRegex(log, r"(?m)^::warning title=rdsproxy-setup drift::my-instance-proxy.*%0Astep 13, .*DBAppFunction")
        self.assertEqual(1, log.count("::warning"), log)
        self.assertIn("drift", self.runner.summary.read_text("utf-8"))

    def test_a_program_that_leaves_the_runner_alone_gets_the_actions_own_annotation_and_summary(self):
        done = self.runner.step(1, {"RDSPROXY_GITHUB_ACTIONS": "never"}, sandbox="true", command="up", db="absent", args="--dry-run")
        log = done.stdout + done.stderr
        self.assertEqual((4, 1), (done.returncode, log.count("::error")), log)
        self.assertNotIn("::error", done.stderr)
        self.assertIn("absent", self.runner.summary.read_text("utf-8"))

    def test_each_line_of_function_is_a_function(self):
        _, held = self.runner.run(command="up", db="my-instance", function="InvoiceFunction\n\n", args="--dry-run")
        self.assertNotIn("DBAppFunction", held["plan"])
        _, held = self.runner.run(command="up", db="my-instance", function="InvoiceFunction\nDBAppFunction", args="--dry-run")
        self.assertIn("DBAppFunction", held["plan"])

    def test_no_input_is_shell_flag_or_workflow_command(self):
        for name in ("command", "db", "name", "region", "function", "args", "sandbox", "allow-exit-codes"):
            for value in HOSTILE:
                with self.subTest(name=name, value=value):
                    if name == "args" and value.startswith("--"):
                        continue
                    given = {"command": "status", "db": "my-instance", "sandbox": "true"} | {name: value}
                    done, held = self.runner.run(**{key.replace("-", "_"): text for key, text in given.items()})
                    self.assertNotEqual(0, done.returncode)
                    self.assertEqual(str(done.returncode), held["exit-code"])
                    self.assertEqual([], list(self.runner.work.iterdir()), "something was carried out")
                    for line in (done.stdout + done.stderr).splitlines():
                        if line.lstrip().startswith("::"):
                            self.assertRegex(line, r"^::(error|warning|group|endgroup)( title=rdsproxy-setup)?::")
                    self.assertNotIn("127.0.0.1:9/", done.stderr)

    def test_a_value_that_looks_like_a_flag_is_a_value(self):
        for name in ("db", "name"):
            given = {"db": "my-instance"} | {name: "--sandbox"}
            done, held = self.runner.run(command="up", args="--dry-run", **given)
            self.assertNotEqual("0", held["exit-code"])
            self.assertNotIn("value is required", done.stdout)
            self.assertIn("--sandbox", re.search(r"^::error.*$", done.stdout + done.stderr, re.MULTILINE)[0])

    def test_values_of_a_document_cannot_be_outputs(self):
        endpoint = "host\nEOF\nexit-code<<EOF\n0\nchanged=true"
        document = json.dumps({"endpoint": endpoint, "changed": False, "plan": [{"title": "x\nend-\nexit-code=0"}]})
        (self.runner.bin / "rdsproxy-setup").unlink()
        self.runner.stand_in("rdsproxy-setup", f"cat <<'END'\n{document}\nEND\nexit 7")
        seen = set()
        for _ in range(2):
            done, held = self.runner.run(command="up", db="my-instance")
            self.assertEqual((7, "7", endpoint, "false"), (done.returncode, held["exit-code"], held["endpoint"], held["changed"]))
            self.assertEqual([{"title": "x\nend-\nexit-code=0"}], json.loads(held["plan"]))
            seen |= set(re.findall(r"<<(end-[0-9a-f]{32})$", self.runner.output.read_text("utf-8"), re.MULTILINE))
        self.assertEqual(2 * len(held), len(seen), "each value has a mark of its own")

    def test_a_plan_that_is_too_large_for_an_output_stays_in_the_file(self):
        (self.runner.bin / "rdsproxy-setup").unlink()
        self.runner.stand_in("rdsproxy-setup", """printf '{"plan":[{"title":"%0300000d"}]}' 0""")
        done, held = self.runner.run(command="up", db="my-instance")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertNotIn("plan", held)
        self.assertIn("::warning", done.stdout)
        self.assertGreater(pathlib.Path(held["json-file"]).stat().st_size, 300_000)

    def test_every_command_of_the_program_is_one_of_the_action(self):
        _, _, listed = subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout.partition("Commands:\n")
        names = [line.split()[0] for line in listed.split("\n\n", 1)[0].splitlines() if line.split()[0] != "help"]
        self.assertIn("close-direct", names)
        for name in names:
            done, held = self.runner.run(command=name, args="--help")
            # A password is refused; the rest print their help.
            self.assertEqual(64 if name == "token" else 0, done.returncode, (name, done.stdout))

    def test_a_password_is_no_output(self):
        done, held = self.runner.run(command="token", db="my-instance")
        self.assertEqual((64, {"exit-code": "64"}), (done.returncode, held))
        self.assertIn("password", done.stdout)

    def test_wrong_usage_is_64_with_an_annotation(self):
        done, held = self.runner.run(command="up", args="--no-such-flag")
        self.assertEqual((64, "64"), (done.returncode, held["exit-code"]))
        self.assertEqual(1, (done.stdout + done.stderr).count("::error title=rdsproxy-setup::"), done.stdout + done.stderr)

    def test_a_failure_is_an_annotation_with_its_hints_and_a_summary(self):
        done, held = self.runner.run(command="up", db="absent", args="--dry-run")
        self.assertEqual((4, "4"), (done.returncode, held["exit-code"]))
        log = done.stdout + done.stderr
        self.assertRegex(log, r"(?m)^::error title=rdsproxy-setup::finding the database \(absent\): .*%0A.*my-instance")
        self.assertEqual(1, log.count("::error"), log)
        self.assertIn("absent", self.runner.summary.read_text("utf-8"))

    def test_names_of_others_are_text_in_the_log_and_in_a_comment(self):
        name = "a|b\n::error::x\n##[error]x<img src=x>[x](http://x) @someone `code` | \x1b[31m"
        differences = [{"entry": name, "was": [name], "is": [name]}]
        document = json.dumps({"error": name, "hints": [name], "differences": differences, "plan": [{"step": 1, "title": name, "subject": name, "state": "create"}]})
        (self.runner.bin / "rdsproxy-setup").unlink()
        self.runner.stand_in("rdsproxy-setup", f"cat <<'END'\n{document}\nEND\nexit 4")
        done, held = self.runner.run(command="up", db="my-instance")
        commands = [line for line in done.stdout.splitlines() if line.lstrip().startswith("::")]
        self.assertEqual(["::group::", "::endgroup::", "::error title=rdsproxy-setup::"], [re.match(r"::\w+( title=[\w-]+)?::", line)[0] for line in commands])
        self.assertNotIn("##[", done.stdout.replace(commands[-1], ""))
        comment = pathlib.Path(held["markdown-file"]).read_text("utf-8")
        for raw in ("<img", "@someone", "[x](", "\n::", "\x1b", " `code"):
            self.assertNotIn(raw, comment)
        rows = [line for line in comment.splitlines() if line.startswith("| + |")]
        self.assertEqual([6], [len(re.findall(r"(?<!\\)\|", line)) for line in rows])
        self.assertIn("| Changed | Was | Is |", comment)

    def test_a_canceled_job_interrupts_the_program_and_waits_for_it(self):
        variables = self.runner.environment(1, command="up", db="my-instance", args="--yes", sandbox="true") | {"RDSPROXY_SANDBOX_SPEED": "30"}
        self.runner.output.write_text("", "utf-8")
        script = self.runner.folder / "step.sh"
        script.write_text(ACTION["runs"]["steps"][1]["run"], "utf-8")
        # A process group of its own: the signal goes to the shell alone, as the runner's does. A job in the background of a script
        # ignores the signal, and so would all that it starts; a shell cannot trap what it was started to ignore.
        step = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script], env=variables, cwd=self.runner.work, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        with contextlib.ExitStack() as stack:
            stack.enter_context(step.stderr)
            stack.callback(step.kill)
            for line in step.stderr:
                if json.loads(line).get("step"):
                    break
            time.sleep(0.5)
            step.send_signal(signal.SIGINT)
            rest = step.stderr.read()
            self.assertEqual(130, step.wait(60), rest)
        self.assertEqual("130", outputs(self.runner.output.read_text("utf-8"))["exit-code"])


class Install(Case):
    """The step that installs the program. A stand-in for gh has a release in a folder."""

    VERSION, REPOSITORY = "1.2.3", "someone/rdsproxy-setup"

    def setUp(self):
        super().setUp()
        self.release = self.runner.folder / "release"
        self.release.mkdir()
        self.archive("x86_64-unknown-linux-musl")
        self.calls = self.runner.folder / "calls"
        self.calls.write_text("", "utf-8")
        self.runner.stand_in("gh", f'printf "%s\\n" "$*" >>{self.calls}\ncase $1 in release) [ "$3" = v{self.VERSION} ] && cp {self.release}/* . ;; attestation) exit "${{ATTESTED:-0}}" ;; esac')

    def archive(self, target):
        name = f"rdsproxy-setup-{self.VERSION}-{target}"
        script = b"#!/bin/sh\necho rdsproxy-setup 1.2.3\n"
        path = self.release / f"{name}.tar.gz"
        with tarfile.open(path, "w:gz") as made:
            for file, text, mode in (("rdsproxy-setup", script, 0o755), ("LICENSE", b"license", 0o644)):
                entry = tarfile.TarInfo(f"{name}/{file}")
                entry.size, entry.mode = len(text), mode
                made.addfile(entry, io.BytesIO(text))
        self.sums({path.name: hashlib.sha256(path.read_bytes()).hexdigest()})
        return path

    def sums(self, held, mark="  "):
        (self.release / "SHA256SUMS").write_text("".join(f"{digest}{mark}{name}\n" for name, digest in held.items()), "utf-8")

    def install(self, variables=None, **inputs):
        self.runner.path.write_text("", "utf-8")
        return self.runner.step(0, variables, **{"version": self.VERSION, "repository": self.REPOSITORY, **inputs})

    def installed(self):
        return [path for path in self.runner.temp.rglob("rdsproxy-setup") if path.is_file()]

    def refused(self, done, *words):
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stdout)
        self.assertIn("::error title=rdsproxy-setup::", done.stdout)
        self.assertEqual(([], ""), (self.installed(), self.runner.path.read_text("utf-8")))

    def test_an_archive_is_installed_whose_digest_and_origin_are_verified(self):
        done = self.install()
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        folder = pathlib.Path(self.runner.path.read_text("utf-8").strip())
        self.assertEqual([folder / "rdsproxy-setup"], self.installed())
        self.assertTrue((folder / "rdsproxy-setup").stat().st_mode & stat.S_IXUSR)
        name = "rdsproxy-setup-1.2.3-x86_64-unknown-linux-musl.tar.gz"
        self.assertEqual(
            [
                f"release download v1.2.3 --repo {self.REPOSITORY} --pattern {name} --pattern SHA256SUMS",
                f"attestation verify {name} --repo {self.REPOSITORY} --signer-workflow {self.REPOSITORY}/.github/workflows/release.yml"
                " --source-ref refs/tags/v1.2.3 --deny-self-hosted-runners",
            ],
            self.calls.read_text("utf-8").splitlines(),
        )
        # A second use in the same job.
        self.assertEqual(0, self.install().returncode)
        self.assertEqual(2, len(self.calls.read_text("utf-8").splitlines()))

    def test_each_runner_has_its_archive(self):
        for (system, machine), target in TARGETS.items():
            with self.subTest(target):
                name = self.archive(target).name
                self.calls.write_text("", "utf-8")
                for path in self.installed():
                    path.unlink()
                done = self.install({"RUNNER_OS": system, "RUNNER_ARCH": machine})
                self.assertEqual(0, done.returncode, done.stdout + done.stderr)
                self.assertIn(f"attestation verify {name} ", self.calls.read_text("utf-8"))
        for path in self.installed():
            path.unlink()
        self.refused(self.install({"RUNNER_OS": "Windows", "RUNNER_ARCH": "ARM64"}), "Windows on ARM64")

    def test_the_archives_are_those_of_the_release_workflow(self):
        workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))
        built = {row["target"] for row in workflow["jobs"]["archives"]["strategy"]["matrix"]["include"]}
        self.assertEqual(built, set(re.findall(r"target=(\S+) ;;", (SCRIPTS / "install").read_text("utf-8"))))
        self.assertIn("rdsproxy-setup-${{ needs.version.outputs.version }}-${{ matrix.target }}", workflow["jobs"]["archives"]["env"]["NAME"])

    def test_the_mark_that_windows_puts_before_a_name_is_known(self):
        path = self.archive("x86_64-unknown-linux-musl")
        self.sums({path.name: hashlib.sha256(path.read_bytes()).hexdigest()}, " *")
        self.assertEqual(0, self.install().returncode)

    def test_another_digest_or_none_is_refused(self):
        name = "rdsproxy-setup-1.2.3-x86_64-unknown-linux-musl.tar.gz"
        for held, word in (({name: "0" * 64}, "is not the one"), ({}, "has no digest"), ({name: ""}, "has no digest"), ({f"x{name}": "0" * 64}, "has no digest")):
            with self.subTest(held):
                self.sums(held)
                self.refused(self.install(), word)
        self.assertNotIn("attestation", self.calls.read_text("utf-8"))

    def test_an_archive_of_unknown_origin_is_refused(self):
        self.refused(self.install({"ATTESTED": "1"}), "attestation")

    def test_a_release_that_is_not_there_is_refused(self):
        self.refused(self.install(version="9.9.9"), "v9.9.9")

    def test_inputs_that_are_no_version_or_repository_are_refused(self):
        for value in [*HOSTILE, "", "latest", "1.2.3/../x"]:
            with self.subTest(value):
                self.refused(self.install(version=value), "version")
                self.refused(self.install(repository=value), "repository")
        self.assertEqual(("", []), (self.calls.read_text("utf-8"), list(self.runner.work.iterdir())))

    def test_a_program_that_is_installed_is_used_when_asked_for(self):
        self.refused(self.install(version="installed", variables={"PATH": "/usr/bin:/bin"}), "no rdsproxy-setup on PATH")
        self.program()
        done = self.install(version="installed")
        self.assertEqual((0, ""), (done.returncode, self.calls.read_text("utf-8")), done.stdout)
        self.assertIn("rdsproxy-setup ", done.stdout)


class Metadata(unittest.TestCase):
    """action.yml itself."""

    def test_its_release_is_the_one_of_this_version(self):
        cargo = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))
        self.assertEqual(cargo["workspace"]["package"]["version"], ACTION["inputs"]["version"]["default"])

    def test_every_input_is_a_variable_and_no_script_has_an_expression(self):
        variables = {}
        for step in ACTION["runs"]["steps"]:
            self.assertNotIn("${{", step["run"])
            variables |= step["env"]
        used = set(re.findall(r"inputs\.([a-z-]+)", " ".join(variables.values())))
        self.assertEqual(set(ACTION["inputs"]), used)
        scripts = "".join((SCRIPTS / name).read_text("utf-8") for name in ("install", "run"))
        self.assertEqual({name for name in variables if name != "GH_TOKEN"}, set(re.findall(r"\bINPUT_[A-Z_]+", scripts)))

    def test_every_output_is_set_by_the_script(self):
        written = set(re.findall(r"^ *(?:fi )?output ([a-z-]+) ", (SCRIPTS / "run").read_text("utf-8"), re.MULTILINE))
        self.assertEqual({f"${{{{ steps.run.outputs.{name} }}}}": name for name in written}, {held["value"]: name for name, held in ACTION["outputs"].items()})


if __name__ == "__main__":
    unittest.main()
