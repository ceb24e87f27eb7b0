"""One live test: starts a slowd of its own, makes a real fault and holds slowctl's answer against it. Leaves nothing
behind however it ends: the scenario runs in a child that dies with its parent, and that child adopts every orphan.

    @scenario            a function of one argument, run by main() under its name
    def overload(t): ...

With --validate no slowd is needed: every fault is made, and what the kernel itself says about it is printed."""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

from machine import Figures, Impossible, descendants, die_with_parent, read, reap_orphans
from probe import Probe
from program import Program

SKIPPED = 77
OTHERS_MAX = 0.2  # CPUs that programs outside the test may use before its failure says nothing: they come in bursts
SCENARIOS = {}


class Failed(Exception):
    """slowd did not say what it should have."""


class Disturbed(Impossible):
    """Somebody else is loading this machine."""


def scenario(function):
    SCENARIOS[function.__name__.replace("_", "-")] = function
    return function


class Live:
    """What a scenario works with."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.validate = arguments.validate
        self.directory = tempfile.mkdtemp(prefix="slowd-live-", dir="/var/tmp")
        self.undos = [lambda: subprocess.run(["rm", "-rf", self.directory], check=False)]
        self.reliefs = []
        self.programs = []
        self.disks = []
        self.slowd = None
        self.begins = {}  # realtime, microseconds, of the first program of each label since slowd runs
        self.slowest_answer = 0.0
        self.others = 0.0  # CPUs that they used in the last window
        self.minds_others = True  # whether the load of others can excuse a failure
        self.last = None
        self.probe = None
        if os.geteuid() == 0:  # slowd may switch it on; the machine gets it back as it was
            path = "/proc/sys/kernel/task_delayacct"
            before = read(path, "")
            if before:
                self.undo(lambda: open(path, "w", encoding="ascii").write(before))

    def skip(self, reason):
        raise Impossible(reason)

    def await_quiet(self):
        """The figures of a machine that others load say little: waits a while for them to finish."""
        deadline = time.monotonic() + self.arguments.patience
        while True:
            before = self.figures()
            time.sleep(1)
            others = self.figures().others(before)
            if others < OTHERS_MAX:
                return
            if time.monotonic() > deadline:
                self.say(f"others still use {others:.1f} CPUs")
                return

    def say(self, text):
        print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)

    # ---- making and unmaking ----

    def undo(self, function, relief=False):
        """Run at the end, last first; a relief runs before anything is waited for (a throttle that holds a dying
        process back)."""
        (self.reliefs if relief else self.undos).append(function)

    def clean_up(self):
        """Everything off, whatever fails on the way."""
        signal.alarm(0)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            mine = [pid for pid in descendants(os.getpid()) if pid != os.getpid()]
            for pid in mine:
                try:
                    os.kill(pid, signal.SIGKILL)
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
            while self.reliefs:
                self.try_undo(self.reliefs.pop())
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                break
            time.sleep(0.05)
        while self.undos:
            self.try_undo(self.undos.pop())

    def try_undo(self, function):
        for attempt in range(20):
            try:
                function()
                return
            except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
                if attempt == 19:
                    self.say(f"could not be undone: {error}")
                time.sleep(0.25)

    def start(self, label, argv, *, session=True, group=None, nice=0, idle=False, autogroup_nice=None, user=None,
              directory=None, environment=None, output="null"):
        """Starts a program, in a session (and so an autogroup) of its own or in the test's. Its label names it in
        the figures."""

        def child():
            if group:
                group.join()
            if session:
                os.setsid()
            if autogroup_nice is not None:
                with open("/proc/self/autogroup", "w", encoding="ascii") as file:
                    file.write(str(autogroup_nice))
            if idle:
                os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            if nice:
                os.nice(nice)
            if user:
                os.setgroups([])
                os.setgid(user[1])
                os.setuid(user[0])

        with open(os.devnull if output == "null" else output, "ab") as sink:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, preexec_fn=child,
                                       cwd=directory or self.directory, env=environment)
        program = Program(label, process)
        self.programs.append(program)
        if self.slowd and not self.begins.get(label):
            self.begins[label] = int(time.time() * 1e6)
        return program

    def stop(self, *programs):
        for program in programs:
            program.stop()
            self.programs.remove(program)

    def script(self, name, text):
        """An executable script in a directory of its own; its path."""
        directory = tempfile.mkdtemp(prefix=name.partition(".")[0] + "-", dir=self.directory)
        path = f"{directory}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)
        os.chmod(self.directory, 0o755)
        os.chmod(directory, 0o755)
        return path

    def tool(self, name):
        return f"{self.arguments.build}/tests/live/{name}"

    # ---- slowd ----

    def start_slowd(self, *options, user=None, interval=5.0, wrapper=()):
        """Starts slowd (through a command that execs it, if given) and waits until it has an opinion."""
        self.socket = f"{self.directory}/slowd.socket"
        self.interval = interval
        if self.validate:
            return
        state = f"{self.directory}/state"
        os.makedirs(state, exist_ok=True)
        if user:
            for path in (self.directory, state):
                os.chown(path, *user)
        self.log = f"{self.directory}/slowd.log"
        self.slowd = self.start("slowd", [*wrapper, f"{self.arguments.build}/daemon/slowd", f"--socket={self.socket}",
                                          f"--state-directory={state}", f"--interval={interval:g}", *options],
                                user=user, output=self.log)
        self.expect("an opinion", lambda d: ["verdict is unknown"] if d["verdict"] == "unknown" else [],
                    within=4 * interval + 10)

    def stop_slowd(self):
        if not self.slowd:
            return
        slowd, self.slowd = self.slowd, None
        slowd.process.terminate()
        try:
            status = slowd.process.wait(15)
        except subprocess.TimeoutExpired:
            status = "none: it still runs"
        self.programs.remove(slowd)
        if status != 0:
            raise Failed(f"slowd ended with exit status {status} after SIGTERM\n{read(self.log, '')[-3000:]}")

    def keep_recording(self, function):
        """What slowd has recorded goes to $SLOWD_LIVE_RECORD/NAME, with where it comes from: the raw material of
        tests/machines, to which a person adds what is to be expected."""
        target = os.environ.get("SLOWD_LIVE_RECORD")
        recording = f"{self.directory}/state/history.slowd"
        if not target or self.validate or not os.path.exists(recording):
            return
        target = f"{target}/{function.__name__.replace('_', '-')}"
        os.makedirs(target, exist_ok=True)
        subprocess.run(["cp", recording, f"{target}/history.slowd"], check=True)
        with open(f"{target}/meta.json", "w", encoding="utf-8") as file:
            json.dump({"scenario": function.__name__.replace("_", "-"), "whatWasDone": " ".join(function.__doc__.split()),
                       "kernel": os.uname().release, "cpus": os.cpu_count(), "beginsUSec": self.begins,
                       "recordedBy": "tests/live"}, file, indent=2)
            file.write("\n")

    def call(self, method, parameters=None):
        """One call without slowctl: its parameters."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(15)
            connection.connect(self.socket)
            request = {"method": f"io.slowd.Diagnostics.{method}", "parameters": parameters or {}}
            connection.sendall(json.dumps(request).encode() + b"\0")
            reply = b""
            while not reply.endswith(b"\0"):
                part = connection.recv(65536)
                if not part:
                    raise Failed(f"{method}: connection closed after {len(reply)} bytes")
                reply += part
        answer = json.loads(reply[:-1])
        if "error" in answer:
            raise Failed(f"{method}: {answer['error']} {answer.get('parameters')}")
        return answer["parameters"]

    def ask(self):
        """What slowctl says now; None while slowd has not opened its socket."""
        started = time.monotonic()
        if self.arguments.raw:
            try:
                self.last = self.call("Diagnose")["diagnosis"]
            except (OSError, Failed) as reason:
                return self.unanswered(reason)
            self.slowest_answer = max(self.slowest_answer, time.monotonic() - started)
            return self.last
        done = subprocess.run([f"{self.arguments.build}/cli/slowctl", f"--socket={self.socket}", "--json", "diagnose"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        took = time.monotonic() - started
        if done.returncode not in (0, 1, 4) or not done.stdout:  # unreachable, or before the first tick
            return self.unanswered(done.stderr.strip())
        self.slowest_answer = max(self.slowest_answer, took)
        self.last = json.loads(done.stdout)["diagnosis"]
        status = {"healthy": 0, "risk": 1, "slow": 1, "unknown": 4}[self.last["verdict"]]
        if done.returncode != status:
            raise Failed(f"exit status {done.returncode} with verdict {self.last['verdict']}")
        return self.last

    def unanswered(self, reason):
        """slowd may be slow to answer, but must not be gone."""
        if self.slowd.process.poll() is not None:
            raise Failed(f"slowd ended by itself, exit status {self.slowd.process.returncode}: {reason}\n"
                         f"{read(self.log, '')[-3000:]}")
        return None

    # ---- expectations ----

    def figures(self):
        watched = {}
        for program in self.programs:
            watched.setdefault(program.label, []).append(program.pid)
        return Figures(watched, self.disks)

    def fail(self, what, unmet, before):
        after = self.figures()
        problem = (f"{what}: {'; '.join(unmet)}\n      {after.since(before)}\nthe last answer: "
                   f"{json.dumps(self.last, indent=1)}")
        others = max(self.others, after.others(before))  # of the window before as well: this one may be short
        if self.minds_others and others > OTHERS_MAX:
            raise Disturbed(f"others used {others:.1f} CPUs meanwhile; {problem}")
        raise Failed(problem)

    def expect(self, what, unmet, within, since=None):
        """Within `within` seconds (of `since`, a monotonic time) the answer must leave nothing unmet. `unmet` is a
        function of the diagnosis that returns a list of complaints."""
        started = since or time.monotonic()
        before = self.figures()
        if self.validate:
            time.sleep(min(within, self.arguments.seconds))
            self.report(f"would expect {what} within {within} s", before)
            return None
        complaints = ["no answer at all"]
        while True:
            asked = time.monotonic()
            if asked - started > within:
                self.fail(f"{what}, not within {within} s", complaints, before)
            answer = self.ask()
            if answer:
                complaints = unmet(answer)
                if not complaints:
                    self.report(f"{what}, after {time.monotonic() - started:.1f} s", before)
                    return answer
            time.sleep(max(0.0, 0.5 - (time.monotonic() - asked)))

    def hold(self, what, unmet, seconds):
        """For `seconds` every answer must leave nothing unmet."""
        before = self.figures()
        if self.validate:
            time.sleep(min(seconds, self.arguments.seconds))
            self.report(f"would hold {what} for {seconds} s", before)
            return
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            answer = self.ask()
            complaints = unmet(answer) if answer else ["no answer"]
            if complaints:
                self.fail(f"{what}, not after {time.monotonic() - started:.1f} s", complaints, before)
            time.sleep(1)
        self.report(f"{what}, for {seconds:.0f} s", before)

    def report(self, what, before):
        felt = f"\n      {self.probe.figures(before.time)}" if self.probe else ""
        after = self.figures()
        self.others = after.others(before)
        self.say(f"{what}\n      {after.since(before)}{felt}")

    def start_probe(self):
        """With --validate: an innocent program that tells how much slower it runs."""
        if self.validate:
            self.probe = Probe(self)


# ---- main -------------------------------------------------------------------------------------------------------


def run(function, arguments):
    """The scenario in this process; its exit status."""
    test = None
    try:
        test = Live(arguments)
        test.await_quiet()
        signal.alarm(arguments.limit)
        function(test)
        test.stop_slowd()
        test.keep_recording(function)
        if not test.validate:
            test.say(f"passed; the slowest answer of slowctl took {test.slowest_answer * 1000:.0f} ms")
        return 0
    except Impossible as reason:
        print(f"skipped: {reason}", flush=True)
        return SKIPPED
    except Failed as reason:
        print(f"FAILED: {reason}", flush=True)
        return 1
    except (SystemExit, KeyboardInterrupt) as reason:
        print(f"FAILED: stopped ({reason})", flush=True)
        return 1
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
        return 1
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)
        if test:
            test.clean_up()


def main():
    parser = argparse.ArgumentParser(description="real faults, and what slowd says of them")
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--build", default="build", help="the build tree")
    parser.add_argument("--validate", action="store_true", help="show that the faults are real; needs no slowd")
    parser.add_argument("--seconds", type=float, default=8, help="how long to look at each fault with --validate")
    parser.add_argument("--raw", action="store_true", help="ask without slowctl")
    parser.add_argument("--patience", type=float, default=15, help="wait so many seconds for a quiet machine")
    parser.add_argument("--limit", type=int, default=170, help="give up (and clean up) after so many seconds")
    arguments = parser.parse_args()
    arguments.build = os.path.abspath(arguments.build)

    parent = os.getpid()
    child = os.fork()
    if child == 0:
        def end(number, _):
            raise SystemExit(f"signal {number}, or {arguments.limit} s are over")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, end)
        die_with_parent(signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
        os.setsid()
        reap_orphans()
        status = run(SCENARIOS[arguments.scenario], arguments)
        sys.stdout.flush()
        os._exit(status)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: os.kill(child, number))
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    sys.exit("run one of the test_*.py files")
