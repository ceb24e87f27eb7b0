"""This machine, as far as the lab needs it: where things are, packages, and how busy it is beside the guest."""

import os
import pathlib
import shutil
import subprocess

TREE = pathlib.Path(__file__).resolve().parents[3]
HERE = TREE / "tests" / "lab"
CACHE = pathlib.Path(os.environ.get("SLOWD_LAB_DIR", "/var/cache/slowd-lab"))


class CannotRun(Exception):
    """This machine cannot have the lab; the reason."""


def image():
    """The directory with the guest's kernel, initrd, disk and key; built if it is not there."""
    done = subprocess.run([HERE / "image"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CannotRun(f"the guest's image cannot be built: {done.stderr.strip().splitlines()[-1:]}")
    return pathlib.Path(done.stdout.strip())


def build_package(directory):
    """Builds slowd's package as it is released; the .deb."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.deb"):
        old.unlink()
    log = directory / "lab-build.log"
    with open(log, "w", encoding="utf-8") as output:
        for command in (["cmake", "--preset", "release", "-DSLOWD_TESTS=OFF", "-B", directory],
                        ["cmake", "--build", directory, "--target", "package"]):
            if subprocess.run(command, cwd=TREE, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                              check=False).returncode:
                raise RuntimeError(f"slowd's package cannot be built, see {log}")
    return next(directory.glob("*.deb"))


def compile_tools(directory):
    """The guest's programs, static, so that it does not matter which C library the guest has."""
    directory.mkdir(parents=True, exist_ok=True)
    sources = sorted((HERE / "guest").glob("*.c")) + [TREE / "tests" / "live" / "toucher.c"]
    for source in sources:
        target = directory / source.stem
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["gcc", "-O1", "-static", "-pthread", "-o", target, source], check=True)
    return [directory / source.stem for source in sources]


def share_cpu(pid):
    """Lets the guest run before whatever else this machine builds, where control groups can be made. The group."""
    for path, key, value in (("/sys/fs/cgroup/cpu/slowd-lab", "cpu.shares", "50000"),
                             ("/sys/fs/cgroup/slowd-lab", "cpu.weight", "5000")):
        try:
            os.makedirs(path, exist_ok=True)
            with open(f"{path}/{key}", "w", encoding="ascii") as file:
                file.write(value)
            with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(pid))
            return path
        except OSError:
            continue
    return None


class Starved:
    """How much of its time the guest's virtual CPUs had to wait for this machine's: steal, seen from outside."""

    def __init__(self, pid):
        self.pid = pid
        self.before = self.read()

    def read(self):
        run = wait = 0
        try:
            for task in os.listdir(f"/proc/{self.pid}/task"):
                with open(f"/proc/{self.pid}/task/{task}/schedstat", encoding="ascii") as file:
                    fields = file.read().split()
                run += int(fields[0])
                wait += int(fields[1])
        except OSError:
            pass
        return run, wait

    def permille(self):
        run, wait = (new - old for new, old in zip(self.read(), self.before))
        return round(1000 * wait / (run + wait)) if run + wait > 0 else 0


def why_not():
    """Why this machine cannot have the lab, or nothing."""
    if os.geteuid():
        return "the lab needs root: its guest's root file system is made here"
    missing = [name for name in ("qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "gcc") if not shutil.which(name)]
    if missing:
        needs = subprocess.run([HERE / "image", "--needs"], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
        return f"{', '.join(missing)} not found: apt-get install {' '.join(needs)}"
    return None
