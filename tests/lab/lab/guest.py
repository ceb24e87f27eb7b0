"""The virtual machine: start, stop, snapshots, and shell scripts run in it."""

import ctypes
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time

from lab import host

MEMORY_MB = 1024
CPUS = 2
DATA_DISK = "throttling.iops-total=300,throttling.bps-total=31457280,throttling.iops-size=131072"
NVME_BAD_SECTOR = 500000  # of 524288, of 512 bytes
PAYLOAD_BYTES = 64 << 20
REBOOT_SECONDS = 240
PR_SET_PDEATHSIG = 1


class GuestFailed(Exception):
    """The virtual machine does not do what it is told."""


class Guest:
    """One guest in a directory of its own. `with Guest(image, directory) as guest:` leaves nothing running."""

    def __init__(self, image, directory, *, console=None):
        self.image = image
        self.directory = directory
        self.console = console or directory / "console.log"
        self.process = self.port = self.monitor = self.paths = None
        self.ssh_port = None
        self.monitor_bytes = b""
        self.events = set()  # that the monitor has told
        self.has_nvme = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- files ----

    def make_disks(self):
        """Fresh disks: the image's with a layer of changes over it, and an empty one for data."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for command in (["-b", self.image / "disk.img", "-F", "raw", self.directory / "root.qcow2"],
                        [self.directory / "data.qcow2", "4G"]):
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *command], check=True)

    def write_payload(self, entries):
        """What /opt/lab in the guest is made of: pairs of a path here and its name there."""
        path = self.directory / "payload.tar"
        with tarfile.open(path, "w") as tar:
            for source, name in entries:
                tar.add(source, arcname=name)
        os.truncate(path, PAYLOAD_BYTES)  # the guest has seen a disk of that size

    # ---- life ----

    def start(self, snapshot=None):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.ssh_port = probe.getsockname()[1]
        paths = self.paths = {name: self.directory / f"{name}.socket" for name in ("agent", "monitor")}
        for path in paths.values():
            path.unlink(missing_ok=True)
        disk = "if=none,cache=unsafe,format=qcow2,discard=unmap"
        command = [
            "qemu-system-x86_64", "-accel", os.environ.get("SLOWD_LAB_ACCEL", "tcg,thread=multi,tb-size=256"), "-cpu", "max",
            "-smp", str(CPUS), "-m", str(MEMORY_MB), "-display", "none", "-no-reboot", "-nodefaults",
            "-serial", f"file:{self.console}",
            "-kernel", self.image / "kernel", "-initrd", self.image / "initrd",
            "-append", "console=ttyS0 root=/dev/vda rw panic=-1 psi=1 quiet mitigations=off audit=0",
            "-drive", f"file={self.directory}/root.qcow2,id=root,{disk}", "-device", "virtio-blk-pci,drive=root",
            "-drive", f"file={self.directory}/data.qcow2,id=data,{disk},{DATA_DISK}", "-device", "virtio-blk-pci,drive=data",
            "-drive", f"file={self.directory}/payload.tar,id=payload,if=none,format=raw,readonly=on",
            "-device", "virtio-blk-pci,drive=payload,serial=payload",
            "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.ssh_port}-:22",
            "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci",
            "-chardev", f"socket,id=agent,path={paths['agent']},server=on,wait=off", "-device", "virtio-serial-pci",
            "-device", "virtserialport,chardev=agent,name=slowd.lab",
            "-qmp", f"unix:{paths['monitor']},server=on,wait=off"]
        if snapshot:
            command += ["-loadvm", snapshot]
        with open(self.directory / "qemu.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)
        host.share_cpu(self.process.pid)
        self.monitor = self.connect(paths["monitor"])
        self.hear(time.monotonic() + 30)
        self.qmp("qmp_capabilities")
        self.port = self.connect(paths["agent"])

    def connect(self, path):
        deadline = time.monotonic() + 30
        while True:
            try:
                client = socket.socket(socket.AF_UNIX)
                client.connect(str(path))
                return client
            except OSError:
                client.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise GuestFailed(f"qemu did not start, see {self.directory}/qemu.log") from None
                time.sleep(0.1)

    def reconnect(self):
        """Forgets what an unfinished script may still say."""
        self.port.close()
        self.port = self.connect(self.paths["agent"])

    def stop(self):
        if not self.process:
            return
        self.process.kill()
        self.process.wait()
        self.process = None
        self.has_nvme = False
        self.monitor_bytes = b""

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- the monitor ----

    def hear(self, deadline):
        """The next thing that the monitor says."""
        while b"\n" not in self.monitor_bytes:
            self.monitor.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                part = self.monitor.recv(65536)
            except TimeoutError:
                raise GuestFailed("qemu does not answer") from None
            if not part:
                raise GuestFailed("qemu has ended")
            self.monitor_bytes += part
        line, self.monitor_bytes = self.monitor_bytes.split(b"\n", 1)
        said = json.loads(line)
        if "event" in said:
            self.events.add(said["event"])
        return said

    def qmp(self, command, **arguments):
        self.monitor.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        deadline = time.monotonic() + 300  # savevm on a slow disk
        while True:
            reply = self.hear(deadline)
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise GuestFailed(f"{command}: {reply['error']['desc']}")

    def snapshot(self, verb, name):
        """savevm, loadvm or delvm."""
        said = self.qmp("human-monitor-command", **{"command-line": f"{verb} {name}"})
        if said.strip():
            raise GuestFailed(f"{verb} {name}: {said.strip()}")

    # ---- hardware ----

    def plug_nvme(self):
        """A drive whose health can be set from outside, that can be slowed down from there (the limits of
        /objects/nvme-speed), and that has a sector which cannot be read. qemu cannot keep one in a snapshot, nor
        restore one beside it."""
        path = self.directory / "nvme.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "256M"], check=True)
        self.qmp("object-add", **{"qom-type": "throttle-group", "id": "nvme-speed", "limits": {"iops-total": 100000}})
        unreadable = {"event": "none", "iotype": "read", "errno": errno.EIO, "once": False, "sector": NVME_BAD_SECTOR}
        self.qmp("blockdev-add", **{
            "node-name": "nvme-disk", "driver": "throttle", "throttle-group": "nvme-speed", "file": {
                "driver": "blkdebug", "inject-error": [unreadable], "image": {
                    "driver": "qcow2", "discard": "unmap", "file": {"driver": "file", "filename": str(path)}}}})
        self.qmp("device_add", driver="nvme", id="nvme", serial="SLOWD-LAB-1", drive="nvme-disk")
        self.has_nvme = True
        self.must("for _ in $(seq 100); do [[ ! -b /dev/nvme0n1 ]] || exit 0; sleep 0.2; done; exit 1")

    def reboot(self):
        """Returns when the machine is up again."""
        self.qmp("set-action", reboot="reset")  # else it ends, as it shall when its kernel panics
        self.events.clear()
        self.must("systemctl reboot --no-block")
        deadline = time.monotonic() + REBOOT_SECONDS
        while "RESET" not in self.events:
            self.hear(deadline)
        self.reconnect()
        self.await_agent(deadline)
        self.qmp("set-action", reboot="shutdown")  # not earlier: it may be reset twice
        self.set_clock()

    # ---- scripts ----

    def receive(self, count, deadline):
        parts = []
        while count > 0:
            self.port.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                part = self.port.recv(count)
            except TimeoutError:
                raise GuestFailed("the guest does not answer") from None
            except ConnectionError:
                part = b""
            if not part:
                raise GuestFailed("qemu has ended")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def await_agent(self, deadline):
        """While the machine boots: an answer comes only once the agent runs; it is asked once, and waited for."""
        self.port.sendall(b"5\ntrue\n")
        self.receive(len(b"0 0\n"), deadline)

    def run_bytes(self, script, timeout=60):
        """Runs a script in the guest: its exit status (124: took too long) and what it has printed."""
        limited = f"timeout -k 5 {timeout:.0f} bash -c {quote(script)}".encode()
        self.port.sendall(b"%d\n" % len(limited) + limited)
        deadline = time.monotonic() + timeout + 60
        header = b""
        while not header.endswith(b"\n"):
            header += self.receive(1, deadline)
        status, length = header.split()
        return int(status), self.receive(int(length), deadline)

    def run(self, script, timeout=60):
        status, output = self.run_bytes(script, timeout)
        return status, output.decode("utf-8", "replace")

    def must(self, script, timeout=60):
        status, output = self.run(script, timeout)
        if status:
            raise GuestFailed(f"exit status {status}: {script[:80]}: {output.strip()[-2000:]}")
        return output

    def set_clock(self):
        """After a snapshot the guest lives in the past."""
        self.must(f"date --utc --set=@{time.time():.3f}")


def die_with_parent():
    """In the child: whatever ends this program ends the guest."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"
