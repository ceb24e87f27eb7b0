#!/usr/bin/env python3
"""The completions of slowctl, asked of real shells: bash by calling its completion, zsh by typing into it on a
pseudo-terminal, fish by `complete -C`. A shell that is not installed is skipped.
Usage: test_completions.py PATH-OF-SLOWCTL [unittest options]"""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scenarios as s
from fake_slowd import FakeSlowd

COMPLETIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cli", "completions")
SLOWCTL = ""
COMMANDS = {"diagnose", "why", "checks", "explain", "top", "mounts", "alerts", "history", "boot", "disks", "export", "logs", "status", "help"}
GLOBAL = {"--socket", "--json", "--color", "--no-pager", "--version", "--help"}
DIAGNOSE = GLOBAL | {"--follow", "--wait", "--at", "--since", "--until"}
INSTALLED = any(os.path.exists(d + "/slowd/checks") for d in ("/usr/share", "/usr/local/share"))
CHECKS = {check["name"] for check in s.CHECKS["checks"]}


def options(words):
    """Without what follows the name: "--color=" and "--json=pretty" are the option's own business."""
    return {word.split("=")[0] for word in words if word.startswith("--")}


class Completions:
    """What is the same in every shell (here the word after "=" is compared, because some repeat the option). complete(line) gives what it offers for the last word of the line."""

    SHELL = ""

    def setUp(self):
        if not shutil.which(self.SHELL):
            self.skipTest(f"{self.SHELL} is not installed")
        directory = tempfile.TemporaryDirectory(prefix="slowctl-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        server = FakeSlowd(self.directory, {"ListChecks": s.CHECKS})
        self.addCleanup(server.__exit__)
        os.mkdir(os.path.join(self.directory, "bin"))
        os.symlink(SLOWCTL, os.path.join(self.directory, "bin", "slowctl"))
        self.env = {"PATH": os.path.join(self.directory, "bin") + ":" + os.environ["PATH"], "HOME": self.directory,
                    "SLOWD_SOCKET": server.path, "LC_ALL": "C.UTF-8", "TERM": "xterm",
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}

    def test_commands(self):
        self.assertEqual(self.complete("slowctl "), COMMANDS)
        self.assertEqual(self.complete("slowctl --no-pager a"), {"alerts"})
        self.assertEqual(self.complete("slowctl help "), COMMANDS - {"help"} if self.SHELL == "bash" else COMMANDS)

    def test_options(self):
        self.assertEqual(options(self.complete("slowctl --")), DIAGNOSE)
        self.assertEqual(options(self.complete("slowctl diagnose --")), DIAGNOSE)
        self.assertEqual(options(self.complete("slowctl checks --")), GLOBAL)
        self.assertEqual(options(self.complete("slowctl top --")), GLOBAL | {"--sort", "--limit", "--at"})
        self.assertEqual(options(self.complete("slowctl history --")),
                         GLOBAL | {"--proc", "--unit", "--since", "--until", "--step", "--metric", "--each", "--csv"})
        self.assertEqual(options(self.complete("slowctl export --")),
                         GLOBAL | {"--since", "--until", "--command-lines", "--force"})
        self.assertEqual(options(self.complete("slowctl --no-pager alerts --")) | {"--no-pager"},
                         GLOBAL | {"--since", "--until"})

    def test_values(self):
        for line in ("slowctl --color ", "slowctl checks --color="):
            self.assertEqual({word.split("=")[-1] for word in self.complete(line)}, {"auto", "always", "never"})
        self.assertEqual({word.split("=")[-1] for word in self.complete("slowctl top --sort=")},
                         {"lost", "cpu", "memory", "io", "wait"})
        self.assertEqual({word.split("=")[-1] for word in self.complete("slowctl --json=")}, {"pretty", "short"})
        self.assertEqual({word.split("=")[-1] for word in self.complete("slowctl history --metric=")},
                         {"cpu", "memory", "io", "wait", "threads", "files"})
        self.assertIn("yesterday", {word.split("=")[-1] for word in self.complete("slowctl diagnose --at=")})
        name = {word.split("=")[-1] for word in self.complete("slowctl history --proc=pytho")}
        self.assertTrue(any(word.startswith("python") for word in name), name)

    def test_files(self):
        with open(os.path.join(self.directory, "night.slowd"), "w", encoding="ascii"):
            pass
        self.assertEqual(self.complete(f"slowctl export {self.directory}/nig"), {f"{self.directory}/night.slowd"}
                         if self.SHELL != "zsh" else {"night.slowd"})

    def test_checks(self):
        checks = self.complete("slowctl explain ")
        if INSTALLED:
            self.assertIn("cpu.overload", checks)
        else:
            self.assertEqual(checks, CHECKS)
        self.assertEqual(self.complete("slowctl --json explain cpu.over"), {"cpu.overload"})
        self.assertEqual(self.complete("slowctl explain cpu.overload "), set())
        self.assertEqual(self.complete("slowctl status "), set())


class Bash(Completions, unittest.TestCase):
    SHELL = "bash"

    def complete(self, line):
        # As readline splits it: blanks part words, and "=" is a word.
        words = [word for word in re.split(r"(=)|\s+", line) if word] + ([""] if line[-1] == " " else [])
        script = f"""
                source {COMPLETIONS}/slowctl.bash
                compopt() {{ :; }}
                COMP_WORDS=({' '.join(f"'{word}'" for word in words)}) COMP_CWORD={len(words) - 1}
                COMP_LINE='{line}' COMP_POINT={len(line)}
                _slowctl
                printf '%s\\n' "${{COMPREPLY[@]}}" """
        done = subprocess.run(["bash", "--norc", "-c", script], env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.stderr, b"")
        return set(done.stdout.decode().split())


class Fish(Completions, unittest.TestCase):
    SHELL = "fish"

    def complete(self, line):
        script = f"source {COMPLETIONS}/slowctl.fish; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", script], env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.stderr, b"")
        return {offer.split("\t")[0] for offer in done.stdout.decode().splitlines()}


