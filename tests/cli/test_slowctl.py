#!/usr/bin/env python3
"""slowctl against a slowd of canned replies: what it prints, how it leaves, and what it never lets through.
Golden outputs are in golden/; UPDATE=1 rewrites them (then read the difference before committing).
Usage: test_slowctl.py PATH-OF-SLOWCTL [unittest options]"""

import base64
import csv
import datetime
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scenarios as s
from fake_slowd import INTERFACE, Close, Error, FakeSlowd, Raw, Silent, Stream

HERE = os.path.dirname(os.path.abspath(__file__))
SLOWCTL = ""


def environment(**changes):
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "xterm", "HOME": "/nonexistent"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    env.update({key: str(value) for key, value in changes.items() if value is not None})
    return env


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


def run(arguments, timeout=20, **env):
    done = subprocess.run([SLOWCTL, *arguments], env=environment(**env), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


class TestCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="slowctl-")
        self.addCleanup(self.directory.cleanup)

    def serve(self, **replies):
        server = FakeSlowd(self.directory.name, replies)
        server.__enter__()

        def stop():
            server.__exit__()
            self.assertEqual(server.problems, [])

        self.addCleanup(stop)
        return server

    def ask(self, server, *arguments, **options):
        return run([*arguments, f"--socket={server.path}"], **options)

    @staticmethod
    def settle(text):
        """How long an ongoing alert has lasted depends on the hour of the test, and the column's width on that."""
        if not re.search(r"ongoing +\d+ d \d+ h", text):
            return text
        return re.sub(" {2,}", "  ", re.sub(r"(ongoing +)\d+ d \d+ h", r"\1LONG", text))

    def assert_golden(self, name, text):
        path = os.path.join(HERE, "golden", name)
        if os.environ.get("UPDATE"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(self.settle(file.read()), self.settle(text), f"differs from {path} (UPDATE=1 rewrites it)")

    def assert_safe(self, text):
        """Nothing that a terminal would obey."""
        found = re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]", text)
        self.assertIsNone(found, f"{found!r} in {text!r}")


# ---- what it prints ----------------------------------------------------------------------------------------

RENDERED = {
    "slow": (["diagnose"], "Diagnose", s.SLOW, 1),
    "healthy": ([], "Diagnose", s.HEALTHY, 0),
    "risk": (["diagnose"], "Diagnose", s.RISK, 1),
    "unknown": (["diagnose"], "Diagnose", s.UNKNOWN, 4),
    "consequences": (["diagnose"], "Diagnose", s.CONSEQUENCES, 1),
    "hostile": (["diagnose"], "Diagnose", s.HOSTILE, 1),
    "bare": (["diagnose"], "Diagnose", s.BARE, 1),
    "checks": (["checks"], "ListChecks", s.CHECKS, 0),
    "explain": (["explain", "cpu.overload"], "Explain", s.EXPLAIN, 0),
    "top": (["top"], "Top", s.TOP, 0),
    "mounts": (["mounts"], "Mounts", s.MOUNTS, 0),
    "mounts-hostile": (["mounts"], "Mounts", s.MOUNTS_HOSTILE, 0),
    "no-mounts": (["mounts"], "Mounts", dict(s.MOUNTS, mounts=[]), 0),
    "alerts": (["alerts"], "Alerts", s.ALERTS, 0),
    "no-alerts": (["alerts"], "Alerts", {"alerts": []}, 0),
    "no-top": (["top"], "Top", dict(s.TOP, programs=[]), 0),
    "logs": (["logs"], "ListLogs", s.LOGS, 0),
    "no-logs": (["logs"], "ListLogs", {"atUSec": s.AT, "logs": [], "journalUnits": []}, 0),
    "status": (["status"], "Status", s.STATUS, 0),
    "status-record": (["status"], "Status", s.STATUS_RECORD, 0),
    "status-no-record": (["status"], "Status", s.STATUS_NO_RECORD, 0),
    "slow-at": (["diagnose", "--at=2024-11-22 14:14:02"], "Diagnose", s.SLOW, 1),
    "slow-since": (["diagnose", "--since=2024-11-22"], "Diagnose", s.SLOW, 1),
    "healthy-at": (["diagnose", "--at=@1732284842"], "Diagnose", s.HEALTHY, 0),
    "risk-at": (["--at=@1732284842"], "Diagnose", s.RISK, 1),
    "unknown-at": (["--at=@1732284842"], "Diagnose", s.UNKNOWN, 4),
    "hostile-since": (["--since=@1732284842"], "Diagnose", s.HOSTILE, 1),
    "top-at": (["top", "--at=@1732284842"], "Top", s.TOP, 0),
    "why": (["why", "nginx"], "History", s.WHY, 0),
    "why-idle": (["why", "512"], "History", s.WHY_IDLE, 0),
    "why-hostile": (["why", "x"], "History", s.WHY_HOSTILE, 0),
    "why-huge": (["why", "x"], "History", s.WHY_HUGE, 0),
    "history": (["history"], "History", s.HISTORY, 0),
    "history-program": (["history", "--proc=ffmpeg"], "History", s.HISTORY_PROGRAM, 0),
    "history-each": (["history", "--proc=ffmpeg", "--each"], "History", s.HISTORY_EACH, 0),
    "history-week": (["history", "--since=2024-11-15"], "History", s.HISTORY_WEEK, 0),
    "history-point": (["history", "--unit=cron.service"], "History", s.HISTORY_POINT, 0),
    "history-huge": (["history", "--proc=1"], "History", s.HISTORY_HUGE, 0),
    "history-nothing": (["history"], "History", s.HISTORY_NOTHING, 0),
    "history-hostile": (["history"], "History", s.HISTORY_HOSTILE, 0),
    "boot": (["boot"], "Boot", s.BOOT, 0),
    "boot-once": (["boot", "--boot=-1"], "Boot", s.BOOT_ONCE, 0),
    "boot-first": (["boot", "--boot", "1"], "Boot", s.BOOT_FIRST, 0),
    "boot-starting": (["boot"], "Boot", s.BOOT_STARTING, 0),
    "boot-hostile": (["boot"], "Boot", s.BOOT_HOSTILE, 0),
    "disks": (["disks"], "Disks", s.DISKS, 0),
    "no-disks": (["disks"], "Disks", dict(s.DISKS, disks=[]), 0),
    "disks-hostile": (["disks"], "Disks", s.DISKS_HOSTILE, 0),
}


