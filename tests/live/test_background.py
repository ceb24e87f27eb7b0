"""Background work on a disk of its own: an indexer, a backup, and somebody who waits for them or does not."""

import os
import time

from expect import all_findings, blamed, without
from live import main, scenario
from machine import SlowDisk, call
from victims import need

MB = 1 << 20
QUIET = without("background.indexer", "background.maintenance", "disk.saturated")  # the CPUs are others' business
PAST = 75  # seconds: what is usual is known from what was a minute before

# A small database: twenty reads a second of a page that is in no cache. It bounds itself by its own speed.
READER = """\
import mmap, os, random, time
fd = os.open("table", os.O_RDONLY | os.O_DIRECT)
page = mmap.mmap(-1, 4096)
while True:
    began = time.monotonic()
    os.preadv(fd, [page], random.randrange(os.fstat(fd).st_size // 4096) * 4096)
    print(f"{time.monotonic():.3f} {time.monotonic() - began:.4f}", flush=True)
    time.sleep(0.05)
"""


# The same that saves: a page a time, safe on the disk before the next one.
WRITER = """\
import os, time
fd = os.open("rows", os.O_RDWR | os.O_CREAT)
while True:
    began = time.monotonic()
    os.pwrite(fd, b"x" * 4096, 0)
    os.fsync(fd)
    print(f"{time.monotonic():.3f} {time.monotonic() - began:.4f}", flush=True)
    time.sleep(0.05)
"""


def plant(directory, directories, files):
    """Many small directories of empty files, as a source tree or a mail directory has them."""
    for number in range(directories):
        path = f"{directory}/tree/{number % 40}/{number}"
        os.makedirs(path)
        for name in range(files):
            os.close(os.open(f"{path}/a-file-of-a-common-length-{name}", os.O_CREAT | os.O_WRONLY, 0o644))


def slow_disk(t, rate, directories=0, files=20):
    """The throttle begins when everything is there, and nothing of it is in a cache."""
    disk = SlowDisk(t.directory, 400 * MB, t.undo, inodes=directories * (files + 1) + 1000)
    t.undo(lambda: disk.throttle(0), relief=True)
    t.disks = [disk.name]
    t.minds_others = False  # nobody else uses this disk
    disk.readers = disk.group("slowd-live-victim.service", t.undo)
    disk.workers = disk.group("slowd-live-worker.service", t.undo)
    with open(f"{disk.path}/table", "wb") as file:
        file.write(b"x" * (64 * MB))  # what is only allocated is not read from the disk
    plant(disk.path, directories, files)
    os.makedirs(f"{disk.path}/mail")
    for number in range(30):  # what a backup reads
        with open(f"{disk.path}/mail/{number}", "wb") as file:
            file.write(b"x" * (2 * MB))
    call("umount", disk.path)
    call("mount", "-o", "noatime", disk.device, disk.path)
    os.sync()
    disk.throttle(rate)
    return disk


def start_database(t, disk, text=READER):
    program = f"{t.directory}/database.py"
    with open(program, "w", encoding="ascii") as file:
        file.write(text)
    return t.start("database", ["python3", program], directory=disk.path, group=disk.readers,
                   output=f"{t.directory}/latency")


def index(t, disk, wrapper=(), **options):
    return t.start("updatedb", [*wrapper, "updatedb", "-U", disk.path, "-o", f"{t.directory}/locate.db", "-l", "no",
                                "--prunepaths", "", "--prune-bind-mounts", "no"], group=disk.workers, **options)


def explained(check, because):
    """If `check` has found something, it follows from `because`."""
    return lambda diagnosis: [f"{finding['check']} follows from {finding['because']}"
                              for finding in all_findings(diagnosis)
                              if finding["check"] == check and finding["because"] != because]