class Zsh(Completions, unittest.TestCase):
    SHELL = "zsh"

    def complete(self, line):
        """Types the line and Ctrl-X p, which lists what completion offers and then says that it has."""
        offered, done = os.path.join(self.directory, "offered"), os.path.join(self.directory, "done")
        for path in (offered, done):
            if os.path.exists(path):
                os.unlink(path)
        setup = f"""
                fpath=({COMPLETIONS} $fpath); autoload -Uz compinit; compinit -u -D; LISTMAX=1000
                compadd() {{
                        # Calls that only ask what would match add nothing themselves.
                        if ((!${{@[(I)-[OAD]*]}})); then
                                local -a words; builtin compadd -O words "$@"; print -rl -- $words >> {offered}
                        fi
                        builtin compadd "$@"
                }}
                probe() {{ zle list-choices; print > {done} }}
                zle -N probe; bindkey '^Xp' probe; PS1='probe''-ready '
                """
        with open(os.path.join(self.directory, "setup"), "w", encoding="utf-8") as file:
            file.write(setup)
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.execvpe("zsh", ["zsh", "-f", "-i"], {**self.env, "TERM": "vt100"})
            finally:
                os._exit(127)
        output, deadline = b"", time.monotonic() + 30
        os.write(terminal, f"source {self.directory}/setup\n".encode())
        is_typed = False
        while not os.path.exists(done):
            self.assertLess(time.monotonic(), deadline, output)
            if select.select([terminal], [], [], 0.05)[0]:
                output += os.read(terminal, 65536)
            if b"probe-ready" in output and not is_typed:
                os.write(terminal, line.encode() + b"\030p")
                is_typed = True
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)
        if not os.path.exists(offered):
            return set()
        with open(offered, encoding="utf-8") as file:
            words = set(file.read().split())
        # zsh offers options where nothing else is wanted.
        return {word for word in words if not word.startswith("-")} if line[-1] == " " else words


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    SLOWCTL = os.path.abspath(sys.argv.pop(1))
    unittest.main()