class Rendering(TestCase):
    def render(self, name, width, **env):
        arguments, method, reply, status = RENDERED[name]
        replies = {method: reply}
        if arguments[:1] == ["why"]:
            replies = {"History": reply["history"], "Diagnose": {"diagnosis": reply["diagnosis"]}}
        with FakeSlowd(self.directory.name, replies) as server:
            result = self.ask(server, *arguments, COLUMNS=width, **env)
            self.assertEqual(server.problems, [])
            self.assertEqual(server.calls[0]["method"], INTERFACE + method)
        self.assertEqual(result.err, "")
        self.assertEqual(result.status, status)
        self.assert_safe(result.out)
        for line in result.out.split("\n"):
            self.assertEqual(line, line.rstrip(), "blanks at the end of a line")
        return result.out

    def test_golden(self):
        for name in RENDERED:
            for width in (80, 200):
                with self.subTest(name=name, width=width):
                    self.assert_golden(f"{name}-{width}.txt", self.render(name, width))

    def test_fits(self):
        """No line is wider than the page, down to 60 columns; commands may be, to be copied in one piece."""
        for name in RENDERED:
            for width in (60, 80, 100, 132, 200):
                with self.subTest(name=name, width=width):
                    text = self.render(name, width)
                    for line in text.split("\n"):
                        wide = len(line) + len(re.findall("[\u3000-\u9fff]", line))
                        if not re.match(r" {18}\S", line):
                            self.assertLessEqual(wide, width, line)

    def test_ascii(self):
        for name in ("slow", "top", "hostile", "history", "history-program", "history-hostile"):
            with self.subTest(name=name):
                text = self.render(name, 80, LC_ALL="C")
                self.assertTrue(text.isascii())
                self.assert_golden(f"{name}-80-ascii.txt", text)

    def test_nothing_known_is_lost(self):
        text = " ".join(self.render("slow", 80).split())
        for part in ("web1 is slow: 30 ffmpeg processes", "cpu.overload, critical, since 14:02:02 (12 min)",
                     "ffmpeg, 30 processes, user www-data, cron.service",
                     "cron → sh → /src/deploy_videos/deploy.sh, in /src/deploy_videos",
                     "nginx 31 % of its time (usually 0.2 %), sshd 12 %", "ffmpeg uses 96 % of the CPU time",
                     "systemctl set-property --runtime cron.service CPUWeight=10", "ruled out",
                     "disk.failing, disk.slow: smartctl is not installed"):
            self.assertIn(part, text)
        self.assertEqual(text.count("nginx waits for a CPU"), 0, "said with the victims already")

    def test_sentence_of_the_whole(self):
        """slowd's sentence says whose and what; one that does not gets it."""
        for verdict, summary, begin in (("slow", "web1 is slow: so it is.", "web1 is slow: so it is.\n"),
                                        ("slow", "so it is.", "web1 is slow: so it is.\n"),
                                        ("healthy", "fine", "web1 is healthy: fine\n"),
                                        ("risk", "web1 is not slow, but soon.", "web1 is not slow, but soon.\n"),
                                        ("risk", "soon.", "web1 is not slow, but soon.\n"),
                                        ("unknown", "who knows", "who knows\n"), ("new", "news", "news\n")):
            with FakeSlowd(self.directory.name, {"Diagnose": s.diagnosis(verdict, summary)}) as server:
                self.assertTrue(self.ask(server).out.startswith(begin), (verdict, summary))

    def test_nothing_is_known_of_that_moment(self):
        server = self.serve(Diagnose=s.diagnosis("unknown", "", not_checked=[("history", "block 1 is damaged")]))
        result = self.ask(server, "--at=2024-11-22 14:14")
        self.assertTrue(result.out.startswith("On 2024-11-22 at 14:14:02: nothing can be said of it.\n"), result.out)
        self.assertEqual(result.status, 4)

    def test_no_commands_about_processes_of_the_past(self):
        """Their numbers may be those of others by now."""
        culprit = s.subject("nginx", count=2, pids=[711, 712])
        reply = s.diagnosis("slow", "web1 is slow.", [s.finding("cpu.overload", "x", culprit=culprit, remedies=[
            ("stop it", "kill -STOP 711 712"), ("give way", "renice -n 19 -p 712"),
            ("less of it", "systemctl set-property nginx.service CPUWeight=712")])])
        server = self.serve(Diagnose=reply)
        self.assertIn("kill -STOP 711 712", self.ask(server).out)
        for arguments in (["--at=-1h"], ["--since=-1h"]):
            text = self.ask(server, *arguments).out
            self.assertIn("stop it", text)
            self.assertNotIn("kill -STOP", text)
            self.assertNotIn("renice", text)
            self.assertIn("CPUWeight=712", text)

    def test_values_of_the_healthy(self):
        text = self.render("healthy", 80)
        for check, reason in s.RULED_OUT:
            self.assertIn(check, text)
            self.assertIn(reason.split()[0], text)


class Json(TestCase):
    def test_as_it_came(self):
        server = self.serve(Diagnose=s.SLOW)
        short = self.ask(server, "diagnose", "--json")
        self.assertEqual(json.loads(short.out), s.SLOW)
        self.assertEqual(short.out.count("\n"), 1)
        self.assertEqual(short.status, 1)
        pretty = self.ask(server, "--json=pretty")
        self.assertEqual(json.loads(pretty.out), s.SLOW)
        self.assertGreater(pretty.out.count("\n"), 50)
        self.assertEqual(self.ask(server, "--json=short").out, short.out)

    def test_harmless_on_a_terminal(self):
        for form in ("short", "pretty"):
            with FakeSlowd(self.directory.name, {"Diagnose": s.HOSTILE}) as server:
                result = self.ask(server, f"--json={form}")
            self.assert_safe(result.out)
            self.assertEqual(json.loads(result.out), s.HOSTILE)

    def test_all_commands(self):
        server = self.serve(ListChecks=s.CHECKS, Explain=s.EXPLAIN, Top=s.TOP, Alerts=s.ALERTS, Status=s.STATUS,
                            History=s.HISTORY, Mounts=s.MOUNTS)
        for arguments, reply in ((["checks"], s.CHECKS), (["explain", "x"], s.EXPLAIN), (["top"], s.TOP),
                                 (["alerts"], s.ALERTS), (["status"], s.STATUS), (["history"], s.HISTORY), (["mounts"], s.MOUNTS)):
            result = self.ask(server, *arguments, "--json")
            self.assertEqual((result.status, json.loads(result.out)), (0, reply))


