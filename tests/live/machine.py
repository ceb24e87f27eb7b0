"""The machine as the live tests see it, without slowd: kernel counters over a window, control groups on v1 or v2,
swap files and slow disks. Everything made here is undone by the function that it hands to `undo`."""

import ctypes
import os
import subprocess
import time

HZ = os.sysconf("SC_CLK_TCK")
NPROC = len(os.sched_getaffinity(0))


class Impossible(Exception):
    """This machine cannot show the fault: the test is skipped with this reason."""


def read(path, default=None):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        if default is None:
            raise
        return default


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def call(*argv, **options):
    """Runs a command that must succeed; its output."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                          check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: exit status {done.returncode}: {done.stdout.strip()}")
    return done.stdout


# ---- processes ------------------------------------------------------------------------------------------------


def parents():
    """pid -> ppid of every process."""
    table = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = read(f"/proc/{name}/stat", "")
            if stat:
                table[int(name)] = int(stat[stat.rfind(")") + 2:].split()[1])
    return table


def descendants(pid, table=None):
    """pid itself and all below it."""
    table = table or parents()
    children = {}
    for child, parent in table.items():
        children.setdefault(parent, []).append(child)
    found, queue = [], [pid]
    while queue:
        one = queue.pop()
        if one in table:
            found.append(one)
        queue += children.get(one, [])
    return found


def process_counters(pid):
    """Seconds and bytes of one process over all its threads; None if it is gone."""
    stat = read(f"/proc/{pid}/stat", "")
    if not stat:
        return None
    fields = stat[stat.rfind(")") + 2:].split()
    counters = {"run": 0.0, "wait": 0.0, "blocked": int(fields[39]) / HZ, "majflt": int(fields[9]),
                "read": 0, "written": 0, "children": (int(fields[13]) + int(fields[14])) / HZ}
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            run, wait = read(f"/proc/{pid}/task/{task}/schedstat", "0 0 0").split()[:2]
            counters["run"] += int(run) / 1e9
            counters["wait"] += int(wait) / 1e9
        for line in read(f"/proc/{pid}/io", "").splitlines():
            key, _, value = line.partition(": ")
            if key == "read_bytes":
                counters["read"] = int(value)
            elif key == "write_bytes":
                counters["written"] = int(value)
    except OSError:
        return None
    return counters


# ---- counters over a window -------------------------------------------------------------------------------------


class Figures:
    """Kernel counters now; `since` makes a line of them: what a person would look at to believe the fault."""

    def __init__(self, watched, disks=()):
        self.time = time.monotonic()
        self.cpu = [int(value) for value in read("/proc/stat").splitlines()[0].split()[1:9]]
        self.pressure = {}
        for kind in ("cpu", "memory", "io"):
            for line in read(f"/proc/pressure/{kind}", "").splitlines():
                self.pressure[kind, line.split()[0]] = int(line.rpartition("=")[2])
        self.vmstat = dict(line.split() for line in read("/proc/vmstat").splitlines())
        self.disks = {}
        for line in read("/proc/diskstats").splitlines():
            values = line.split()
            if values[2] in disks:
                self.disks[values[2]] = [int(value) for value in values[3:14]]
        self.programs = {}
        table = parents()
        known = set(descendants(os.getpid(), table)) | set(descendants(2, table))
        self.known = {pid: counters for pid in known if (counters := process_counters(pid))}
        for label, pids in watched.items():
            self.programs[label] = {}
            for pid in {one for root in pids for one in descendants(root, table)}:
                counters = process_counters(pid)
                if counters:
                    self.programs[label][pid] = counters

    def busy(self, before):
        """Busy CPUs."""
        idle = self.cpu[3] + self.cpu[4] - before.cpu[3] - before.cpu[4]
        return NPROC * (1 - idle / max(1, sum(self.cpu) - sum(before.cpu)))

    def others(self, before):
        """CPUs used by what is neither ours nor the kernel's: the noise in these figures."""
        none = {"run": 0, "children": 0}
        used = sum(new[key] - before.known.get(pid, none)[key] for pid, new in self.known.items() for key in none)
        return max(0.0, self.busy(before) - used / (self.time - before.time))

    def program(self, before, label):
        """Rates of one watched program: CPUs run, waited for, blocked; bytes a second."""
        wall = self.time - before.time
        total = {}
        for pid, counters in self.programs.get(label, {}).items():
            old = before.programs.get(label, {}).get(pid, {})
            for key, value in counters.items():
                total[key] = total.get(key, 0) + max(0, value - old.get(key, 0)) / wall
        return total

    def since(self, before):
        wall = self.time - before.time
        text = [f"{wall:.0f} s: busy {self.busy(before):.2f} CPUs, others {self.others(before):.2f}"]
        for (kind, row), total in self.pressure.items():
            share = (total - before.pressure.get((kind, row), total)) / wall / 1e4
            if share >= 0.1:
                text.append(f"psi {kind} {row} {share:.1f} %")
        for name in ("pswpin", "pswpout", "pgmajfault", "oom_kill", "workingset_refault_file"):
            rate = (int(self.vmstat.get(name, 0)) - int(before.vmstat.get(name, 0))) / wall
            if rate >= 0.1:
                text.append(f"{name} {rate:.1f}/s")
        for name, new in self.disks.items():
            old = before.disks.get(name, new)
            delta = [a - b for a, b in zip(new, old)]
            if delta[0] + delta[4]:
                text.append(f"{name} util {delta[9] / wall / 10:.0f} % await "
                            f"{(delta[3] + delta[7]) / (delta[0] + delta[4]):.0f} ms read "
                            f"{delta[2] * 512 / wall / 1e6:.2f} MB/s written {delta[6] * 512 / wall / 1e6:.2f} MB/s")
        for label in self.programs:
            rate = self.program(before, label)
            if not rate:
                continue
            wanted = rate["run"] + rate["wait"]
            part = (f"{label}: {len(self.programs[label])} processes, run {rate['run']:.2f}, "
                    f"cpu wait {rate['wait']:.2f} ({100 * rate['wait'] / wanted if wanted > 1e-4 else 0:.0f} % of wanted)")
            for key, unit, scale in (("blocked", "", 1), ("majflt", "/s", 1), ("read", " MB/s", 1e6),
                                     ("written", " MB/s", 1e6)):
                if rate[key] / scale >= 0.005:
                    part += f", {key} {rate[key] / scale:.2f}{unit}"
            text.append(part)
        return "\n      ".join(text)


