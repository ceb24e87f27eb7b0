"""Who waits for a CPU, and because of whom: an overload, and all that looks like one but is none."""

import os
import signal
import time

from expect import blamed, both, healthy, not_slow, without
from live import Failed, main, scenario
from machine import NPROC, ControlGroup
from victims import Web, encode, has_encoder, make_video, need

HOG = ["sh", "-c", "while :; do :; done"]


def deploy(t, prefix="", times=3 * NPROC, **how):
    """deploy_videos.sh, in a directory of its own, started the way people do: ./deploy_videos.sh"""
    has_encoder()
    path = t.script("deploy_videos.sh", "#!/bin/sh\n# Encodes all videos at once.\n" + encode(times, prefix))
    make_video(f"{os.path.dirname(path)}/video.avi")
    return path, lambda: t.start("ffmpeg", ["./deploy_videos.sh"], directory=os.path.dirname(path), **how)


@scenario
def cpu_overload(t):
    """3 encodes per CPU, started by a script, while a web server serves."""
    path, start = deploy(t)
    t.start_slowd()
    Web(t)
    t.start_probe()
    t.hold("healthy beforehand", healthy, 11)
    began = time.monotonic()
    videos = start()
    t.expect("ffmpeg blamed", blamed("cpu.overload", culprit="ffmpeg", kind="program", count=3 * NPROC, script=path,
                                     directory=os.path.dirname(path), victims=("nginx", "ab")),
             within=15, since=began)
    t.stop(videos)
    t.expect("healthy again", healthy, within=35)


@scenario
def cpu_idle_class(t):
    """The same work at SCHED_IDLE in the session of the web server: it takes only what nobody wants. (In another
    session's autogroup it weighs as much as any other, as with nice.)"""
    _, start = deploy(t, "chrt --idle 0", session=False)
    need("chrt")
    t.start_slowd()
    Web(t, session=False, rate=200 * NPROC)  # leaves room: with an idle batch nobody waits
    t.start_probe()
    videos = start()
    t.hold("not slow with an idle-class batch", both(without("cpu.overload"), healthy), 45)
    t.stop(videos)


@scenario
def cpu_nice(t):
    """The same work at nice 19 in the session of the web server, where nice counts; then in a session whose own
    autogroup is at nice 19, where it counts as well."""
    _, start = deploy(t, "nice -n 19", session=False)
    t.start_slowd()
    Web(t, session=False, rate=200 * NPROC)  # leaves room: with an idle batch nobody waits
    t.start_probe()
    videos = start()
    t.hold("not slow with a batch at nice 19 in the same session", both(without("cpu.overload"), healthy), 45)
    t.stop(videos)
    if os.path.exists("/proc/self/autogroup") and os.geteuid() == 0:
        _, start = deploy(t, autogroup_nice=19)
        videos = start()
        t.hold("not slow with a batch in a session at nice 19", both(without("cpu.overload"), healthy), 25)
        t.stop(videos)


@scenario
def cpu_nice_in_vain(t):
    """nice 19 in another session: with autogroups it does not help the web server, and the answer says so."""
    try:
        with open("/proc/sys/kernel/sched_autogroup_enabled", encoding="ascii") as file:
            enabled = file.read().strip() == "1"
    except OSError:
        enabled = False
    if not enabled:
        t.skip("kernel.sched_autogroup_enabled is off: nice counts everywhere")
    path, start = deploy(t, "nice -n 19")
    t.start_slowd()
    Web(t)
    t.start_probe()
    t.hold("healthy beforehand", healthy, 11)
    began = time.monotonic()
    videos = start()
    t.expect("ffmpeg blamed in spite of nice 19", blamed("cpu.overload", culprit="ffmpeg", count=3 * NPROC, script=path,
                                                         victims=("nginx", "ab"), says="autogroup"),
             within=15, since=began)
    t.stop(videos)