class Parameters(TestCase):
    def test_none_unless_asked_for(self):
        server = self.serve(Top=s.TOP, Alerts=s.ALERTS)
        self.ask(server, "top")
        self.ask(server, "alerts")
        for call in server.calls:
            self.assertEqual(call.get("parameters", {}), {})
            self.assertFalse(call.get("more", False))

    def test_top(self):
        server = self.serve(Top=s.TOP)
        self.ask(server, "top", "--sort", "io", "-n5")
        self.assertEqual(server.calls[0]["parameters"], {"sort": "io", "limit": 5})

    def test_alerts(self):
        server = self.serve(Alerts=s.ALERTS)
        self.ask(server, "alerts", "--since=2024-11-22 14:03:00", "--until", "@1732284842.5")
        self.assertEqual(server.calls[0]["parameters"],
                         {"sinceUSec": 1732284180000000, "untilUSec": 1732284842500000})
        before = time.time()
        self.ask(server, "alerts", "--since", "2h ago")
        self.assertAlmostEqual(server.calls[1]["parameters"]["sinceUSec"] / 1e6, before - 7200, delta=10)

    def test_past(self):
        server = self.serve(Diagnose=s.SLOW, Top=s.TOP, History=s.HISTORY)
        since, until = 1732284180000000, 1732284842500000
        times = ["--since=2024-11-22 14:03:00", "--until", "@1732284842.5"]
        for arguments, parameters in (
                (["--at=@1732284842.5"], {"atUSec": until}),
                (["diagnose", *times], {"sinceUSec": since, "untilUSec": until}),
                (["top", "--at", "@1732284842.5", "-n5"], {"atUSec": until, "limit": 5}),
                (["history", "--json"], {}),
                (["history", "--csv", *times], {"sinceUSec": since, "untilUSec": until}),
                (["history", "--json", "--proc=711"], {"pid": 711}),
                (["history", "--json", "--proc=7z"], {"program": "7z"}),
                (["history", "--csv", "--unit=cron.service", "--step=5min", "--each", "--metric=io,cpu,io"],
                 {"unit": "cron.service", "stepUSec": 300000000, "each": True, "metrics": ["cpu", "io"]})):
            self.ask(server, *arguments)
            self.assertEqual(server.calls[-1].get("parameters", {}), parameters, arguments)

    def test_why(self):
        server = self.serve(History=s.WHY["history"], Diagnose=s.SLOW)
        until, minute = 1732284842500000, 60000000
        for arguments, history, diagnose in (
                (["nginx", "--at=@1732284842.5"], {"program": "nginx", "sinceUSec": until - 5 * minute, "untilUSec": until},
                 {"atUSec": until}),
                (["711", "--since=@1732284542.5", "--until=@1732284842.5"],
                 {"pid": 711, "sinceUSec": until - 5 * minute, "untilUSec": until},
                 {"sinceUSec": until - 5 * minute, "untilUSec": until})):
            result = self.ask(server, "why", *arguments, "--json")
            self.assertEqual(json.loads(result.out), {"history": s.WHY["history"], "diagnosis": s.SLOW["diagnosis"]})
            self.assertEqual(server.calls[-2]["parameters"], dict(history, metrics=["cpu", "memory", "io", "wait"]))
            self.assertEqual(server.calls[-1]["parameters"], diagnose)

    def test_step_fits_the_width(self):
        server = self.serve(History=s.HISTORY)
        for arguments, width, step in ((["--since=2024-11-22 13:00", "--until=2024-11-22 14:00"], 80, 60),
                                       (["--since=2024-11-22 13:00", "--until=2024-11-22 14:00"], 200, 20),
                                       (["--since=2024-11-15", "--until=2024-11-22"], 80, 10800),
                                       (["--since=2024-11-15", "--until=2024-11-22"], 200, 3600),
                                       (["--since=2023-01-01", "--until=2024-01-01"], 80, 86400), ([], 80, 60),
                                       (["--step=7s"], 80, 7)):
            self.ask(server, "history", *arguments, COLUMNS=width)
            self.assertEqual(server.calls[-1]["parameters"]["stepUSec"], step * 1000000)

    def test_explain(self):
        server = self.serve(Explain=s.EXPLAIN)
        self.ask(server, "explain", "cpu.overload")
        self.assertEqual(server.calls[0]["parameters"], {"check": "cpu.overload"})


# ---- the past ----------------------------------------------------------------------------------------------