@scenario
def background_indexer(t):
    """A database alone, then with updatedb on its disk, then updatedb alone."""
    need("updatedb", "losetup", "mkfs.ext4")
    disk = slow_disk(t, MB // 4, directories=5000)
    t.start_slowd(interval=1)
    database = start_database(t, disk)
    t.hold("quiet beforehand", QUIET, PAST)
    began = time.monotonic()
    busy = index(t, disk)
    t.expect("the indexer blamed", blamed("background.indexer", culprit="updatedb.plocate", kind="program",
                                          victims=("database.py",), says="updatedb.conf", first=False), within=20, since=began)
    t.hold("one cause", explained("disk.saturated", "background.indexer"), 10)
    t.stop(database)
    t.expect("no cause any more without the victim", QUIET, within=35)
    t.hold("an indexer alone is no cause", QUIET, 10)
    t.stop(busy)


@scenario
def background_indexer_idle(t):
    """updatedb as its timer runs it, nice 19 and at idle I/O priority, while the database works on another disk."""
    need("updatedb", "ionice", "losetup", "mkfs.ext4")
    disk = slow_disk(t, MB // 4, directories=4000)
    with open(f"{t.directory}/table", "wb") as file:
        file.write(b"x" * (16 * MB))
    t.start_slowd(interval=1)
    t.start("database", ["python3", t.script("database.py", READER)], output=f"{t.directory}/latency")
    t.hold("quiet beforehand", QUIET, 20)
    busy = index(t, disk, nice=19, wrapper=("ionice", "-c", "3"))
    t.hold("an indexer that nobody waits for is no cause", QUIET, 30)
    t.stop(busy)


@scenario
def background_backup(t):
    """A database alone, then with rsync on its disk, started by a script that calls itself a backup; then rsync alone."""
    need("rsync", "losetup", "mkfs.ext4")
    disk = slow_disk(t, MB // 2)
    os.makedirs(f"{t.directory}/copy")
    script = t.script("nightly-backup.sh", f"#!/bin/sh\nwhile :; do rm -rf {t.directory}/copy/*; rsync -a --bwlimit=2000 "
                      f"{disk.path}/mail {t.directory}/copy; done\n")
    t.start_slowd(interval=1)
    database = start_database(t, disk)
    t.hold("quiet beforehand", QUIET, PAST)
    began = time.monotonic()
    busy = t.start("backup", [script], group=disk.workers)
    t.expect("the backup blamed", blamed("background.maintenance", culprit="rsync", kind="program",
                                         victims=("database.py",), says="backup", first=False), within=25, since=began)
    t.hold("one cause", explained("disk.saturated", "background.maintenance"), 10)
    t.stop(database)
    t.expect("no cause any more without the victim", QUIET, within=35)
    t.hold("a backup alone is no cause", QUIET, 10)
    t.stop(busy)


@scenario
def background_packages(t):
    """A database alone, then beside dpkg, which unpacks a package of many small files onto its disk."""
    need("dpkg", "dpkg-deb", "losetup", "mkfs.ext4")
    package = f"{t.directory}/package"
    os.makedirs(f"{package}/DEBIAN")
    with open(f"{package}/DEBIAN/control", "w", encoding="ascii") as file:
        file.write("Package: many-files\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\n"
                   "Description: many small files\n")
    for number in range(4000):
        path = f"{package}/usr/share/many-files/{number % 100}"
        os.makedirs(path, exist_ok=True)
        with open(f"{path}/{number}", "wb") as file:
            file.write(os.urandom(8192))
    call("dpkg-deb", "-Znone", "--build", package, f"{t.directory}/many-files.deb")
    disk = slow_disk(t, MB // 4)
    os.makedirs(f"{disk.path}/root/var/lib/dpkg/updates")
    os.makedirs(f"{disk.path}/root/var/lib/dpkg/info")
    for name in ("status", "available"):
        with open(f"{disk.path}/root/var/lib/dpkg/{name}", "wb"):
            pass
    t.start_slowd(interval=1)
    database = start_database(t, disk, WRITER)
    t.hold("quiet beforehand", QUIET, PAST)
    began = time.monotonic()
    t.start("dpkg", ["dpkg", f"--root={disk.path}/root", "--force-all", "--unpack", f"{t.directory}/many-files.deb"],
            group=disk.workers)
    t.expect("the update blamed", blamed("background.maintenance", culprit="dpkg", kind="program",
                                         victims=("database.py",), says="packages", first=False), within=25, since=began)
    t.hold("one cause", explained("disk.saturated", "background.maintenance"), 5)
    t.stop(database)


@scenario
def background_backup_idle(t):
    """rsync from a slow disk, started by a script that calls itself a backup, while the database works on another."""
    need("rsync", "ionice", "losetup", "mkfs.ext4")
    disk = slow_disk(t, MB // 2)
    os.makedirs(f"{t.directory}/copy")
    with open(f"{t.directory}/table", "wb") as file:
        file.write(b"x" * (16 * MB))
    script = t.script("nightly-backup.sh", "#!/bin/sh\nwhile :; do ionice -c 3 rsync -a --whole-file "
                      f"{disk.path}/mail {t.directory}/copy; rm -rf {t.directory}/copy/*; done\n")
    t.start_slowd(interval=1)
    t.start("database", ["python3", t.script("database.py", READER)], output=f"{t.directory}/latency")
    t.hold("quiet beforehand", QUIET, 20)
    busy = t.start("backup", [script], group=disk.workers, nice=19)
    t.hold("a backup that nobody waits for is no cause", QUIET, 30)
    t.stop(busy)


if __name__ == "__main__":
    main()
