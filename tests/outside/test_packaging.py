"""What a release ships besides the program: the formula, and pages that groff can set."""

import hashlib
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from account import ROOT, program

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