class Csv(TestCase):
    def test_golden(self):
        for name, reply in (("history", s.HISTORY), ("history-hostile", s.HISTORY_HOSTILE)):
            with FakeSlowd(self.directory.name, {"History": reply}) as server:
                result = self.ask(server, "history", "--csv")
            self.assertEqual(result.status, 0)
            self.assert_safe(result.out)
            self.assert_golden(f"{name}.csv", result.out)
            self.assertEqual(result.err.count("\n"), 1 if reply["damaged"] else 0)
            self.assert_safe(result.err)

    def test_as_others_read_it(self):
        server = self.serve(History=s.HISTORY)
        rows = list(csv.reader(self.ask(server, "history", "--csv", TZ="Asia/Kolkata").out.splitlines()))
        self.assertEqual(rows[0][:4], ["time", "cpu (permille)", "cpu minimum (permille)", "cpu maximum (permille)"])
        self.assertEqual(len(rows), 61)
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})
        times = [datetime.datetime.fromisoformat(row[0]) for row in rows[1:]]
        self.assertEqual(times[0].utcoffset(), datetime.timedelta(hours=5, minutes=30))
        self.assertEqual([round(at.timestamp() * 1000) for at in times],
                         [(s.HISTORY["sinceUSec"] + i * s.MINUTE) // 1000 for i in range(60)])
        cpu = [int(row[1]) if row[1] else None for row in rows[1:]]
        self.assertEqual(cpu, s.HISTORY["series"][0]["values"])

    def test_no_pager(self):
        server = self.serve(History=dict(s.HISTORY, sinceUSec=0, stepUSec=s.SECOND))
        self.assertTrue(self.ask(server, "history", "--csv", TZ="UTC").out.splitlines()[1].startswith(
            "1970-01-01T00:00:00+00:00,"))


class Export(TestCase):
    DATA = bytes(range(256)) * 40 + b"end"

    def pieces(self, data=None, size=999):
        """Replies with `more`, the last of which ends the stream."""
        data = self.DATA if data is None else data
        texts = [base64.b64encode(data[i:i + size]).decode() for i in range(0, len(data), size)] or [""]
        return Raw(b"".join(json.dumps({"parameters": {"data": text}, "continues": i + 1 < len(texts)}).encode() + b"\0"
                            for i, text in enumerate(texts)))

    def file(self, name="night.slowd"):
        return os.path.join(self.directory.name, name)

    def left(self):
        return sorted(set(os.listdir(self.directory.name)) - {"socket"})

    def test_file(self):
        server = self.serve(Export=self.pieces(), Status=s.STATUS_RECORD)
        result = self.ask(server, "export", "--since=2024-11-22 14:03:00", "--until=2024-11-22 14:14", self.file())
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertEqual(result.out,
                         f"{self.file()}: 10 kB, from 2024-11-22 at 14:03:00 to 2024-11-22 at 14:14:00\n")
        with open(self.file(), "rb") as file:
            self.assertEqual(file.read(), self.DATA)
        self.assertEqual(os.stat(self.file()).st_mode & 0o777, 0o600)
        self.assertEqual(self.left(), ["night.slowd"])
        call = server.calls[-1]
        self.assertTrue(call["more"])
        self.assertEqual(call["parameters"], {"sinceUSec": 1732284180000000, "untilUSec": 1732284840000000})

    def test_span_is_that_of_the_record(self):
        server = self.serve(Export=self.pieces(), Status=s.STATUS_RECORD)
        self.assertIn("from 2024-10-27 at 14:14:02 to 20", self.ask(server, "export", self.file()).out)
        self.assertEqual(self.ask(server, "export", "--command-lines", self.file("b")).status, 0)
        self.assertEqual(server.calls[-1]["parameters"], {"withCommandLines": True})
        server.replies["Status"] = s.STATUS
        self.assertEqual(self.ask(server, "export", self.file("c")).out, f"{self.file('c')}: 10 kB\n")

    def test_every_length(self):
        for length in (1, 2, 3, 4, 5, 998, 999, 1000):
            with FakeSlowd(self.directory.name, {"Export": self.pieces(self.DATA[:length]), "Status": s.STATUS}) as server:
                self.assertEqual(self.ask(server, "export", "--force", self.file()).status, 0)
            with open(self.file(), "rb") as file:
                self.assertEqual(file.read(), self.DATA[:length])

    def test_standard_output(self):
        server = self.serve(Export=self.pieces(), Status=s.STATUS_RECORD)
        done = subprocess.run([SLOWCTL, "export", "-", f"--socket={server.path}"], env=environment(), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stdout), (0, self.DATA))
        self.assertRegex(done.stderr, rb"^10 kB, from 2024-10-27 at 14:14:02 to [^\n]*\n$")
        self.assertEqual(self.left(), [])

    def test_never_overwrites(self):
        server = self.serve(Export=self.pieces(), Status=s.STATUS)
        with open(self.file(), "w", encoding="ascii") as file:
            file.write("precious")
        result = self.ask(server, "export", self.file())
        self.assertEqual((result.status, result.err), (2, f"slowctl: {self.file()} exists already; --force overwrites it.\n"))
        self.assertEqual(server.calls, [])
        with open(self.file(), encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")
        self.assertEqual(self.ask(server, "export", "--force", self.file()).status, 0)
        with open(self.file(), "rb") as file:
            self.assertEqual(file.read(), self.DATA)

    def test_nor_what_came_meanwhile(self):
        def appear(_):
            with open(self.file(), "w", encoding="ascii") as file:
                file.write("precious")
            return s.STATUS

        server = self.serve(Export=self.pieces(), Status=appear)
        result = self.ask(server, "export", self.file())
        self.assertEqual(result.status, 2)
        self.assertIn("File exists", result.err)
        with open(self.file(), encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")
        self.assertEqual(self.left(), ["night.slowd"])

    def test_no_regular_file(self):
        for path in ("/dev/null", self.directory.name):
            result = run(["export", "--force", path], SLOWD_SOCKET="/nonexistent")
            self.assertEqual(result.status, 2)
            self.assertIn("is not a regular file", result.err)
        result = run(["export", "/nonexistent/file"], SLOWD_SOCKET="/nonexistent")
        self.assertEqual(result.status, 3)
        self.assertIn("/nonexistent/file cannot be written: No such file or directory", result.err)

    def test_leaves_nothing_behind(self):
        good = json.dumps({"parameters": {"data": "QUJD"}, "continues": True}).encode() + b"\0"
        for reply, part, status in (
                (Close, "closed the connection", 3), (Raw(good + b"garbage\0"), "does not answer as slowd does", 3),
                (Error(INTERFACE + "NoHistory", {"reason": "none"}), "The record has no answer: none;", 4),
                (Error("org.varlink.service.PermissionDenied"), "Only root and members", 3),
                (Error(INTERFACE + "Busy"), "try again", 3), ({}, "does not answer as slowd does", 3),
                (self.pieces(b""), "empty recording", 3), ({"data": "QUJ"}, "does not answer as slowd does", 3),
                ({"data": "QU=D"}, "does not answer as slowd does", 3),
                ({"data": "QU\x1bD"}, "does not answer as slowd does", 3), ({"data": "===="}, "does not", 3)):
            with FakeSlowd(self.directory.name, {"Export": reply, "Status": s.STATUS}) as server:
                result = self.ask(server, "export", self.file())
                self.assertEqual((result.status, result.out), (status, ""), result.err)
                self.assertIn(part, result.err)
                self.assertEqual(result.err.count("\n"), 1)
                self.assertEqual(self.left(), [])

    def test_interrupted(self):
        server = self.serve(Export=Silent, Status=s.STATUS)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = subprocess.Popen([SLOWCTL, "export", self.file(), f"--socket={server.path}"], env=environment())
            deadline = time.monotonic() + 10
            while not self.left() and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.1)
            process.send_signal(number)
            self.assertEqual(process.wait(10), -number)
            self.assertEqual(self.left(), [])

    def test_full_disk(self):
        server = self.serve(Export=self.pieces(), Status=s.STATUS)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([SLOWCTL, "export", "-", f"--socket={server.path}"], env=environment(), stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"Standard output cannot be written: No space left on device", done.stderr)


# ---- wrong use ---------------------------------------------------------------------------------------------

WRONG_USE = [
    (["diagnos"], "There is no command 'diagnos'; did you mean diagnose?"),
    (["Top"], "There is no command 'Top'; did you mean top?"),
    (["frobnicate"], "There is no command 'frobnicate'; see slowctl --help."),
    (["histroy"], "There is no command 'histroy'; did you mean history?"),
    (["diagnose", "--at=-1h", "--since=-2h"], "--at is one moment: use it without --since and --until."),
    (["diagnose", "--until=-1h"], "--until needs --since: the worst moment in between is sought."),
    (["--follow", "--at=-1h"], "--follow and --wait are about what comes: use them without a time of the past."),
    (["--wait", "--since=-1h"], "--follow and --wait are about what comes"),
    (["--at=+1h"], "--at is in the future; did you mean yesterday?"),
    (["history", "--since=+1h"], "--since is in the future; did you mean yesterday?"),
    (["history", "--at=-1h"], "history does not take --at; see slowctl history --help."),
    (["history", "ffmpeg"], "history takes no argument, but 'ffmpeg' was given."),
    (["history", "--proc="], "--proc needs the name of a program or a pid, not ''."),
    (["history", "--proc=0"], "--proc needs the name of a program or a pid, not '0'."),
    (["history", "--proc=4194305"], "--proc needs the name of a program or a pid, not '4194305'."),
    (["history", "--proc=99999999999999999999"], "--proc needs the name of a program or a pid"),
    (["history", "--unit="], "--unit needs the name of a unit, as in --unit=nginx.service."),
    (["history", "--proc=a", "--unit=b"], "--proc and --unit do not go together: use one of them."),
    (["history", "--step=0"], "--step must be a second or more, not '0'."),
    (["history", "--step=999ms"], "--step must be a second or more, not '999ms'."),
    (["history", "--step=soon"], "--step: 'soon' is not a span of time"),
    (["history", "--metric=gpu"], "--metric does not know 'gpu': use cpu, memory, io, wait, threads or files, with commas"),
    (["history", "--metric="], "--metric does not know ''"),
    (["history", "--metric=cpu,,io"], "--metric does not know ''"),
    (["history", "--csv", "--json"], "--csv and --json do not go together: use one of them."),
    (["export"], "export needs a FILE; - is standard output."),
    (["export", ""], "'' cannot be the name of a file."),
    (["export", "x", "--json"], "export writes a recording, not JSON: use it without --json."),
    (["top", "--since=-1h"], "top does not take --since; see slowctl top --help."),
    (["help", "statsu"], "There is no command 'statsu'; did you mean status?"),
    (["--jsno"], "There is no option '--jsno'; did you mean --json?"),
    (["--colour=never"], "There is no option '--colour'; did you mean --color?"),
    (["--frobnicate"], "There is no option '--frobnicate'; see slowctl --help."),
    (["-x"], "There is no option '-x'; see slowctl --help."),
    (["-"], "There is no command '-'"),
    ([""], "There is no command ''"),
    (["diagnose", "ffmpeg"], "diagnose takes no argument, but 'ffmpeg' was given."),
    (["why"], "why needs a NAME|PID; slowctl top lists programs."),
    (["why", "0"], "why needs the name of a program or a pid, not '0'."),
    (["explain"], "explain needs a CHECK; slowctl checks lists them."),
    (["explain", "a", "b"], "explain takes one argument, but 'b' was given behind 'a'."),
    (["--json=xml"], "--json does not know 'xml': use pretty or short."),
    (["--color=sometimes"], "--color does not know 'sometimes': use auto, always or never."),
    (["--color"], "--color needs a value, as in --color=WHEN."),
    (["--socket"], "--socket needs a value, as in --socket=PATH."),
    (["--socket="], "--socket needs the path of slowd's socket."),
    (["--no-pager=yes"], "--no-pager takes no value."),
    (["checks", "--follow"], "checks does not take --follow; see slowctl checks --help."),
    (["--limit=5"], "diagnose does not take --limit; see slowctl diagnose --help."),
    (["top", "--sort=size"], "--sort does not know 'size': use lost, cpu, memory, io or wait."),
    (["top", "--limit=0"], "--limit must be a number from 1 to 256, not '0'."),
    (["top", "--limit=257"], "--limit must be a number from 1 to 256, not '257'."),
    (["top", "-n", "five"], "--limit must be a number from 1 to 256, not 'five'."),
    (["top", "-n"], "--limit needs a value, as in --limit=NUMBER."),
    (["alerts", "--since=teatime"], "--since: 'teatime' is not a time: write it like 14:03"),
    (["alerts", "--until=25:00"], "--until: '25:00' is not a time: the hour must be 0 to 23."),
    (["alerts", "--since=-1h", "--until=-2h"], "--since must not be later than --until."),
    (["--wait=soon"], "--wait: 'soon' is not a span of time: write it like 90s"),
    (["--wait=0.5x"], "--wait: '0.5x' is not a span of time: 'x' is no unit of time"),
    (["--follow", "--wait"], "--follow already waits: use it without --wait."),
    (["--follow=yes"], "--follow takes no value."),
    (["ev\033[31mil"], "There is no command 'ev?[31mil'"),
]


class WrongUse(TestCase):
    def test_one_sentence_and_2(self):
        for arguments, sentence in WRONG_USE:
            with self.subTest(arguments=arguments):
                result = run(arguments, SLOWD_SOCKET="/nonexistent/socket")
                self.assertEqual(result.status, 2, result.err)
                self.assertEqual(result.out, "")
                self.assertTrue(result.err.startswith("slowctl: " + sentence), result.err)
                self.assertEqual(result.err.count("\n"), 1)

    def test_options_anywhere(self):
        server = self.serve(Explain=s.EXPLAIN)
        for arguments in (["--json", "explain", "x"], ["explain", "--json", "x"], ["explain", "x", "--json"],
                          ["--json", "--", "explain", "x"]):
            result = self.ask(server, *arguments) if "--" not in arguments else run(
                arguments, SLOWD_SOCKET=server.path)
            self.assertEqual((result.status, result.err), (0, ""))
            self.assertEqual(json.loads(result.out), s.EXPLAIN)

    def test_option_beats_environment(self):
        server = self.serve(Diagnose=s.HEALTHY)
        self.assertEqual(self.ask(server, SLOWD_SOCKET="/nonexistent/socket").status, 0)
        self.assertEqual(run([], SLOWD_SOCKET=server.path).status, 0)
        self.assertEqual(run([], SLOWD_SOCKET=server.path, XDG_RUNTIME_DIR="/nonexistent").status, 0)

    def test_socket_of_the_user(self):
        if os.path.exists("/run/slowd/io.slowd.Diagnostics"):
            self.skipTest("this machine has a slowd of its own")
        os.mkdir(os.path.join(self.directory.name, "slowd"))
        server = self.serve(Diagnose=s.HEALTHY)
        os.link(server.path, os.path.join(self.directory.name, "slowd", "io.slowd.Diagnostics"))
        self.assertEqual(run([], XDG_RUNTIME_DIR=self.directory.name).status, 0)
        os.unlink(os.path.join(self.directory.name, "slowd", "io.slowd.Diagnostics"))
        self.assertEqual(run([], XDG_RUNTIME_DIR=self.directory.name).status, 3)

    def test_unknown_check(self):
        unknown = Error(INTERFACE + "UnknownCheck", {"check": "cpu.overlod"})
        server = self.serve(Explain=unknown, ListChecks=s.CHECKS)
        for typed, sentence in (("cpu.overlod", "There is no check 'cpu.overlod'; did you mean cpu.overload?"),
                                ("overload", "There is no check 'overload'; did you mean cpu.overload?"),
                                ("weather", "There is no check 'weather'; slowctl checks lists them.")):
            result = self.ask(server, "explain", typed)
            self.assertEqual((result.status, result.out, result.err), (2, "", f"slowctl: {sentence}\n"))


class Help(TestCase):
    def test_texts(self):
        for name, arguments in (("help", ["--help"]), ("help-diagnose", ["diagnose", "--help"]),
                                ("help-explain", ["help", "explain"]), ("help-top", ["-h", "top"]),
                                ("help-alerts", ["alerts", "-h"]), ("help-history", ["history", "-h"]),
                                ("help-export", ["help", "export"]), ("help-boot", ["help", "boot"])):
            result = run(arguments, COLUMNS=80)
            self.assertEqual((result.status, result.err), (0, ""))
            self.assertLessEqual(max(len(line) for line in result.out.split("\n")), 80)
            self.assert_golden(f"{name}.txt", result.out)
        self.assertEqual(run(["help"]).out, run(["--help"]).out)

    def test_documented(self):
        """Every command and option is in the manual page and in the completions of all three shells."""
        commands = re.findall(r"^  ([a-z]+)(?: [A-Z\[]|  )", run(["--help"]).out.split("Options")[0], re.MULTILINE)
        self.assertIn("diagnose", commands)
        options = set(re.findall(r"--[a-z-]+", "".join(run([command, "--help"]).out for command in commands[:-1])))
        self.assertIn("--follow", options)
        root = os.path.join(HERE, "..", "..", "cli")
        for file in ("slowctl.1.scd", "completions/slowctl.bash", "completions/_slowctl", "completions/slowctl.fish"):
            with open(os.path.join(root, file), encoding="utf-8") as opened:
                text = opened.read()
            for word in [*commands, *options]:
                shown = f"-l {word[2:]}" if word.startswith("--") and file.endswith("fish") else word
                self.assertIn(shown, text, f"{word} is missing in {file}")

    def test_version(self):
        result = run(["--version"])
        self.assertRegex(result.out, r"^slowctl \d+\.\d+\.\d+\n$")
        self.assertEqual(result.status, 0)


# ---- slowd is not there, or does not behave ----------------------------------------------------------------


class NotReachable(TestCase):
    def assert_refused(self, result, *parts, status=3):
        self.assertEqual(result.status, status, result.err)
        self.assertEqual(result.out, "")
        self.assertEqual(result.err.count("\n"), 1, result.err)
        for part in parts:
            self.assertIn(part, result.err)

    def test_no_socket(self):
        start = "systemctl start slowd" if os.path.exists("/run/systemd/system") else "slowd &"
        self.assert_refused(run(["--socket=/nonexistent/socket"]), "There is no socket /nonexistent/socket",
                            "--socket", start)
        self.assert_refused(run(["top"], SLOWD_SOCKET="/nonexistent/socket"), "SLOWD_SOCKET", start)
        if not os.path.exists("/run/slowd/io.slowd.Diagnostics"):
            self.assert_refused(run(["status"]), "slowd is not running", "/run/slowd/io.slowd.Diagnostics", start)

    def test_nobody_listens(self):
        with FakeSlowd(self.directory.name, {}) as server:
            stale = server.path + ".stale"
            os.link(server.path, stale)
        self.assert_refused(run([f"--socket={stale}"]), "slowd is not running (nobody listens on")

    def test_no_socket_at_all(self):
        path = os.path.join(self.directory.name, "file")
        with open(path, "w", encoding="ascii"):
            pass
        self.assert_refused(run([f"--socket={path}"]), "is not a socket")
        self.assert_refused(run(["--socket=/" + "a" * 200]), "too long for a socket's path: at most 107 bytes")

    def test_not_permitted(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to become somebody else")
        server = self.serve(Diagnose=s.HEALTHY)
        os.chmod(self.directory.name, 0o700)
        done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", SLOWCTL, f"--socket={server.path}"],
                              env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if b"setpriv" in done.stderr or b"slowctl:" not in done.stderr:
            self.skipTest("nobody cannot run this slowctl: " + done.stderr.decode())
        self.assert_refused(Result(done.returncode, done.stdout.decode(), done.stderr.decode()), "You may not ask")

    def test_silent(self):
        server = self.serve(Diagnose=Silent)
        begin = time.monotonic()
        result = self.ask(server)
        self.assert_refused(result, "slowd does not answer", "within 5 s")
        self.assertAlmostEqual(time.monotonic() - begin, 5, delta=1.5)

    def test_hangs_up(self):
        for arguments, method in ((["diagnose"], "Diagnose"), (["top"], "Top"), (["diagnose", "--follow"], "Diagnose")):
            with FakeSlowd(self.directory.name, {method: Close}) as server:
                self.assert_refused(self.ask(server, *arguments), "slowd closed the connection")

    def test_garbage(self):
        for data in (b"HTTP/1.1 400 Bad Request\r\n\r\n\0", b"\0", b"[]\0", b"{\"parameters\": 7}\0", b"{\"error\": 7}\0",
                     b"\xff\xfe\0", b"{\"parameters\":" + b"[" * 100 + b"]" * 100 + b"}\0", b"{}{}\0"):
            with FakeSlowd(self.directory.name, {"Diagnose": Raw(data)}) as server:
                with self.subTest(data=data):
                    self.assert_refused(self.ask(server), "does not answer as slowd does")

    def test_reply_without_an_answer(self):
        for method, arguments in (("Diagnose", []), ("ListChecks", ["checks"]), ("Top", ["top"]),
                                  ("Alerts", ["alerts"]), ("Status", ["status"]), ("Explain", ["explain", "x"]),
                                  ("History", ["history"]), ("History", ["history", "--csv"])):
            for reply in ({}, dict(s.HISTORY, stepUSec=0), dict(s.HISTORY, untilUSec=s.HISTORY["sinceUSec"]),
                          dict(s.HISTORY, series=[{}]), dict(s.HISTORY, series=None), {"diagnosis": None, "checks": {}, "programs": "", "alerts": 1, "version": [], "name": 2}):
                with FakeSlowd(self.directory.name, {method: reply}) as server:
                    self.assert_refused(self.ask(server, *arguments), "answer lacks what slowctl needs")

    def test_errors(self):
        for name, parameters, part in (
                (INTERFACE + "TooManyConnections", {}, "too many connections"),
                ("org.varlink.service.InterfaceNotFound", {"interface": "x"}, "is not slowd"),
                ("org.varlink.service.MethodNotFound", {"method": "io.slowd.Diagnostics.Top"}, "older than this slowctl"),
                ("org.varlink.service.InvalidParameter", {"parameter": "limit"}, "refuses the value of 'limit'"),
                ("x.y.Z", {}, "answers with an error: x.y.Z"),
                (INTERFACE + "Busy", {}, "as many questions about the past as it can; try again"),
                ("org.varlink.service.PermissionDenied", {}, "Only root and members of group slowd")):
            with FakeSlowd(self.directory.name, {"Top": Error(name, parameters)}) as server:
                self.assert_refused(self.ask(server, "top"), part)

    def test_no_history(self):
        """4, as for what cannot be told."""
        error = Error(INTERFACE + "NoHistory", {"reason": "the record begins on 2024-11-20 at 08:00"})
        for method, arguments in (("Diagnose", ["--at=-1h"]), ("Diagnose", ["--since=-1h"]), ("Top", ["top", "--at=-1h"]),
                                  ("History", ["history"]), ("History", ["history", "--csv"])):
            with FakeSlowd(self.directory.name, {method: error}) as server:
                self.assert_refused(self.ask(server, *arguments), "The record has no answer: the record begins "
                                    "on 2024-11-20 at 08:00; slowctl status says since when", status=4)

    def test_not_ready(self):
        server = self.serve(Diagnose=Error(INTERFACE + "NotReady"))
        self.assert_refused(self.ask(server), "has just started", status=4)

    def test_first_look(self):
        """A slowd that has just been started is waited for; 4 if it never gets ready."""
        with FakeSlowd(self.directory.name, {"Top": [Error(INTERFACE + "NotReady"), Error(INTERFACE + "NotReady"), s.TOP]}) as server:
            self.assertEqual(self.ask(server, "top").status, 0)
        with FakeSlowd(self.directory.name, {"Top": Error(INTERFACE + "NotReady")}) as server:
            self.assert_refused(self.ask(server, "top"), "has just started", status=4)


# ---- streams -----------------------------------------------------------------------------------------------


class Streams(TestCase):
    def test_follow(self):
        server = self.serve(Diagnose=Stream([s.HEALTHY, s.SLOW]))
        result = self.ask(server, "diagnose", "--follow")
        self.assertTrue(server.calls[0]["more"])
        self.assertEqual(result.status, 3)
        self.assertIn("closed the connection", result.err)
        self.assertLess(result.out.index("web1 is healthy"), result.out.index("web1 is slow"))
        self.assertEqual(result.out.count("--- 14:14:02 ---"), 2)

    def test_follow_json(self):
        server = self.serve(Diagnose=Stream([s.HEALTHY, s.SLOW]))
        lines = self.ask(server, "-f", "--json").out.splitlines()
        self.assertEqual([json.loads(line) for line in lines], [s.HEALTHY, s.SLOW])

    def test_follow_until_interrupted(self):
        server = self.serve(Diagnose=s.HEALTHY)
        process = subprocess.Popen([SLOWCTL, "-f", f"--socket={server.path}"], env=environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertIn(b"---", process.stdout.readline())
        time.sleep(0.3)
        self.assertIsNone(process.poll(), "waits for the next answer")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=5)
        self.assertEqual(process.returncode, -signal.SIGINT)

    def test_wait(self):
        server = self.serve(Diagnose=Stream([s.UNKNOWN, s.UNKNOWN, s.SLOW]))
        result = self.ask(server, "--wait=10")
        self.assertEqual((result.status, result.err), (1, ""))
        self.assertNotIn("Too little is known", result.out)
        self.assertIn("web1 is slow", result.out)

    def test_wait_until_ready(self):
        server = self.serve(Diagnose=[Error(INTERFACE + "NotReady"), Error(INTERFACE + "NotReady"), s.HEALTHY])
        result = self.ask(server, "--wait")
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertEqual(len(server.calls), 3)

    def test_wait_in_vain(self):
        with FakeSlowd(self.directory.name, {"Diagnose": s.UNKNOWN}) as server:
            begin = time.monotonic()
            result = self.ask(server, "--wait=1")
            self.assertAlmostEqual(time.monotonic() - begin, 1, delta=0.9)
            self.assertEqual((result.status, result.err), (4, ""))
            self.assertIn("Too little is known", result.out)
        with FakeSlowd(self.directory.name, {"Diagnose": Error(INTERFACE + "NotReady")}) as server:
            result = self.ask(server, "--wait=600ms")
            self.assertEqual(result.status, 4)
            self.assertIn("has just started", result.err)


# ---- the terminal ------------------------------------------------------------------------------------------


class Terminal(TestCase):
    def on_terminal(self, arguments, rows=50, columns=80, typed=b"", **env):
        """Runs slowctl on a pseudo-terminal; what it wrote there, and its exit status."""
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.execve(SLOWCTL, [SLOWCTL, *arguments], environment(**env))
            finally:
                os._exit(127)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        output, deadline = b"", time.monotonic() + 15
        if typed:
            time.sleep(1)
            os.write(terminal, typed)
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:  # EIO: the other side is closed
                break
            if not data:
                break
            output += data
        os.close(terminal)
        return output.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_color(self):
        server = self.serve(Diagnose=s.SLOW)
        arguments = [f"--socket={server.path}"]
        text, status = self.on_terminal(arguments, COLUMNS=80, LINES=60)
        self.assertEqual(status, 1)
        self.assertIn("\033[1;31mslow\033[0m", text)
        self.assertIn("\033[1mwho waits\033[0m", text)
        plain = run([*arguments, "--color=never"], COLUMNS=80).out
        self.assertEqual(re.sub("\033\\[[0-9;]*m", "", text), plain)
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\033", self.on_terminal(arguments, COLUMNS=80, LINES=60, **env)[0])
        self.assertIn("\033", self.on_terminal(arguments, COLUMNS=80, LINES=60, NO_COLOR="")[0])
        self.assertNotIn("\033", self.on_terminal([*arguments, "--color=never"], LINES=60)[0])
        self.assertNotIn("\033", run(arguments).out)
        self.assertIn("\033", run([*arguments, "--color=always"], NO_COLOR="1").out)

    def test_color_of_tables(self):
        server = self.serve(ListChecks=s.CHECKS, Alerts=s.ALERTS, Status=s.STATUS, Top=s.TOP)
        for command in ("checks", "alerts", "status"):
            text = run([command, "--color=always", f"--socket={server.path}"], COLUMNS=80).out
            plain = run([command, f"--socket={server.path}"], COLUMNS=80).out
            self.assertIn("\033[", text)
            stripped = re.sub("\033\\[[0-9;]*m", "", text)
            self.assertEqual([line.rstrip() for line in stripped.split("\n")], plain.split("\n"))

    def test_no_recording_on_a_terminal(self):
        text, status = self.on_terminal(["export", "-", "--socket=/nonexistent"])
        self.assertEqual(status, 2)
        self.assertIn("A recording is not for a terminal", text)

    def test_history_uses_the_screen(self):
        """As many rows as let all charts stand on the screen at once; the colours add nothing else."""
        server = self.serve(History=s.HISTORY_PROGRAM)
        for lines, rows in ((24, 4), (50, 6), (200, 8)):
            text, _ = self.on_terminal(["history", "--proc=ffmpeg", "--no-pager", f"--socket={server.path}"],
                                       COLUMNS=80, LINES=lines)
            plain = re.sub("\033\\[[0-9;]*m", "", text)
            self.assertEqual(len(re.findall("[┤│]", plain)), 4 * rows)
            self.assertIn("\033[2m·", text)
            self.assertIn("\033[1;31m", text)

    def test_json_is_pretty(self):
        server = self.serve(Diagnose=s.SLOW)
        text, _ = self.on_terminal(["--json", f"--socket={server.path}"], LINES=10)
        self.assertGreater(text.count("\n"), 50)
        self.assertEqual(json.loads(text), s.SLOW)

    def test_pager(self):
        server = self.serve(Diagnose=s.SLOW)
        arguments = [f"--socket={server.path}"]
        paged = {"SLOWD_PAGER": "sed 's/^/paged: /'", "LINES": 10, "COLUMNS": 80}
        text, status = self.on_terminal(arguments, **paged)
        self.assertTrue(text.startswith("paged: "), text)
        self.assertEqual(status, 1)
        for more, env in ((["--no-pager"], {}), (["--json"], {}), ([], {"LINES": 100}), ([], {"SLOWD_PAGER": ""}),
                          ([], {"SLOWD_PAGER": "cat"})):
            text, status = self.on_terminal(arguments + more, **{**paged, **env})
            self.assertNotIn("paged: ", text)
            self.assertIn("ffmpeg", text)
            self.assertEqual(status, 1)
        text, _ = self.on_terminal(arguments, PAGER="sed 's/^/paged: /'", LINES=10)
        self.assertIn("paged: ", text)
        self.assertNotIn("paged: ", run(arguments, **paged).out)

    def test_pager_that_fails(self):
        server = self.serve(Diagnose=s.SLOW)
        arguments = [f"--socket={server.path}"]
        for pager in ("slowctl-no-such-pager", "true", "exit 3"):
            text, status = self.on_terminal(arguments, SLOWD_PAGER=pager, LINES=10)
            self.assertEqual(status, 1)
            if pager == "slowctl-no-such-pager":
                self.assertIn("ffmpeg", text)


class Writing(TestCase):
    def test_reader_gone(self):
        server = self.serve(Diagnose=Stream([s.SLOW] * 2000))
        for arguments in (["--json=pretty"], ["-f"], []):
            process = subprocess.Popen([SLOWCTL, *arguments, f"--socket={server.path}"], env=environment(),
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdout.read(10)
            process.stdout.close()
            err = process.stderr.read()
            process.stderr.close()
            self.assertEqual(err, b"")
            self.assertEqual(process.wait(10), 1)

    def test_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        server = self.serve(Diagnose=s.SLOW)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([SLOWCTL, f"--socket={server.path}"], env=environment(), stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"cannot be written: No space left on device", done.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    SLOWCTL = os.path.abspath(sys.argv.pop(1))
    if not os.access(SLOWCTL, os.X_OK):
        sys.exit(f"{SLOWCTL} is not there: build it first")
    unittest.main()
