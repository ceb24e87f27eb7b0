"""Alerts in the journal: a socket of our own stands where the journal's is, in a mount namespace of our own.
Needs root for that. Run as: test_journal.py SLOWD-FAKE"""

import os
import socket
import struct
import subprocess
import sys
import time
import unittest

from varlink import Daemon, DIAGNOSTICS, call

PROGRAM = sys.argv[1]
DIRECTORY = "/run/systemd/journal"
INSIDE = "SLOWD_TEST_NAMESPACE"


def parse(datagram):
    """The fields of an entry: "KEY=value\\n", or "KEY\\n", 64-bit length, value, "\\n"."""
    fields = {}
    while datagram:
        line, datagram = datagram.split(b"\n", 1)
        if b"=" in line:
            key, value = line.split(b"=", 1)
        else:
            key = line
            (length,) = struct.unpack("<Q", datagram[:8])
            value, datagram = datagram[8:8 + length], datagram[8 + length + 1:]
        assert key.decode() not in fields, key
        fields[key.decode()] = value.decode()
    return fields


class Journal(unittest.TestCase):
    def setUp(self):
        self.journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.journal.bind(DIRECTORY + "/socket")
        self.journal.settimeout(10)

    def tearDown(self):
        self.journal.close()
        os.unlink(DIRECTORY + "/socket")

    def test_an_incident_from_beginning_to_end(self):
        with Daemon(PROGRAM) as daemon:
            entries = []
            for state in "slow", "worse", "healthy":
                daemon.set_state(state)
                entries.append(parse(self.journal.recv(65536)))
            self.assertEqual(daemon.log(), "")  # said once
            explained = call(daemon.path, DIAGNOSTICS + ".Explain", {"check": "cpu.overload"})
        self.assertEqual([entry["SLOWD_EVENT"] for entry in entries], ["opened", "worsened", "closed"])
        self.assertEqual([entry["PRIORITY"] for entry in entries], ["4", "3", "5"])
        self.assertEqual([entry["SLOWD_LOST_PERMILLE"] for entry in entries], ["310", "600", "310"])
        self.assertEqual(entries[0]["MESSAGE"], "cpu.overload: 30 ffmpeg processes want 28 CPUs of 2, and nginx "
                                                "waits 31 % of its time")
        for entry in entries:
            self.assertEqual(entry["MESSAGE_ID"], explained["messageId"])
            self.assertEqual(entry["SYSLOG_IDENTIFIER"], "slowd")
            self.assertEqual(entry["SLOWD_CHECK"], "cpu.overload")
            self.assertEqual(entry["SLOWD_CULPRIT"], "ffmpeg")
            self.assertEqual(entry["SLOWD_CULPRIT_UNIT"], "cron.service")
            self.assertEqual(entry["SLOWD_CULPRIT_PID"], "4711")
            self.assertEqual(entry["SLOWD_VICTIM"], "nginx")
            self.assertRegex(entry["SLOWD_SINCE"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertFalse([value for value in entry.values() if "secret" in value])

    def test_a_flood_of_incidents_is_bounded(self):
        with Daemon(PROGRAM, arguments=["--interval=0.05"]) as daemon:
            for _ in range(25):
                for state in "slow", "healthy":
                    daemon.set_state(state)
                    daemon.wait_until(lambda: daemon.status()["summary"] == "fake is %s." % state)
            self.journal.settimeout(1)
            entries = 0
            with self.assertRaises(socket.timeout):
                while True:
                    self.journal.recv(65536)
                    entries += 1
            self.assertGreaterEqual(entries, 20)
            self.assertLess(entries, 25)  # of 50

    def test_a_journal_that_is_stuck_stops_nobody(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            filler.setblocking(False)
            with self.assertRaises(BlockingIOError):
                while True:
                    filler.sendto(b"MESSAGE=x\n", DIRECTORY + "/socket")
            with Daemon(PROGRAM) as daemon:
                daemon.set_state("slow")
                daemon.wait_until(lambda: daemon.status()["summary"] == "fake is slow.")
                before = daemon.status()["ticks"]
                time.sleep(1)
                self.assertGreater(daemon.status()["ticks"], before + 2)
                datagram = b""
                while b"SLOWD_CHECK" not in datagram:  # and when it goes on, the alert is there
                    datagram = self.journal.recv(65536)

    def test_stop_while_the_journal_is_stuck(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
            filler.setblocking(False)
            with self.assertRaises(BlockingIOError):
                while True:
                    filler.sendto(b"MESSAGE=x\n", DIRECTORY + "/socket")
            with Daemon(PROGRAM) as daemon:
                daemon.set_state("slow")
                daemon.wait_until(lambda: daemon.status()["summary"] == "fake is slow.")
                time.sleep(0.3)
                self.assertEqual(daemon.end(), 0)


def main():
    if os.geteuid() != 0:
        print("skipped: only root can put a socket in the journal's place")
        sys.exit(77)
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode != 0:
        print("skipped: no mounts of its own are to be had here (a container, or a chroot that is no mount point)")
        sys.exit(77)
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        command = ["unshare", "--mount", "--propagation=private", "sh", "-c",
                   "mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && mkdir %s && exec \"$@\"" %
                   DIRECTORY, "sh", sys.executable, *sys.argv]
        sys.exit(subprocess.run(command, check=False).returncode)
    del sys.argv[1]
    unittest.main()


if __name__ == "__main__":
    main()
