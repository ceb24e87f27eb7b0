"""From an image to a machine that is warm: booted once for all runs, given this tree's slowd, and kept as a snapshot
from which every scenario starts."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time

from lab import host
from lab.guest import Guest, GuestFailed, quote

BOOT_SECONDS = 240  # 35 s where nothing else runs
WARM_SECONDS = 60   # what slowd has seen of the healthy machine before anything happens
KEEP_PID = "systemctl show --property MainPID --value slowd >/run/lab/slowd-pid"


def booted_key(image):
    """What a snapshot of a running machine depends on."""
    digest = hashlib.sha256(image.name.encode())
    digest.update((host.HERE / "lab" / "guest.py").read_bytes())
    digest.update((host.HERE / "guest" / "lab-agent.c").read_bytes())
    digest.update(subprocess.run(["qemu-system-x86_64", "--version"], stdout=subprocess.PIPE, check=True).stdout)
    return digest.hexdigest()[:12]


def boot(image, tools, say):
    """A directory with disks that hold a booted machine, made once."""
    directory = host.CACHE / f"booted-{booted_key(image)}"
    if (directory / "done").exists():
        return directory
    for old in host.CACHE.glob("booted-*"):
        shutil.rmtree(old, ignore_errors=True)
    guest = Guest(image, directory)
    guest.make_disks()
    guest.write_payload([(tool, f"bin/{tool.name}") for tool in tools])
    began = time.monotonic()
    with guest:
        guest.start()
        say("booting")
        try:
            guest.await_agent(began + BOOT_SECONDS)
        except GuestFailed as error:
            raise host.CannotRun(f"the guest did not come up within {BOOT_SECONDS} s: {error}") from None
        say(f"the guest answers after {time.monotonic() - began:.0f} s")
        guest.run("while [[ -n $(systemctl list-jobs --no-legend) ]]; do sleep 1; done", timeout=60)
        guest.must("sync; echo 3 >/proc/sys/vm/drop_caches")
        guest.snapshot("savevm", "booted")
    (directory / "done").touch()
    say(f"booted in {time.monotonic() - began:.0f} s")
    return directory


class Session:
    """A warm guest, to which each scenario goes back."""

    def __init__(self, say, package=None):
        self.say = say
        self.directory = host.CACHE / f"run-{os.getpid()}"
        self.image = host.image()
        self.build = host.CACHE / f"build-{hashlib.sha256(bytes(host.TREE)).hexdigest()[:8]}"
        say("building slowd's package")
        self.package = package or host.build_package(self.build)
        self.tools = host.compile_tools(host.CACHE / "tools")
        self.warm_since = None
        self.guest = Guest(self.image, self.directory, console=self.directory / "console.log")

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return self

    def __exit__(self, *_):
        self.guest.remove()

    def start(self):
        """Boots (or goes back to the booted machine) and brings in this tree's slowd and scenarios."""
        for old in host.CACHE.glob("run-*"):
            if not os.path.exists(f"/proc/{old.name[4:]}"):
                shutil.rmtree(old, ignore_errors=True)
        booted = boot(self.image, self.tools, self.say)
        self.directory.mkdir(parents=True, exist_ok=True)
        for name in ("root.qcow2", "data.qcow2"):
            subprocess.run(["cp", "--reflink=auto", "--sparse=always", booted / name, self.directory / name], check=True)
        entries = [(tool, f"bin/{tool.name}") for tool in self.tools]
        entries += [(self.package, "slowd.deb"), (host.HERE / "scenarios", "scenarios")]
        entries += [(host.HERE / "guest" / name, name) for name in ("helpers.sh", "warm", "again")]
        self.guest.write_payload(entries)
        self.guest.start("booted")
        self.guest.set_clock()
        # Past the cache: the machine was booted with another payload.
        self.guest.must("dd if=/dev/disk/by-id/virtio-payload bs=1M iflag=direct status=none | "
                        "tar -C /opt/lab --unlink-first -xf -")

    def warm(self):
        """Makes the machine that all scenarios start from."""
        self.start()
        self.say("installing slowd")
        self.warm_since = int(time.time())
        self.guest.must("/opt/lab/warm", timeout=300)
        self.say(f"warming up for {WARM_SECONDS} s")
        time.sleep(WARM_SECONDS)
        status, verdict = self.guest.run(f"{KEEP_PID}; "
                                         "/opt/lab/bin/probe-all 30 | tee /run/lab/usual; slowctl diagnose")
        if status:
            raise GuestFailed(f"slowd finds the machine ill before anything is done to it:\n{verdict}")
        self.guest.snapshot("savevm", "warm")
        return verdict

    def back(self):
        """To the warm machine. Its clock then stands in the past and is set: for slowd a step of the clock."""
        if self.guest.has_nvme:
            self.guest.stop()
            self.guest.start("warm")
        else:
            self.guest.reconnect()
            self.guest.snapshot("loadvm", "warm")
        self.guest.set_clock()

    def reboot(self):
        """Boots the machine anew; afterwards everybody is there again, and what is usual for them is known."""
        usual = self.guest.must("cat /run/lab/usual")
        self.guest.reboot()
        self.guest.must(f"/opt/lab/again && echo {quote(usual)} >/run/lab/usual && {KEEP_PID}", timeout=120)
