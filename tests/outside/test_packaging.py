"""What a release ships besides the program: the formula, and pages that groff can set."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from account import BINARY, ROOT, program

TARGETS = ("aarch64-apple-darwin", "x86_64-apple-darwin", "aarch64-unknown-linux-musl", "x86_64-unknown-linux-musl")


def formula(folder):
    command = [ROOT / "packaging" / "formula", "1.2.3", "someone/rdsproxy-setup", folder]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Formula(unittest.TestCase):
    """The Homebrew formula of a release."""

    def test_each_archive_stands_beside_its_own_digest(self):
        with tempfile.TemporaryDirectory() as folder:
            for target in TARGETS:
                name = f"rdsproxy-setup-1.2.3-{target}.tar.gz"
                pathlib.Path(folder, f"{name}.sha256").write_text(f"{hashlib.sha256(target.encode()).hexdigest()}  {name}\n", "utf-8")
            made = formula(folder)
        self.assertEqual(0, made.returncode, made.stderr)
        lines = [line.strip() for line in made.stdout.splitlines()]
        for target in TARGETS:
            url = f'url "https://github.com/someone/rdsproxy-setup/releases/download/v1.2.3/rdsproxy-setup-1.2.3-{target}.tar.gz"'
            self.assertEqual(f'sha256 "{hashlib.sha256(target.encode()).hexdigest()}"', lines[lines.index(url) + 1])

    def test_a_digest_that_is_missing_or_empty_fails(self):
        for held in (None, "", "not a digest  file\n"):
            with self.subTest(held), tempfile.TemporaryDirectory() as folder:
                for target in TARGETS:
                    text = f"{'0' * 64}  file\n" if target != TARGETS[1] else held
                    if text is not None:
                        pathlib.Path(folder, f"rdsproxy-setup-1.2.3-{target}.tar.gz.sha256").write_text(text, "utf-8")
                made = formula(folder)
                self.assertEqual(("", 1), (made.stdout, made.returncode))
                self.assertIn(TARGETS[1], made.stderr)


class Archive(unittest.TestCase):
    """An archive, installed by the commands of the README."""

    def lines(self):
        install = (ROOT / "README.md").read_text("utf-8").split("## Install", 1)[1].split("```console\n", 1)[1].split("```", 1)[0]
        lines = re.findall(r"^\$ (.+)$", install, re.MULTILINE)
        self.assertEqual(len(install.splitlines()), len(lines))
        return lines

    def install(self, folder, digest=None):
        """Runs them against a release in a folder, which a stand-in for gh has; what sudo would write to the system goes to the home."""
        folder = pathlib.Path(folder)
        home, release, tools, work = (folder / name for name in ("home", "release", "tools", "work"))
        for path in (home, release, tools, work):
            path.mkdir()
        name = re.search(r"archive=(\S+)", "\n".join(self.lines()))[1]
        # As the release workflow packs it, whose layout test_workflows and packaging.rs hold.
        (release / name).mkdir()
        shutil.copy(BINARY, release / name / "rdsproxy-setup")
        subprocess.run(["tar", "-czf", f"{name}.tar.gz", name], cwd=release, check=True)
        shutil.rmtree(release / name)
        digest = digest or hashlib.sha256((release / f"{name}.tar.gz").read_bytes()).hexdigest()
        (release / "SHA256SUMS").write_text(f"{digest}  {name}.tar.gz\n{'0' * 64}  another.tar.gz\n", "utf-8")
        stands_in = {
            "gh": f'case "$1 $2" in "release download") cp {release}/* . ;; "attestation verify") test -f "$3" ;; *) exit 9 ;; esac',
            "sudo": f'[ "$1 $3" = "install /usr/local/bin" ] && install "$2" {tools}',
        }
        for tool, script in stands_in.items():
            (tools / tool).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
            (tools / tool).chmod(0o755)
        script = "\n".join(["set -e", *self.lines()])
        environment = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(home)}
        done = subprocess.run(["bash", "-c", script], cwd=work, env=environment, capture_output=True, text=True, check=False)
        return done, tools / "rdsproxy-setup", home

    def test_the_commands_of_the_readme_install_the_program_and_its_completions(self):
        with tempfile.TemporaryDirectory() as folder:
            done, installed, home = self.install(folder)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            shown = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)
            self.assertIn("rdsproxy-setup", shown.stdout)
            script = home / ".local/share/bash-completion/completions/rdsproxy-setup"
            ask = f"source {script}; COMP_WORDS=(rdsproxy-setup tear); COMP_CWORD=1; _rdsproxy__setup rdsproxy-setup tear rdsproxy-setup; echo $COMPREPLY"
            offered = subprocess.run(["bash", "--norc", "-c", ask], capture_output=True, text=True, check=True)
            self.assertEqual("teardown\n", offered.stdout)

    def test_another_digest_installs_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            done, installed, _ = self.install(folder, digest="0" * 64)
            self.assertNotEqual(0, done.returncode)
            self.assertFalse(installed.exists())


class Manual(unittest.TestCase):
    """The manual's pages."""

    @unittest.skipUnless(shutil.which("groff"), "needs groff")
    def test_groff_sets_every_page_without_a_warning(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(0, program("man", "--dir", folder).returncode)
            pages = sorted(pathlib.Path(folder).glob("*.1"))
            self.assertGreater(len(pages), 10)
            for page in pages:
                set_ = subprocess.run(["groff", "-Kutf8", "-man", "-Tutf8", "-ww", page], capture_output=True, text=True, check=False)
                self.assertEqual((0, ""), (set_.returncode, set_.stderr), page.name)
                self.assertIn("rdsproxy-setup", set_.stdout)
