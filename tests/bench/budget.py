#!/usr/bin/env python3
"""What all of slowd costs per tick, in CPU time and in memory, beside a herd of processes that is mostly asleep.

    tests/bench/budget.py [--build DIR] [--processes N] [--interval SECONDS] [--warm SECONDS] [--seconds SECONDS]

slowd runs as its unit starts it: history on disk, memory locked, nice -5, all checks and all scans. Its fast interval
is set to the interval, so that a busy neighbour does not decide how much is measured. CPU time is that of the process
clock, in ns and with the threads that have ended, over all ticks from --warm to the end; so the scans, which do not
come at each tick, are averaged in. Beside it stands a plain open, read and close of every /proc/PID/stat, in C, in the
same minutes: CPU time on another machine, or beside other work, compares by that ratio only.

With --smoke nothing is judged that depends on time: slowd must tick, see the herd, keep its history, lock its memory
(where it may), have its scans at work, and stay within --rss-max."""

import argparse
import collections
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BUDGET_CPU_USEC = 4000
BUDGET_BYTES = 12e6
HERD_ACTIVE_PER_CENT = 2  # tests/bench/herd.h


class Failed(Exception):
    pass


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def parse_arguments():
    parser = argparse.ArgumentParser(description="What slowd costs per tick.")
    parser.add_argument("--build", default="build")
    parser.add_argument("--processes", type=int, default=300, help="this many exist in all, kernel threads included")
    parser.add_argument("--interval", type=float, default=5)
    parser.add_argument("--warm", type=float, default=60, help="seconds that are not counted")
    parser.add_argument("--seconds", type=float, default=300, help="seconds that are")
    parser.add_argument("--rss-max", type=float, default=BUDGET_BYTES)
    parser.add_argument("--smoke", action="store_true", help="judge what does not depend on time; say little")
    return parser.parse_args()


def is_sanitized(path):
    with open(path, "rb") as file:
        return b"__asan_init" in file.read()


def process_count():
    return sum(name.isdigit() for name in os.listdir("/proc"))


def start_herd(build, wanted):
    # slowd and the herd's parent come too. A machine that builds has many processes now and few in a minute: at least
    # half of those wanted are there to stay.
    size = max(wanted - process_count() - 2, wanted // 2)
    herd = subprocess.Popen([f"{build}/tests/bench/bench_herd", str(size)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    if herd.stdout.readline() != "ready\n":
        raise Failed("no herd")
    return herd, size


def as_the_unit_does():
    """What systemd/slowd.service sets and this process may set."""
    for set_it in (lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2),
                   lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536)),
                   lambda: os.setpriority(os.PRIO_PROCESS, 0, -5)):
        try:
            set_it()
        except (OSError, ValueError):
            pass


def start_slowd(arguments, directory):
    with open(f"{directory}/slowd.conf", "w", encoding="utf-8") as file:
        file.write(f"[slowd]\nInterval={arguments.interval:g}\nFastInterval={arguments.interval:g}\n")
    os.mkdir(f"{directory}/state")
    log = open(f"{directory}/log", "wb")  # pylint: disable=consider-using-with
    return subprocess.Popen([f"{arguments.build}/daemon/slowd", f"--config={directory}/slowd.conf",
                             f"--socket={directory}/socket", f"--state-directory={directory}/state"],
                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=as_the_unit_does)


