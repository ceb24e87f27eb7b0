"""The record on a real file system that is filled to the last byte, fails, or may not be written: slowd goes on, answers
from memory, says so, and writes again. On a loop device with ext4, in a mount namespace of its own; needs root. Run as:
test_record.py SLOWD"""

import ctypes
import errno
import fcntl
import os
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "protocol"))
from varlink import DIAGNOSTICS, Client, Daemon  # pylint: disable=wrong-import-position

SLOWD = sys.argv.pop(1)
SECONDS = 1000000
CLONE_NEWNS = 0x20000
EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH = 0x8004587D, 2  # linux/fs/ext4/ext4.h


def now_usec():
    return int(time.time() * SECONDS)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def own_mounts():
    """A mount namespace of this process: what is mounted here goes with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) < 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run("mount", "--make-rprivate", "/")


def fill(path):
    """Writes until not one byte more fits, and the blocks that are kept for root too."""
    with open(path, "wb", buffering=0) as ballast:
        for size in (65536, 4096, 512, 1):
            try:
                while ballast.write(b"\xa5" * size):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        os.fsync(ballast.fileno())


def shut_down(directory):
    """From now on whatever is written or read there fails with EIO. Unlike a real error this leaves nothing in the kernel's
    log that other tests would take for a failing disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", EXT4_GOING_FLAGS_NOLOGFLUSH))
    finally:
        os.close(descriptor)


class FileSystem(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory(prefix="slowd-record-")
        self.addCleanup(self.place.cleanup)
        self.image, self.state = os.path.join(self.place.name, "image"), os.path.join(self.place.name, "mounted")
        os.mkdir(self.state)
        self.mount(self.image)

    def mount(self, image):
        with open(image, "wb") as file:
            file.truncate(4 << 20)
        run("mkfs.ext4", "-q", "-O", "^has_journal", image)
        run("mount", "-o", "loop", image, self.state)
        self.addCleanup(run, "umount", "-l", self.state)

    def start(self):
        daemon = Daemon(SLOWD, arguments=["--state-directory=" + self.state])
        self.addCleanup(daemon.__exit__)
        daemon.wait_until(lambda: daemon.status()["historyWriting"] is not None)
        return daemon

    def ask(self, daemon, method, parameters=None):
        with Client(daemon.path) as client:
            reply = client.call(DIAGNOSTICS + "." + method, parameters)
        self.assertIsNotNone(reply, (daemon.process.poll(), daemon.log()))
        self.assertNotIn("error", reply)
        return reply["parameters"]

    def values(self, daemon, since):
        """How many steps of 0.2 s have a value, of those up to a second ago; and why some are from memory."""
        until = now_usec() - SECONDS
        reply = self.ask(daemon, "History", {"sinceUSec": since, "untilUSec": until, "stepUSec": SECONDS})
        cpu = reply["series"][0]["values"]
        return sum(value is not None for value in cpu), len(cpu), reply["memoryOnly"]

    def assert_complete(self, daemon, since, is_from_memory):
        known, steps, memory_only = self.values(daemon, since)
        self.assertGreaterEqual(known, steps - 1, (known, steps, memory_only))
        self.assertEqual(bool(memory_only), is_from_memory, memory_only)
        return memory_only

    def assert_survives(self, daemon, since, within=30):
        """It cannot write, says so, and answers of all the time since then from memory."""
        daemon.wait_until(lambda: daemon.status()["historyWriting"] is False, timeout=within)
        self.assertTrue(daemon.status()["historyProblem"])
        time.sleep(3)
        memory_only = self.assert_complete(daemon, since, True)
        self.assertEqual(memory_only, daemon.status()["historyProblem"])
        diagnosis = self.ask(daemon, "Diagnose", {"atUSec": now_usec() - SECONDS})["diagnosis"]
        self.assertIn("answered from memory", str(diagnosis["notChecked"]))
        self.assertIn("in memory only", str(self.ask(daemon, "Diagnose")["diagnosis"]["notChecked"]))
        self.assertTrue(self.ask(daemon, "Top", {"atUSec": now_usec() - SECONDS})["programs"])

    def test_filled_to_the_last_byte_and_freed(self):
        daemon = self.start()
        time.sleep(2)
        since = now_usec() - SECONDS
        ballast = os.path.join(self.state, "ballast")
        fill(ballast)
        self.assertEqual(os.statvfs(self.state).f_bavail, 0)
        self.assert_survives(daemon, since)
        self.assertIn("full", daemon.status()["historyProblem"])
        os.unlink(ballast)
        daemon.wait_until(lambda: daemon.status()["historyWriting"], timeout=90)
        time.sleep(2)
        self.assertIsNone(daemon.status()["historyProblem"])
        # once the block at hand is finished nothing is in memory only; what was recorded meanwhile is all there
        known, steps, _ = self.values(daemon, since)
        self.assertGreaterEqual(known, steps - 1)
        self.assertEqual(daemon.end(), 0)
        self.assertFalse([name for name in os.listdir(self.state) if "damaged" in name])
        daemon.process = subprocess.Popen(daemon.process.args, stderr=daemon.log_file)
        daemon.wait_ready()
        daemon.wait_until(lambda: daemon.status()["historyWriting"])
        reply = self.ask(daemon, "History", {"sinceUSec": since, "untilUSec": since + 8 * SECONDS, "stepUSec": SECONDS})
        self.assertIsNone(reply["memoryOnly"])
        self.assertNotIn(None, reply["series"][0]["values"][:5])

    def test_a_file_system_that_fails_and_is_replaced(self):
        daemon = self.start()
        time.sleep(2)
        since = now_usec() - SECONDS
        shut_down(self.state)
        self.assert_survives(daemon, since)
        self.mount(self.image + "-2")
        daemon.wait_until(lambda: daemon.status()["historyWriting"], timeout=90)
        self.assertTrue(os.path.exists(os.path.join(self.state, "history.slowd")))

    def test_read_only_from_the_start(self):
        run("mount", "-o", "remount,ro", self.state)
        since = now_usec()
        daemon = self.start()
        time.sleep(3)
        self.assert_survives(daemon, since + 2 * SECONDS)
        with Client(daemon.path) as client:
            reply = client.call(DIAGNOSTICS + ".Diagnose", {"atUSec": since - 3600 * SECONDS})
        self.assertEqual(reply["error"], DIAGNOSTICS + ".NoHistory")
        run("mount", "-o", "remount,rw", self.state)
        daemon.wait_until(lambda: daemon.status()["historyWriting"], timeout=90)


if __name__ == "__main__":
    if os.getuid() != 0:
        print("skipped: only root may mount file systems")
        sys.exit(77)
    try:
        own_mounts()
    except (OSError, subprocess.CalledProcessError) as failure:
        print(f"skipped: no mount namespace of its own: {failure}")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as trial:
        try:
            with open(trial + "/image", "wb") as image_file:
                image_file.truncate(4 << 20)
            run("mkfs.ext4", "-q", trial + "/image")
            os.mkdir(trial + "/mounted")
            run("mount", "-o", "loop", trial + "/image", trial + "/mounted")
            run("umount", trial + "/mounted")
        except (OSError, subprocess.CalledProcessError) as failure:
            print(f"skipped: no loop device with ext4 can be mounted: {failure}")
            sys.exit(77)
    unittest.main()