# ---- control groups ---------------------------------------------------------------------------------------------

V2_FILES = {"cpu": "cpu.max", "memory": "memory.max", "io": "io.max"}


def mounts(kind):
    for line in read("/proc/self/mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        if right.split()[0] == kind:
            yield left.split()[4], right.split()[2].split(",")


def controller_place(controller):
    """(version, directory) of the hierarchy that has this controller."""
    for path, options in mounts("cgroup"):
        if controller in options or (controller == "io" and "blkio" in options):
            return 1, path
    for path, _ in mounts("cgroup2"):
        if controller in read(f"{path}/cgroup.controllers", "").split():
            return 2, path
    raise Impossible(f"no control group controller for {controller}")


class ControlGroup:
    """One unit's control group, in the hierarchies of the controllers asked for, and, as a hybrid systemd would,
    also in the tree that names units."""

    def __init__(self, name, controllers):
        if os.geteuid():
            raise Impossible("control groups need root")
        self.name, self.paths = name, {}
        directories = {}
        for controller in controllers:
            version, top = controller_place(controller)
            if version == 2:
                try:
                    write(f"{top}/cgroup.subtree_control", "".join(f"+{one}" for one in controllers))
                except OSError as error:
                    raise Impossible(f"{top}/cgroup.subtree_control: {error.strerror}") from error
            directories[f"{top}/{name}"] = None
            self.paths[controller] = version, f"{top}/{name}"
        for path, options in list(mounts("cgroup")) + list(mounts("cgroup2")):
            if "name=systemd" in options or not read(f"{path}/cgroup.controllers", "x").strip():
                directories[f"{path}/{name}"] = None
        self.directories = []
        for directory in directories:
            try:
                os.mkdir(directory)
            except FileExistsError:
                pass
            except OSError as error:
                self.remove()
                raise Impossible(f"{directory}: {error.strerror}") from error
            self.directories.append(directory)

    def limit_cpu(self, permille):
        version, path = self.paths["cpu"]
        if version == 2:
            write(f"{path}/cpu.max", f"{permille * 100} 100000")
        else:
            write(f"{path}/cpu.cfs_period_us", "100000")
            write(f"{path}/cpu.cfs_quota_us", str(permille * 100))

    def limit_memory(self, size):
        version, path = self.paths["memory"]
        write(f"{path}/memory.max" if version == 2 else f"{path}/memory.limit_in_bytes", str(size))

    def limit_swap(self, size):
        """0 keeps the group out of swap (best effort: v1 may count no swap)."""
        version, path = self.paths["memory"]
        try:
            if version == 2:
                write(f"{path}/memory.swap.max", str(size))
            elif size == 0:
                write(f"{path}/memory.swappiness", "0")
        except OSError:
            pass

    def read_file(self, controller, name):
        return read(f"{self.paths[controller][1]}/{name}", "")

    def join(self):
        """Moves the calling process in; for a child between fork and exec."""
        for directory in self.directories:
            with open(f"{directory}/cgroup.procs", "w", encoding="ascii") as file:
                file.write("0")

    def pids(self):
        return {int(pid) for one in self.directories for pid in read(f"{one}/cgroup.procs", "").split()}

    def remove(self):
        deadline = time.monotonic() + 10
        for directory in self.directories:
            while True:
                for pid in self.pids():
                    try:
                        os.kill(pid, 9)
                    except ProcessLookupError:
                        pass
                try:
                    os.rmdir(directory)
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)


