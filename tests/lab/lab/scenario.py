"""Scenarios as they stand in tests/lab/scenarios, and one run of one of them."""

import json
import random
import time

from lab import host
from lab.guest import quote
from lab.score import Answer, Outcome

ASK_SECONDS = 5
HELD_ANSWERS = 2  # the right answer must still be there so many times after it was first given
PREPARED_SECONDS = 10  # what is prepared runs for so long before what is usual with it
MEASURED_SECONDS = 8   # is measured
FIELDS = {"title", "expect", "culprit", "lookAlikeOf", "compound", "allowed", "consequences", "limitSeconds",
          "leastSeconds", "smoke", "configuration", "injectSeconds", "nvme", "qmp", "reboot"}
ASK = """\
slowctl diagnose --json=short
echo @proc
read -r line </proc/stat; echo "$line"
read -r line </proc/loadavg; echo "$line"
read -ra stat </proc/$(</run/lab/slowd-pid)/stat && echo "slowd ${stat[13]} ${stat[14]} ${stat[23]}"
echo @files
cat /proc/meminfo /proc/vmstat
echo @diskstats
cat /proc/diskstats
echo @df
df --local -B1 --output=target,size,avail,itotal,iavail -x tmpfs -x devtmpfs 2>/dev/null
"""


class Scenario:
    """One folder: scenario.json, prepare, inject, validate."""

    def __init__(self, directory):
        self.name = directory.name
        self.directory = directory
        with open(directory / "scenario.json", encoding="utf-8") as file:
            data = json.load(file)
        unknown = set(data) - FIELDS
        if unknown:
            raise ValueError(f"{directory}/scenario.json: unknown: {', '.join(sorted(unknown))}")
        self.title = data["title"]
        self.expect = data["expect"]  # None: nothing is wrong
        culprit = data.get("culprit")
        self.culprits = [culprit] if isinstance(culprit, str) else culprit or []
        self.look_alike_of = data.get("lookAlikeOf")
        self.compound = data.get("compound", False)
        self.consequences = data.get("consequences", [])
        self.allowed = set(data.get("allowed", [])) | set(self.consequences)
        self.limit = data.get("limitSeconds", 45 if self.expect else 35)
        self.least = data.get("leastSeconds", 0)
        self.inject_limit = data.get("injectSeconds", 60)
        self.smoke = data.get("smoke", False)
        self.configuration = data.get("configuration")
        self.has_nvme = data.get("nvme", False)
        self.qmp = data.get("qmp", [])
        self.reboot = data.get("reboot", False)

    @property
    def healthy(self):
        return self.expect is None

    def has(self, script):
        return (self.directory / script).exists()


def load(names=(), smoke=False):
    """The scenarios of these names (all, if none is given), in the order of their names."""
    known = {path.parent.name: path.parent for path in sorted((host.HERE / "scenarios").glob("*/scenario.json"))}
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(f"there is no scenario {missing[0]}; there are: {', '.join(known)}")
    chosen = [Scenario(known[name]) for name in names or known]
    return [scenario for scenario in chosen if scenario.smoke or not smoke]


def ask(guest):
    """slowd's answer now, and the kernel's figures beside it."""
    began = time.monotonic()
    status, text = guest.run(ASK, timeout=40)
    sections = {}
    name = "diagnosis"
    for line in text.splitlines():
        if line.startswith("@"):
            name = line[1:]
        else:
            sections.setdefault(name, []).append(line)
    try:
        diagnosis = json.loads("\n".join(sections.pop("diagnosis", [])))["diagnosis"]
    except (ValueError, KeyError):
        diagnosis = None
    return Answer(began, time.monotonic() - began, status, diagnosis, sections)


def run(session, scenario, seed):
    """Back to the warm machine, the fault, the questions. What came of it."""
    guest = session.guest
    chance = random.Random(f"{scenario.name} {seed}")
    intensity = 1.0 if seed == 1 else chance.uniform(0.8, 1.25)
    settle = 6 if seed == 1 else chance.uniform(5, 12)
    outcome = Outcome(scenario, seed, intensity)
    prefix = (f". /opt/lab/helpers.sh; cd /opt/lab/scenarios/{scenario.name} && "
              f"export INTENSITY={intensity:.3f} SEED={seed}; ")
    session.back()
    starved = host.Starved(guest.process.pid)
    if scenario.configuration:
        guest.must(f"mkdir -p /etc/slowd/slowd.conf.d; echo {quote(scenario.configuration)} "
                   ">/etc/slowd/slowd.conf.d/lab.conf; systemctl reload slowd")
    if scenario.has_nvme:
        guest.plug_nvme()
    if scenario.has("prepare"):
        guest.must(prefix + ". ./prepare", timeout=scenario.inject_limit)
        time.sleep(PREPARED_SECONDS)
        guest.must(f"/opt/lab/bin/probe-all {MEASURED_SECONDS} >/run/lab/usual")
    time.sleep(settle)
    before = ask(guest)
    outcome.before = before
    for command in scenario.qmp:
        guest.qmp(command["execute"], **command.get("arguments", {}))
    if scenario.has("inject"):
        guest.must(prefix + ". ./inject", timeout=scenario.inject_limit)
    if scenario.reboot:
        session.reboot()
    onset = time.monotonic()
    outcome.injected(onset, int(time.time() * 1e6))
    while True:
        time.sleep(max(0.0, ASK_SECONDS - (time.monotonic() - onset) % ASK_SECONDS))
        answer = ask(guest)
        outcome.add(answer)
        elapsed = time.monotonic() - onset
        is_answered = outcome.is_held(HELD_ANSWERS) and not outcome.missing_consequences()
        if elapsed >= scenario.limit or (not scenario.healthy and is_answered and elapsed >= scenario.least):
            break
    if scenario.has("validate"):
        status, said = guest.run(prefix + ". ./validate", timeout=60)
        outcome.validated(status == 0, said.strip())
    outcome.starved_permille = starved.permille()
    return outcome
