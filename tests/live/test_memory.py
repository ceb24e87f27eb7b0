"""Memory that does not fit, and memory that merely looks as if it did not."""

import os
import time

from expect import all_findings, blamed, both, healthy, without
from live import main, scenario
from machine import ControlGroup, call, drop_caches, swap_on

MB = 1 << 20


def limited(t, name, size):
    group = ControlGroup(name, ["memory"])
    t.undo(group.remove)
    group.limit_memory(size)
    return group


@scenario
def memory_thrash(t):
    """A working set of 400 MB in a limit of 150 MB, with swap: every touch may cost a page in and a page out."""
    swap_on(f"{t.directory}/swap", 1024 * MB, t.undo)
    group = limited(t, "slowd-live-thrash.service", 150 * MB)
    t.start_slowd()
    t.start_probe()
    t.hold("healthy beforehand", healthy, 11)
    began = time.monotonic()
    toucher = t.start("toucher", [t.tool("toucher"), "random", "400"], group=group)
    t.expect("the toucher blamed", blamed("memory.thrash", culprit="toucher", kind="program"), within=20, since=began)
    t.stop(toucher)
    t.expect("healthy again", healthy, within=35)


@scenario
def memory_cold(t):
    """250 MB of swap used by a program that never touches it again: full, cold, healthy."""
    swap_on(f"{t.directory}/swap", 300 * MB, t.undo)
    group = limited(t, "slowd-live-cold.service", 150 * MB)
    t.start("toucher", [t.tool("toucher"), "once", "400"], group=group)
    before = t.figures()
    time.sleep(6)
    t.report("filling", before)
    t.say(call("cat", "/proc/swaps").strip())
    t.start_slowd()
    t.hold("healthy with cold swap", both(healthy, without("memory.thrash", "memory.exhausted")), 20)


@scenario
def memory_cache(t):
    """Page cache filled by reading a large file, in a control group smaller than the file and outside of any."""
    large = f"{t.directory}/large"
    with open(large, "wb") as file:
        block = os.urandom(MB)
        for _ in range(600):
            file.write(block)
    drop_caches()
    group = limited(t, "slowd-live-backup.service", 150 * MB)
    t.start_slowd()
    reader = f"while :; do cat {large} >/dev/null; sleep 1; done"
    inside = t.start("reader", ["sh", "-c", reader], group=group)
    t.hold("healthy while a file is read in a small group", healthy, 17)
    t.stop(inside)
    drop_caches()
    t.start("reader", ["sh", "-c", reader])
    t.hold("healthy while a file is read", healthy, 15)


@scenario
def memory_limit(t):
    """A service that is killed by its own limit again and again."""
    unit = f"slowd-live-limit-{os.getpid()}.service"  # the kernel remembers the kills of earlier runs
    group = limited(t, unit, 64 * MB)
    group.limit_swap(0)
    t.start_slowd()
    began = time.monotonic()
    loop = f"while :; do {t.tool('toucher')} grow 200; sleep 1; done"
    t.start("service", ["sh", "-c", loop], group=group)

    def knows_the_kill(diagnosis):
        kills = [one for one in all_findings(diagnosis) if one["check"] == "memory.oom"]
        units = [(one["culprit"] or {}).get("unit") for one in kills]
        return [] if unit in [(one or "").lstrip("/") for one in units] else [f"memory.oom names the units {units}"]

    t.expect("the limit blamed and the kill known",
             both(blamed("memory.limit", culprit=unit, kind="unit", first=False), knows_the_kill),
             within=25, since=began)


if __name__ == "__main__":
    main()
