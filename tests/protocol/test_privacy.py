"""A user who is neither root nor in group slowd sees no foreign command line, script or directory; what is
their own they see. Needs root, to become somebody else.
Run as: test_privacy.py SLOWD-FAKE [SLOWD]"""

import grp
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from varlink import Client, Daemon, DIAGNOSTICS

PROGRAM = sys.argv.pop(1)
REAL_PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else None

NOBODY = 65534
ASK = """
import json, os, sys
sys.path.insert(0, %r)
from varlink import Client  # while its file can be read
groups = json.loads(sys.argv[3])
os.setgroups(groups)
os.setresgid(65534, 65534, 65534)
os.setresuid(int(sys.argv[2]), int(sys.argv[2]), int(sys.argv[2]))
with Client(sys.argv[1]) as client:
    print(json.dumps([client.call("io.slowd.Diagnostics." + method, parameters) for method, parameters in (
        ("Diagnose", None), ("Alerts", None), ("Top", {"limit": 256}))]))
""" % os.path.dirname(os.path.abspath(__file__))


def ask_as(path, uid, groups=()):
    """What Diagnose, Alerts and Top answer to another user."""
    out = subprocess.run([sys.executable, "-c", ASK, path, str(uid), json.dumps(list(groups))], check=True,
                         stdout=subprocess.PIPE, timeout=30).stdout
    diagnosis, alerts, top = (reply["parameters"] for reply in json.loads(out))
    return diagnosis["diagnosis"], alerts["alerts"], top["programs"]


@unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
class Privacy(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon(PROGRAM, state="slow")

    def tearDown(self):
        self.daemon.__exit__()

    def test_root_sees_all(self):
        diagnosis, alerts, programs = ask_as(self.daemon.path, 0)
        culprit = diagnosis["causes"][0]["culprit"]
        self.assertIn("secret-of-root", culprit["commandLine"])
        self.assertEqual(culprit["startedBy"]["script"], "/secret/deploy.sh")
        self.assertEqual(culprit["startedBy"]["workingDirectory"], "/secret")
        self.assertIn("deploy.sh", culprit["startedBy"]["chain"][1]["commandLine"])
        self.assertIn("secret-of-root", alerts[0]["culprit"]["commandLine"])
        self.assertTrue(all(program["commandLine"] for program in programs))

    def test_nobody_sees_their_own(self):
        diagnosis, alerts, programs = ask_as(self.daemon.path, NOBODY)
        culprit, victim = diagnosis["causes"][0]["culprit"], diagnosis["causes"][0]["victims"][0]
        for subject in culprit, alerts[0]["culprit"]:
            self.assertEqual(subject["name"], "ffmpeg")  # who it is everyone may know
            self.assertEqual(subject["pids"], [4711, 4712])
            self.assertIsNone(subject["commandLine"])
        self.assertEqual(victim["commandLine"], "nginx: worker of nobody")
        self.assertEqual(alerts[0]["victims"][0]["commandLine"], "nginx: worker of nobody")
        origin = culprit["startedBy"]
        self.assertEqual([step["name"] for step in origin["chain"]], ["cron", "sh"])
        self.assertEqual([step["commandLine"] for step in origin["chain"]], [None, None])
        self.assertIsNone(origin["script"])
        self.assertIsNone(origin["workingDirectory"])
        shown = [program["commandLine"] for program in programs if program["commandLine"]]
        self.assertEqual(len(shown), 128)
        self.assertTrue(all(line.startswith("nobodys") for line in shown))
        self.assertNotIn("secret", json.dumps([diagnosis, alerts, programs]))

    def test_a_third_user_sees_neither(self):
        answers = json.dumps(ask_as(self.daemon.path, 12345))
        for withheld in "secret", "nginx: worker", "nobodys", "roots":
            self.assertNotIn(withheld, answers)

    def test_members_of_the_group_see_all(self):
        try:
            group = grp.getgrnam("slowd").gr_gid
        except KeyError:
            self.skipTest("there is no group slowd on this machine")
        diagnosis, _, _ = ask_as(self.daemon.path, 12345, [1, 2, group])
        self.assertIn("secret-of-root", diagnosis["causes"][0]["culprit"]["commandLine"])

    def test_many_groups_are_read(self):
        diagnosis, _, _ = ask_as(self.daemon.path, 12345, range(100000, 100500))
        self.assertIsNone(diagnosis["causes"][0]["culprit"]["commandLine"])

    def test_views_are_not_mixed_up(self):
        """Replies are made once for whoever sees the same; never for anybody else."""
        for _ in range(3):
            self.assertIsNone(ask_as(self.daemon.path, NOBODY)[0]["causes"][0]["culprit"]["commandLine"])
            with Client(self.daemon.path) as client:
                culprit = client.call(DIAGNOSTICS + ".Diagnose")["parameters"]["diagnosis"]["causes"][0]["culprit"]
                self.assertIn("secret-of-root", culprit["commandLine"])


@unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
@unittest.skipUnless(REAL_PROGRAM, "slowd itself was not built")
class PrivacyOfThisMachine(unittest.TestCase):
    def test_nobody_sees_no_foreign_command_line(self):
        with tempfile.TemporaryDirectory() as directory:
            program = shutil.copy("/bin/sh", directory + "/privacyhog")  # a program of its own name
            # uses the CPU, so that it is among those that Top shows
            with subprocess.Popen([program, "-c", "while :; do :; done", "a-secret"]) as hog:
                try:
                    with Daemon(REAL_PROGRAM) as daemon:
                        daemon.wait_until(lambda: "a-secret" in str(self.rows(daemon, 0)))
                        self.assertEqual(self.rows(daemon, 0)[0]["firstPid"], hog.pid)
                        rows = self.rows(daemon, NOBODY)
                        self.assertEqual(len(rows), 1)
                        self.assertIsNone(rows[0]["commandLine"])
                        self.assertNotIn("a-secret", json.dumps(ask_as(daemon.path, NOBODY)))
                finally:
                    hog.kill()

    @staticmethod
    def rows(daemon, uid):
        return [row for row in ask_as(daemon.path, uid)[2] if row["name"] == "privacyhog"]


if __name__ == "__main__":
    unittest.main()