def status(build, directory):
    answer = subprocess.run([f"{build}/cli/slowctl", f"--socket={directory}/socket", "--json", "status"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    try:
        return json.loads(answer.stdout)
    except ValueError as error:
        raise Failed(f"slowctl status: {answer.stderr.decode()}") from error


def wait_for_answer(slowd, arguments, directory):
    deadline = time.monotonic() + 30
    while True:
        if slowd.poll() is not None:
            raise Failed(f"slowd ended: {read(directory + '/log')}")
        try:
            if status(arguments.build, directory)["ticks"] > 0:
                return
        except (Failed, KeyError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def process_cpu_nsec(pid):
    """The clock of all threads, with those that have ended (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns(~pid << 3 | 2)


def thread_cpu_nsec(pid):
    """By thread: its name and its time so far."""
    threads = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            threads[int(task)] = (read(f"/proc/{pid}/task/{task}/comm").strip(),
                                  int(read(f"/proc/{pid}/task/{task}/schedstat").split()[0]))
        except OSError:
            pass  # it has ended
    return threads


def children_cpu_sec(pid):
    fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def memory(pid):
    """Bytes: resident, of it anonymous and of files, and locked (what is both mapped and there; a share of it, where
    others map the same page)."""
    kib = collections.Counter()
    for line in read(f"/proc/{pid}/status").splitlines():
        name, _, value = line.partition(":")
        if name in ("VmRSS", "RssAnon", "RssFile"):
            kib[name] = int(value.split()[0])
    for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Locked:"):
            kib["Locked"] = int(line.split()[1])
    return {name: value * 1024 for name, value in kib.items()}


class Peak:
    """The most that was there at any look, and the last look."""

    def __init__(self, pid):
        self.pid, self.most, self.last = pid, collections.Counter(), {}

    def look(self):
        self.last = memory(self.pid)
        for name, value in self.last.items():
            self.most[name] = max(self.most[name], value)


def plain_loop_usec(build, rounds):
    answer = subprocess.run([f"{build}/tests/bench/bench_sample", "--plain", "--rounds", str(rounds), "--gap", "100"],
                            stdout=subprocess.PIPE, check=True)
    return float(answer.stdout)


def neighbours():
    """What else took CPU time of the machine, in CPUs since it was asked last."""
    now, busy = time.monotonic(), sum(int(x) for x in read("/proc/stat").split("\n", 1)[0].split()[1:4])
    return now, busy / os.sysconf("SC_CLK_TCK")


def watch(slowd, arguments, directory):
    """Looks on for the measured time. Returns the figures."""
    pid, peak, plain, processes = slowd.pid, Peak(slowd.pid), [], []
    deadline = time.monotonic() + arguments.warm
    while time.monotonic() < deadline:
        time.sleep(1)
    before, cpu, threads, beside = status(arguments.build, directory), process_cpu_nsec(pid), thread_cpu_nsec(pid), neighbours()
    children = children_cpu_sec(pid)
    deadline, next_plain = time.monotonic() + arguments.seconds, 0
    while time.monotonic() < deadline:
        peak.look()
        if time.monotonic() >= next_plain:
            plain.append(plain_loop_usec(arguments.build, 3))
            processes.append(process_count())
            next_plain = time.monotonic() + arguments.seconds / 10
        time.sleep(min(arguments.interval, 2, max(deadline - time.monotonic(), 0)))
        if slowd.poll() is not None:
            raise Failed(f"slowd ended: {read(directory + '/log')}")
    cpu, children = process_cpu_nsec(pid) - cpu, children_cpu_sec(pid) - children
    after, now_threads, now = status(arguments.build, directory), thread_cpu_nsec(pid), neighbours()
    ticks = after["ticks"] - before["ticks"]
    if ticks <= 0:
        raise Failed("not one tick")
    by_name = collections.Counter()
    for task, (name, nsec) in now_threads.items():
        by_name[name] += nsec - threads.get(task, (name, 0))[1]
    by_name["(ended)"] = cpu - sum(by_name.values())
    return {"status": after, "processes": processes, "ticks": ticks, "cpu_usec": cpu / 1e3 / ticks, "children_usec": children * 1e6 / ticks,
            "threads": {name: nsec / 1e3 / ticks for name, nsec in by_name.most_common()},
            "plain_usec": statistics.median(plain), "peak": peak,
            "cpus_beside": (now[1] - beside[1] - cpu / 1e9) / (now[0] - beside[0])}


def mb(size):
    return f"{size / 1e6:.2f} MB"


def report(arguments, herd, result):
    state, peak = result["status"], result["peak"]
    print(f"{min(result['processes'])} to {max(result['processes'])} processes, {herd * HERD_ACTIVE_PER_CENT // 100 + 1} of a herd of {herd} awake; "
          f"{result['ticks']} ticks of {arguments.interval:g} s, {state['missedTicks']} missed; "
          f"beside it others used {result['cpus_beside']:.2f} of {os.cpu_count()} CPUs")
    print(f"  CPU per tick     {result['cpu_usec'] / 1e3:6.2f} ms   (budget {BUDGET_CPU_USEC / 1e3:g})")
    for name, usec in result["threads"].items():
        if usec >= 5:
            print(f"    {name:<15}{usec / 1e3:6.2f} ms")
    print(f"    children       {result['children_usec'] / 1e3:6.2f} ms")
    print(f"  a plain loop     {result['plain_usec'] / 1e3:6.2f} ms   "
          f"slowd is {result['cpu_usec'] / result['plain_usec']:.2f} of it")
    print(f"  resident         {mb(peak.most['VmRSS'])} at most (budget {mb(BUDGET_BYTES)}), {mb(peak.last['VmRSS'])} at the end: "
          f"{mb(peak.last['RssAnon'])} of its own, {mb(peak.last['RssFile'])} of files")
    print(f"  locked           {mb(peak.most['Locked'])} at most", flush=True)


def judge(arguments, herd, result):
    state, peak = result["status"], result["peak"]
    if state["processes"] < herd:
        raise Failed(f"it sees {state['processes']} processes, the herd alone has {herd}")
    if not state["historyWriting"]:
        raise Failed(f"no history on disk: {state['historyProblem']}")
    if os.geteuid() == 0 and arguments.rss_max < float("inf") and not peak.most["Locked"]:
        raise Failed("its memory is not locked")
    if "logs" not in result["threads"] or "file systems" not in result["threads"]:
        raise Failed(f"a scan has no thread: {sorted(result['threads'])}")
    if peak.most["VmRSS"] > arguments.rss_max:
        raise Failed(f"resident {mb(peak.most['VmRSS'])}, more than {mb(arguments.rss_max)}")


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or slowd would outlive it
    if arguments.smoke and is_sanitized(f"{arguments.build}/daemon/slowd"):
        arguments.rss_max = float("inf")  # its memory is not slowd's, and it lets nobody lock any
    with tempfile.TemporaryDirectory(prefix="slowd-budget-") as directory:
        herd, size = start_herd(arguments.build, arguments.processes)
        slowd = start_slowd(arguments, directory)
        try:
            wait_for_answer(slowd, arguments, directory)
            result = watch(slowd, arguments, directory)
            report(arguments, size, result)
            if arguments.smoke:
                judge(arguments, size, result)
        except Failed as failure:
            print(f"budget.py: {failure}", file=sys.stderr)
            return 1
        finally:
            slowd.terminate()
            slowd.wait(30)
            herd.stdin.close()
            herd.wait(30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
