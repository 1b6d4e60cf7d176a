"""YAML and scripts for pipelines: those of this repository, and those that documents show."""

import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

import yaml

from account import BINARY, ROOT, environment, program

BIN = pathlib.Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SCRIPTS = [
    path for folder in (".ci", "packaging", "tests") for path in sorted((ROOT / folder).rglob("*"))
    if path.is_file() and re.match(rb"#!.*\bbash\b", path.read_bytes()[:40])
]
# Actions are shown by their tag, which can be read; the text says to pin them. Our own has no owner yet.
SHOWN = ["unpinned-uses"]


def blocks(*kinds):
    """The blocks of documents, each with where it is; YAML that is a file begins with its name."""
    for document in DOCUMENTS:
        for kind, text in BLOCK.findall(document.read_text("utf-8")):
            if kind in kinds:
                yield document.name, text


def files():
    """What a document shows as a file of a pipeline."""
    for where, text in blocks("yaml"):
        named = re.match(r"# (\S+\.yml)\n", text)
        if named:
            yield where, named[1], text


def tool(name, *arguments, cwd=ROOT):
    environment = {key: held for key, held in os.environ.items() if not key.startswith(("GITHUB_", "GH_", "JACTIONLINT_", "ZIZMOR_"))}
    return subprocess.run(
        [BIN / name, *map(str, arguments)], cwd=cwd, env=environment | {"NO_COLOR": "1"}, capture_output=True, text=True, timeout=300, check=False
    )


def actionlint(*arguments, cwd=ROOT):
    return tool("jactionlint", f"--shellcheck={BIN / 'shellcheck'}", "--no-online", "--strict-exit", *arguments, cwd=cwd)


