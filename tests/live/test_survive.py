"""slowd on a machine that does its worst: crowds, storms, standstill, missing and forbidden sources; and its budget.

A step of the machine's clock is not made here: CLOCK_REALTIME has no namespace, and other people use this machine. The
unit tests of the model step a replayed clock instead."""

import os
import pwd
import signal
import subprocess
import time

from expect import all_findings, blamed, both, healthy, without
from live import Failed, main, scenario
from machine import NPROC, read
from victims import Web, need

RSS_MAX_BYTES = 12_000_000
CROWD = 5000


def status(t):
    if t.validate:
        return {}
    began = time.monotonic()
    answer = t.call("Status")
    t.slowest_answer = max(t.slowest_answer, time.monotonic() - began)
    return answer


def await_processes(t, what, predicate, within):
    """Until Status says so of the number of processes."""
    began = time.monotonic()
    while not t.validate:
        seen = status(t)["processes"]
        if predicate(seen):
            t.say(f"{what}: {seen} processes after {time.monotonic() - began:.1f} s")
            return
        if time.monotonic() - began > within:
            raise Failed(f"{what}: {seen} processes after {within} s")
        time.sleep(0.5)


def answering(_):
    return []


@scenario
def survive_processes(t):
    """5,000 processes begun within a tick and gone within another; then ten seconds of processes that vanish while
    they are read."""
    t.start_slowd()
    before = len(os.listdir("/proc"))
    made = f"{t.directory}/made"
    crowd = t.start("crowd", [t.tool("crowd"), "idle", str(CROWD)], output=made)
    t.hold("answers while the crowd is made", answering, 3)
    if not crowd.is_running():
        t.skip(f"only {read(made).strip()} processes could be made")
    await_processes(t, "the crowd is seen", lambda seen: seen >= CROWD, 20)
    t.hold("no blame for a sleeping crowd", without("cpu.overload", "memory.thrash", "disk.saturated"), 6)
    t.stop(crowd)
    await_processes(t, "the crowd is forgotten", lambda seen: seen < before + CROWD // 2, 20)
    storms = [t.start("storm", [t.tool("crowd"), "storm", "10"], output=f"{t.directory}/storm{one}")
              for one in range(NPROC)]
    t.hold("answers in a storm of processes", answering, 12)
    t.say("processes made: " + " + ".join(read(f"{t.directory}/storm{one}").strip() for one in range(NPROC)))
    for storm in storms:
        if storm.process.wait(20):
            raise Failed("the storm made no processes")
    await_processes(t, "still counting", lambda seen: seen < before + 500, 20)


@scenario
def survive_stop(t):
    """slowd stopped for 30 s: afterwards it says that the machine, or it, stood still; later it says no more of it."""
    t.start_slowd()
    t.hold("healthy beforehand", healthy, 11)
    if not t.validate:
        t.slowd.send(signal.SIGSTOP)
        time.sleep(30)
        t.slowd.send(signal.SIGCONT)

    def gap(diagnosis):
        gaps = [one for one in all_findings(diagnosis) if one["check"] == "sampling.gap"]
        if not gaps:
            return ["no sampling.gap"]
        kind = (gaps[0]["culprit"] or {}).get("kind")
        return [] if kind == "machine" else [f"its culprit is a {kind}"]

    t.expect("the standstill noticed", gap, within=15)
    t.expect("and forgiven", both(without("sampling.gap"), healthy), within=90)


def as_nobody(t):
    """(uid, gid) of nobody, if we may; slowd must be executable for it."""
    if os.geteuid():
        return None
    nobody = pwd.getpwnam("nobody")
    done = subprocess.run(["setpriv", "--reuid=nobody", f"--regid={nobody.pw_gid}", "--clear-groups",
                           f"{t.arguments.build}/daemon/slowd", "--version"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False)
    if done.returncode and not t.validate:
        t.skip("nobody may not execute the built slowd here")
    return nobody.pw_uid, nobody.pw_gid


@scenario
def survive_unprivileged(t):
    """As nobody: /dev/kmsg and much of /proc are closed to it. It works all the same, and says what it cannot see."""
    need("setpriv")
    t.start_slowd(user=as_nobody(t), interval=2)
    t.hold("answers without privileges", lambda d: [] if d["verdict"] != "unknown" else ["verdict unknown"], 8)
    if t.validate:
        return
    collectors = status(t)["collectors"]
    denied = [one["name"] for one in collectors if one["state"] == "denied"]
    t.say(f"denied: {denied}; not checked: {t.last['notChecked']}")
    try:
        with open("/proc/sys/kernel/dmesg_restrict", encoding="ascii") as file:
            closed = file.read().strip() == "1"
    except OSError:
        closed = False
    if closed and not any("kmsg" in name or "message" in name for name in denied):
        raise Failed(f"/dev/kmsg is closed, but denied are {denied} of {[one['name'] for one in collectors]}")


@scenario
def survive_no_pressure(t):
    """A kernel without /proc/pressure (hidden in a mount namespace): slowd works, and still finds an overload, which
    the waiting itself shows."""
    if os.geteuid() or not os.path.isdir("/proc/pressure"):
        t.skip("needs root and a /proc/pressure to hide")
    need("unshare")
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/proc/pressure"], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        t.skip("no mount namespace possible")
    t.start_slowd(interval=2, wrapper=["unshare", "-m", "sh", "-c",
                                       'mount -t tmpfs none /proc/pressure && exec "$@"', "sh"])
    if not t.validate:
        states = {one["name"]: one["state"] for one in status(t)["collectors"]}
        if not any("pressure" in name and state == "absent" for name, state in states.items()):
            raise Failed(f"no source called pressure is absent: {states}")
    Web(t, session=False)
    hog = t.script("burn_cpu.sh", "#!/bin/sh\nwhile :; do :; done\n")
    hogs = [t.start("hog", [hog], session=False) for _ in range(4 * NPROC)]
    t.expect("an overload found without pressure files", blamed("cpu.overload", culprit="burn_cpu.sh", count=4 * NPROC,
                                                                victims=("nginx", "ab")), within=25)
    t.stop(*hogs)


def is_sanitized(path):
    with open(path, "rb") as file:
        return b"__asan_init" in file.read()


@scenario
def budget(t):
    """300 processes that each do a little: what slowd costs. CPU is printed, never judged on a shared machine; memory
    is judged, unless a sanitizer is built in."""
    crowd = t.start("crowd", [t.tool("crowd"), "awake", "300"])
    t.start_slowd(interval=1)
    t.hold("answers", answering, 6)
    if t.validate:
        return
    if "THP_enabled:\t1" in read(f"/proc/{t.slowd.pid}/status"):
        raise Failed("it takes huge pages: where they are given to everybody, that is 2 MB for a thread's stack")
    before, cpu = status(t), process_cpu(t.slowd.pid)
    time.sleep(20)
    after, used = status(t), process_cpu(t.slowd.pid) - cpu
    ticks = after["ticks"] - before["ticks"]
    if ticks < 15:
        raise Failed(f"only {ticks} ticks in 20 s at an interval of 1 s")
    plain = plain_loop()
    t.say(f"{after['processes']} processes: {after['meanCpuUSec'] / 1000:.2f} ms of CPU per tick by its own account, "
          f"{used * 1000 / ticks:.2f} ms by the kernel's; opening and reading every stat file takes "
          f"{plain * 1000:.2f} ms in this script; resident {after['rssBytes'] / 1e6:.1f} MB; {after['missedTicks']} ticks missed")
    if is_sanitized(f"{t.arguments.build}/daemon/slowd"):
        t.say("built with a sanitizer: memory is not judged")
    elif after["rssBytes"] > RSS_MAX_BYTES:
        raise Failed(f"resident {after['rssBytes']} bytes, more than {RSS_MAX_BYTES}")
    t.stop(crowd)


def process_cpu(pid):
    """Seconds of CPU over all threads, by the scheduler's nanoseconds."""
    return sum(int(read(f"/proc/{pid}/task/{task}/schedstat").split()[0])
               for task in os.listdir(f"/proc/{pid}/task")) / 1e9


def plain_loop():
    """CPU seconds of one open/read/close of every /proc/PID/stat, the best of ten."""
    best = 1e9
    for _ in range(10):
        began = time.process_time()
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    descriptor = os.open(f"/proc/{name}/stat", os.O_RDONLY)
                    os.read(descriptor, 1024)
                    os.close(descriptor)
                except OSError:
                    pass
        best = min(best, time.process_time() - began)
    return best


if __name__ == "__main__":
    main()
