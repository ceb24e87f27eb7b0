"""A disk of 1 MB a second, somebody who writes to it all the time, and somebody who waits."""

import time

from expect import blamed, both, healthy, without
from live import main, scenario
from machine import SlowDisk
from victims import need

MB = 1 << 20

# A small database: one row a time, safe on the disk before the next one. It bounds itself by its own speed.
VICTIM = """\
import os, time
fd = os.open("rows", os.O_RDWR | os.O_CREAT)
while True:
    began = time.monotonic()
    os.pwrite(fd, b"x" * 4096, 0)
    os.fsync(fd)
    print(f"{time.monotonic():.3f} {time.monotonic() - began:.4f}", flush=True)
    time.sleep(0.05)
"""


def slow_disk(t):
    disk = SlowDisk(t.directory, 400 * MB, t.undo)
    t.undo(lambda: disk.throttle(0), relief=True)
    t.disks = [disk.name]
    t.minds_others = False  # nobody else uses this disk
    return disk


def writer(t, disk, label="dd", size="256k"):
    """Sustained: it starts again when its file is full."""
    loop = f"while :; do dd if=/dev/zero of=big bs={size} count=800 conv=notrunc oflag=direct; done"
    return t.start(label, ["sh", "-c", loop], directory=disk.path, group=disk.writers)


def victim(t, disk, name="database"):
    program = f"{t.directory}/{name}"
    with open(program, "w", encoding="ascii") as file:
        file.write(VICTIM)
    return t.start(name, ["python3", program], directory=disk.path, group=disk.readers, output=f"{t.directory}/latency")


def latency(t, since):
    """How long the victim's commits take: median and worst, ms."""
    with open(f"{t.directory}/latency", encoding="ascii") as file:
        waits = sorted(float(line.split()[1]) for line in file if float(line.split()[0]) >= since)
    if waits:
        t.say(f"commits: {len(waits)}, median {waits[len(waits) // 2] * 1e3:.0f} ms, worst {waits[-1] * 1e3:.0f} ms")
    else:
        t.say("commits: none in this time")


@scenario
def disk_saturated(t):
    """The victim alone, then with a writer beside it, then the writer alone."""
    need("dd")
    disk = slow_disk(t)
    disk.writers = disk.group("slowd-live-writer.service", t.undo)
    disk.readers = disk.group("slowd-live-victim.service", t.undo)
    disk.throttle(MB)
    t.start_slowd()
    database = victim(t, disk)
    began = time.monotonic()
    t.hold("healthy beforehand", healthy, 11)
    latency(t, began)
    began = time.monotonic()
    busy = writer(t, disk)
    t.expect("the writer blamed", blamed("disk.saturated", culprit="dd", kind="program",
                                         victims=("database", "python3", "database.py")), within=20, since=began)
    latency(t, began)
    t.stop(database)
    t.expect("no cause any more without the victim", healthy, within=35)
    t.hold("a busy disk is no cause", both(without("disk.saturated"), healthy), 20)
    t.stop(busy)


@scenario
def disk_same_name(t):
    """Writer and victim are both called dd: only their units (or their figures) tell them apart."""
    need("dd")
    disk = slow_disk(t)
    disk.writers = disk.group("slowd-live-writer.service", t.undo)
    disk.readers = disk.group("slowd-live-victim.service", t.undo)
    disk.throttle(MB)
    t.start_slowd()
    t.start("victim", ["sh", "-c", "while :; do dd if=/dev/zero of=small bs=4k count=200 conv=notrunc oflag=dsync;"
                       " done"], directory=disk.path, group=disk.readers)
    began = time.monotonic()
    writer(t, disk, size="1M")
    t.expect("a dd blamed", blamed("disk.saturated", culprit="dd"), within=20, since=began)


@scenario
def disk_elsewhere(t):
    """Somebody else writes twenty times as much to another, fast disk: that does not make it the culprit."""
    need("dd")
    disk = slow_disk(t)
    disk.writers = disk.group("slowd-live-writer.service", t.undo)
    disk.readers = disk.group("slowd-live-victim.service", t.undo)
    disk.throttle(MB)
    t.start_slowd()
    spooler = t.script("spooler.py", "#!/usr/bin/env python3\nimport os, time\n"
                       "fd = os.open('spool', os.O_WRONLY | os.O_CREAT)\nblock = os.urandom(1 << 20)\nat = 0\n"
                       "while True:\n    os.pwrite(fd, block, at % 100 << 20)\n    at += 1\n    time.sleep(0.05)\n")
    t.start("spooler", [spooler])
    victim(t, disk)
    t.hold("healthy with a writer on a fast disk", healthy, 11)
    began = time.monotonic()
    writer(t, disk)
    t.expect("the writer to the slow disk blamed", blamed("disk.saturated", culprit="dd"), within=20, since=began)


if __name__ == "__main__":
    main()
