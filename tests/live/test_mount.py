"""A network mount (FUSE, slowfs.py) that answers late, or not at all, and somebody who works on it."""

import os
import signal
import subprocess
import sys
import time

from expect import blamed, both, healthy, without
from live import Failed, main, scenario
from machine import Impossible, call, need_root, read

HERE = os.path.dirname(os.path.abspath(__file__))

# A mail program: it looks at many small files, one after the other.
READER = """\
#!/usr/bin/env python3
import os, sys, time
os.chdir(sys.argv[1])
while True:
    for number in range(20):
        fd = os.open(f"message{number}", os.O_RDONLY)
        os.fstat(fd)
        for block in range(4):
            os.pread(fd, 4096, block << 18)
        os.close(fd)
    time.sleep(float(sys.argv[2]))
"""


def mount(t, delay, with_connections=True):
    """A directory served by slowfs.py, with the control files that a machine with systemd has."""
    need_root()
    if not os.path.exists("/dev/fuse"):
        raise Impossible("no /dev/fuse")
    control = "/sys/fs/fuse/connections"
    if with_connections and os.path.isdir(control) and not os.listdir(control) and not os.path.ismount(control):
        call("mount", "-t", "fusectl", "none", control)
        t.undo(lambda: call("umount", control))
    path = f"{t.directory}/far"
    os.makedirs(path, exist_ok=True)
    server = t.start("server", [sys.executable, f"{HERE}/slowfs.py", path, f"--delay={delay}"])
    # -f ends the waits, -l takes it away even if somebody works there
    t.undo(lambda: subprocess.run(["umount", "-f", "-l", path], check=False, capture_output=True), relief=True)
    deadline = time.monotonic() + 20
    while f" {path} " not in read("/proc/self/mountinfo"):
        if time.monotonic() > deadline or not server.is_running():
            raise Impossible("FUSE cannot be mounted here")
        time.sleep(0.1)
    return path, server


def reader(t, path, pause=0.0):
    script = t.script("mailer", READER)
    return t.start("mailer", [script, f"{path}/mail", str(pause)])


def threads(t):
    return len(os.listdir(f"/proc/{t.slowd.pid}/task"))


def untouched(what):
    return both(what, without("mount.slow", "mount.hung"))


@scenario
def mount_slow(t):
    """A mount that answers after 60 ms, first with nobody on it, then with a program that reads many small files."""
    path, _ = mount(t, 60)
    t.minds_others = False  # nobody else is on this mount
    t.start_slowd()
    t.hold("nothing while nobody uses it", untouched(without("disk.saturated")), 11)
    began = time.monotonic()
    mailer = reader(t, path)
    t.expect("the mount blamed", blamed("mount.slow", culprit=path.lstrip("/"), kind="mount", victims=("mailer",),
                                        says="/far/mail", first=False), within=45, since=began)
    t.hold("no disk blamed for it", without("disk.saturated", "mount.hung"), 10)
    t.stop(mailer)
    t.expect("nothing any more without the program", without("mount.slow", "mount.hung"), within=40)


@scenario
def mount_fast(t):
    """A fast mount under load: the program does nothing else, but each request is answered within a millisecond."""
    path, _ = mount(t, 0)
    t.minds_others = False
    t.start_slowd()
    reader(t, path)
    t.hold("nothing on a fast mount", without("mount.slow", "mount.hung", "disk.saturated"), 40)


@scenario
def mount_hung(t):
    """The server stops while a program works on its mount: more and more programs get stuck, slowd does not."""
    path, server = mount(t, 1, with_connections=False)
    t.minds_others = False
    t.start_slowd()
    mailer = reader(t, path, 0.05)
    t.hold("nothing while it answers", untouched(without("disk.saturated")), 11)
    before = None if t.validate else threads(t)
    began = time.monotonic()
    server.send(signal.SIGSTOP)
    t.undo(lambda: server.send(signal.SIGCONT), relief=True)
    t.expect("the mount blamed", blamed("mount.hung", culprit=path.lstrip("/"), kind="mount", victims=("mailer",),
                                        says="umount -l"), within=45, since=began)
    others = [t.start("ls", ["ls", "-l", f"{path}/photos"]) for _ in range(12)]
    t.hold("it stays so with many on it", both(blamed("mount.hung", culprit=path.lstrip("/"), victims=("mailer", "ls")),
                                               without("disk.saturated", "mount.slow")), 20)
    if before is not None and threads(t) != before:
        raise Failed(f"slowd had {before} threads before, and has {threads(t)} now")
    if t.slowest_answer > 5:
        raise Failed(f"an answer took {t.slowest_answer:.1f} s")
    server.send(signal.SIGCONT)  # not even SIGKILL ends a wait whose request the server has already taken
    for one in (mailer, *others):
        t.stop(one)
    t.expect("nothing any more when it answers", without("mount.slow", "mount.hung"), within=40)


@scenario
def mount_dead(t):
    """The server of a FUSE mount is stopped, and nobody uses the mount."""
    _, server = mount(t, 1)
    t.minds_others = False
    t.start_slowd()
    server.send(signal.SIGSTOP)
    t.undo(lambda: server.send(signal.SIGCONT), relief=True)
    t.hold("a dead mount that nobody touches is no cause", without("mount.slow", "mount.hung"), 30)


if __name__ == "__main__":
    main()