@scenario
def cpu_quota_batch(t):
    """Four hogs inside a quota of 20 % of a CPU: PSI says 97 %, but nobody waits. And as many hogs as CPUs, alone."""
    group = ControlGroup("slowd-live-batch.service", ["cpu"])
    t.undo(group.remove)
    group.limit_cpu(200)
    t.start_slowd()
    t.start_probe()
    hogs = [t.start("hog", HOG, group=group) for _ in range(4)]
    t.hold("no blame for a batch in its quota", both(without("cpu.overload", "cpu.quota"), healthy), 30)
    t.stop(*hogs)
    hogs = [t.start("hog", HOG) for _ in range(NPROC)]
    t.hold("healthy with as many hogs as CPUs, and nobody else", healthy, 25)
    t.stop(*hogs)


@scenario
def cpu_quota_server(t):
    """A web server throttled by its own quota while the machine is idle."""
    group = ControlGroup("slowd-live-web.service", ["cpu"])
    t.undo(group.remove)
    group.limit_cpu(100)
    t.start_slowd()
    web = Web(t, group=group, rate=400, visitors=8)
    t.expect("the quota blamed", both(blamed("cpu.quota", kind="unit", culprit="slowd-live-web.service"),
                                      without("cpu.overload")), within=25)
    web.stop()
    t.expect("healthy again", healthy, within=35)


MAKEFILE = """\
OBJECTS := $(patsubst %.c,%.o,$(wildcard *.c))
all: program
program: $(OBJECTS)
\t$(CC) -o $@ $^
%.o: %.c
\t$(CC) -O2 -g -c -o $@ $<
"""


def c_file(number, functions):
    text = ["#include <stdio.h>\n#include <string.h>\n#include <stdlib.h>\n#include <math.h>\n"]
    for one in range(functions):
        text.append(f"double work_{number}_{one}(const double *v, int n, char *s)\n{{\n"
                    f"        double sum = {one};\n        for (int i = 0; i < n; i++) {{\n"
                    f"                switch ((int)v[i] % {3 + one % 7}) {{\n"
                    "                case 0: sum += v[i] * 1.5; break;\n                case 1: sum -= v[i] / 3; break;\n"
                    "                default: sum *= 1.0001; snprintf(s, 32, \"%f\", sum); sum += strlen(s);\n"
                    "                }\n        }\n        return sum;\n}\n")
    return "".join(text)


@scenario
def cpu_compile(t):
    """make -j of about 40 s: the machine is full, and it is what its owner wants. No alert, never slow."""
    need("make", "gcc")
    tree = f"{t.directory}/tree"
    os.mkdir(tree)

    def add(first, count):
        for number in range(first, first + count):
            with open(f"{tree}/part{number}.c", "w", encoding="ascii") as file:
                file.write(c_file(number, 60))

    with open(f"{tree}/Makefile", "w", encoding="ascii") as file:
        file.write(MAKEFILE)
    with open(f"{tree}/main.c", "w", encoding="ascii") as file:
        file.write("int main(void) { return 0; }\n")
    jobs = f"-j{2 * NPROC}"
    add(0, 4 * NPROC)  # how fast is this machine?
    began = time.monotonic()
    trial = t.start("make", ["make", "-s", jobs], directory=tree)
    if trial.process.wait(60):
        raise Failed("the trial make failed")
    t.stop(trial)
    each = (time.monotonic() - began) / (4 * NPROC)
    add(4 * NPROC, min(3000, int(40 / each)))
    t.start_slowd()
    began = time.monotonic()
    make = t.start("make", ["make", "-s", jobs], directory=tree)
    before = t.figures()
    while make.is_running() and time.monotonic() - began < 90:
        t.hold("not slow while make runs", not_slow, 5)
        if t.validate and time.monotonic() - began > t.arguments.seconds:
            break
    t.report(f"make took {time.monotonic() - began:.0f} s", before)
    if make.process.poll() not in (0, None):
        raise Failed(f"make failed: {make.process.returncode}")
    t.stop(make)
    t.hold("not slow after it", not_slow, 6)
    if not t.validate:
        alerts = t.call("Alerts")["alerts"]
        if alerts:
            raise Failed(f"there were alerts: {alerts}")


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