class Repository(unittest.TestCase):
    """This repository's own."""

    def fits(self, done):
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_workflows_and_action_pass_the_linters(self):
        self.assertGreaterEqual(len(WORKFLOWS), 2)
        self.fits(actionlint())
        self.fits(actionlint(*WORKFLOWS))
        self.fits(tool("zizmor", "--offline", "--no-progress", *WORKFLOWS, ROOT / "action.yml"))

    def test_workflows_and_action_fit_the_schemas_of_github(self):
        self.fits(tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS))
        self.fits(tool("check-jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml"))

    def test_scripts_pass_shellcheck(self):
        self.assertGreaterEqual(len(SCRIPTS), 5)
        self.fits(tool("shellcheck", *SCRIPTS))

    def test_the_linters_see_what_is_wrong(self):
        # A linter that finds nothing may have read nothing.
        wrong = (
            "on: {push: {branch: main}}\npermissions: write-all\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
            '      - run: echo ${{ github.event.head_commit.message }} $X\n      - uses: actions/checkout@v5\n'
        )
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, ".github", "workflows", "wrong.yml")
            path.parent.mkdir(parents=True)
            path.write_text(wrong, "utf-8")
            found = actionlint(path, cwd=folder)
            for rule in ("workflow-syntax", "template-injection", "unpinned-uses", "SC2086"):
                self.assertIn(rule, found.stdout)
            self.assertEqual(1, found.returncode)
            self.assertIn("template-injection", tool("zizmor", "--offline", "--no-progress", path, cwd=folder).stdout)
            self.assertEqual(1, tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", path).returncode)

    def test_every_action_is_pinned_by_a_commit_with_its_version(self):
        for path in WORKFLOWS:
            for line in re.findall(r"^.*\buses:.*$", path.read_text("utf-8"), re.MULTILINE):
                self.assertRegex(line, r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", path.name)

    def test_every_command_in_a_workflow_is_one_of_the_program(self):
        text = "\n".join(path.read_text("utf-8") for path in WORKFLOWS)
        found = re.findall(r'^ +"\$binary" ([^\n>]+)', text, re.MULTILINE)
        self.assertGreaterEqual(len(found), 3)
        for arguments in found:
            words = [word.replace("$shell", "bash") for word in shlex.split(arguments)]
            # --version ends the program by itself, as --help does.
            self.assertEqual(0, program(*words, *([] if "--version" in words else ["--help"])).returncode, arguments)


class Documents(unittest.TestCase):
    """What documents show."""

    @classmethod
    def setUpClass(cls):
        cls.files = list(files())
        cls.workflows = [(where, name, text) for where, name, text in cls.files if name.startswith(".github/workflows/")]

    def test_there_is_a_recipe_for_each_pipeline(self):
        shown = [name for _, name, _ in self.files]
        for name in ("rdsproxy-plan.yml", "rdsproxy-apply.yml", "rdsproxy-drift.yml"):
            self.assertIn(f".github/workflows/{name}", shown)
        self.assertIn(".gitlab-ci.yml", shown)
        self.assertIn("buildspec.yml", shown)

    def test_workflows_pass_the_linters(self):
        for where, name, text in self.workflows:
            with self.subTest(document=where, name=name), tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True)
                path.write_text(text, "utf-8")
                # The README shows what twelve lines have room for.
                short = ["missing-timeout", "concurrency-limits"] if where == "README.md" else []
                done = actionlint(*(f"--ignore={rule}" for rule in SHOWN + short), path, cwd=folder)
                self.assertEqual(0, done.returncode, done.stdout + done.stderr)
                config = pathlib.Path(folder, "zizmor.yml")
                config.write_text(yaml.safe_dump({"rules": {rule: {"disable": True} for rule in SHOWN}}), "utf-8")
                done = tool("zizmor", "--offline", "--no-progress", "--config", config, path, cwd=folder)
                self.assertEqual(0, done.returncode, done.stdout + done.stderr)
                done = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)
                self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_the_file_for_gitlab_fits_its_schema(self):
        with tempfile.TemporaryDirectory() as folder:
            for _, name, text in self.files:
                if name == ".gitlab-ci.yml":
                    path = pathlib.Path(folder, name)
                    path.write_text(text, "utf-8")
                    done = tool("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", path)
                    self.assertEqual(0, done.returncode, done.stdout + done.stderr)

    def test_the_file_for_codebuild_has_the_keys_of_its_reference(self):
        # https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
        text = next(text for _, name, text in self.files if name == "buildspec.yml")
        held = yaml.safe_load(text)
        self.assertEqual(0.2, held["version"])
        self.assertLessEqual(set(held), {"version", "run-as", "env", "proxy", "batch", "phases", "reports", "artifacts", "cache"})
        self.assertLessEqual(set(held["phases"]), {"install", "pre_build", "build", "post_build"})
        self.assertTrue(all(isinstance(line, str) for line in held["phases"]["build"]["commands"]))

    def test_every_use_of_the_action_is_held_to_its_inputs_and_its_command_is_parsed(self):
        inputs = set(yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"])
        version = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]["version"]["default"]
        seen = 0
        for where, name, text in self.workflows:
            for job in yaml.safe_load(text)["jobs"].values():
                for step in job["steps"]:
                    if not step.get("uses", "").startswith("OWNER/rdsproxy-setup@"):
                        continue
                    seen += 1
                    self.assertEqual(f"OWNER/rdsproxy-setup@v{version}", step["uses"])
                    given = step["with"]
                    self.assertLessEqual(set(given), inputs, (where, name))
                    flags = [f"--{key}={given[key]}" for key in ("db", "name", "region") if key in given]
                    words = [given["command"], *flags, *(line for line in given.get("args", "").splitlines() if line), "--help"]
                    done = program(*words)
                    self.assertEqual(0, done.returncode, (words, done.stderr))
        self.assertGreaterEqual(seen, 4)

    def test_every_command_is_parsed_by_the_program(self):
        seen = 0
        for where, text in blocks("yaml", "groovy", "console"):
            for line in text.replace("\\\n", " ").splitlines():
                found = re.search(r"(?:^\$ |^ *- |script: '|sh ')(rdsproxy-setup .*)$", line)
                if not found:
                    continue
                words = shlex.split(re.split(r"[;|>#)']", found[1])[0])[1:]
                done = program(*words, *([] if "--version" in words else ["--help"]))
                self.assertEqual(0, done.returncode, (where, line, done.stderr))
                seen += where == "pipelines.md"
        self.assertGreaterEqual(seen, 8)

    def test_the_plugin_for_monitoring_systems_translates_the_exit_codes(self):
        script = next(text for where, text in blocks("sh") if where == "pipelines.md" and "check_rdsproxy" in text)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "check_rdsproxy")
            path.write_text(script, "utf-8")
            done = tool("shellcheck", path)
            self.assertEqual(0, done.returncode, done.stdout)
            variables = environment() | {
                "PATH": f"{BINARY.parent}:{os.environ['PATH']}", "RDSPROXY_SANDBOX": "1", "RDSPROXY_SANDBOX_FILE": f"{folder}/world.json", "RDSPROXY_SANDBOX_SPEED": "600",
            }

            def check(database):
                return subprocess.run(["sh", path, database], env=variables, capture_output=True, text=True, timeout=240, check=False)

            self.assertEqual(2, check("my-instance").returncode)
            made = subprocess.run([BINARY, "up", "--db", "my-instance", "--yes", "--timeout", "12h"], env=variables, capture_output=True, text=True, timeout=240, check=False)
            self.assertEqual(0, made.returncode, made.stderr)
            self.assertEqual(0, check("my-instance").returncode)
            self.assertEqual(3, check("absent").returncode)

    def test_trust_policies_name_audience_and_subject_exactly(self):
        policies = [json.loads(text) for where, text in blocks("json") if where == "pipelines.md"]
        self.assertEqual(2, len(policies))
        for policy in policies:
            for statement in policy["Statement"]:
                self.assertEqual("sts:AssumeRoleWithWebIdentity", statement["Action"])
                self.assertEqual({"StringEquals"}, set(statement["Condition"]))
                held = statement["Condition"]["StringEquals"]
                self.assertEqual({"token.actions.githubusercontent.com:aud", "token.actions.githubusercontent.com:sub"}, set(held))
                self.assertNotIn("*", json.dumps(held))
        reads, changes = (policy["Statement"][0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"] for policy in policies)
        self.assertRegex(changes, r":environment:production$")
        self.assertNotIn(changes, reads)

    def test_jobs_that_change_have_an_environment_and_wait_for_each_other(self):
        seen = 0
        for where, name, text in self.workflows:
            held = yaml.safe_load(text)
            for job in held["jobs"].values():
                arguments = [str(step.get("with", {}).get("args", "")) for step in job["steps"]]
                if any(flag in line for line in arguments for flag in ("--yes", "--plan=")):
                    seen += 1
                    self.assertEqual("production", job["environment"], (where, name))
                    self.assertIs(held["concurrency"]["cancel-in-progress"], False)
        self.assertGreaterEqual(seen, 1)


if __name__ == "__main__":
    unittest.main()