# ---- swap and disks ---------------------------------------------------------------------------------------------


def need_root():
    if os.geteuid():
        raise Impossible("needs root")


def swap_on(path, size, undo):
    """A swap file of its own, used before any other swap."""
    need_root()
    try:
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        os.chmod(path, 0o600)
        call("mkswap", path)
        call("swapon", "-p", "1000", path)
    except (OSError, RuntimeError) as error:
        raise Impossible(f"no swap file possible in {os.path.dirname(path)}: {error}") from error
    undo(lambda: call("swapoff", path))


class SlowDisk:
    """A file system on a disk of `rate` bytes a second. A loop device on a throttled loop device: the throttle holds
    requests back below the upper one, which therefore looks as a slow disk does (busy, high await). Throttling the
    upper one itself would hold them back before they are counted."""

    def __init__(self, directory, size, undo, inodes=None):
        need_root()
        self.version, self.top = controller_place("io")
        image = f"{directory}/disk.img"
        with open(image, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        try:
            self.lower = call("losetup", "-f", "--show", "--direct-io=on", image).strip()
            undo(lambda: call("losetup", "-d", self.lower))
            self.device = call("losetup", "-f", "--show", "--direct-io=on", self.lower).strip()
            undo(lambda: call("losetup", "-d", self.device))
        except RuntimeError as error:
            raise Impossible(f"no loop devices: {error}") from error
        call("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0",
             *(("-N", str(inodes)) if inodes else ()), self.device)
        self.path = f"{directory}/disk"
        os.makedirs(self.path, exist_ok=True)
        call("mount", self.device, self.path)
        undo(lambda: call("umount", self.path))
        self.name = os.path.basename(self.device)
        self.number = read(f"/sys/class/block/{os.path.basename(self.lower)}/dev").strip()
        undo(lambda: self.throttle(0))
        self.groups = []

    def group(self, name, undo):
        """On v2 there is no limit for all: whoever is to feel the slow disk runs in a group of its own."""
        if self.version == 1:
            return None
        group = ControlGroup(name, ["io"])
        undo(group.remove)
        self.groups.append(group)
        return group

    def throttle(self, rate):
        if self.version == 1:
            for direction in ("read", "write"):
                write(f"{self.top}/blkio.throttle.{direction}_bps_device", f"{self.number} {rate}")
        for group in self.groups if self.version == 2 else ():
            write(f"{group.paths['io'][1]}/io.max", f"{self.number} rbps={rate or 'max'} wbps={rate or 'max'}")


def drop_caches():
    need_root()
    os.sync()
    write("/proc/sys/vm/drop_caches", "1")


# ---- what a child does between fork and exec --------------------------------------------------------------------

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(number):
    _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def reap_orphans():
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
