"""What slowd's answers are worth: one Outcome for each run of a scenario, one Summary for all."""

import statistics

HZ = 100
PAGE = 4096


class Answer:
    """One answer of slowctl, and the kernel's figures of that moment."""

    def __init__(self, at, took, status, diagnosis, figures):
        self.at, self.took, self.status, self.diagnosis, self.figures = at, took, status, diagnosis, figures

    def ranked(self):
        """Findings in the order a reader meets them: causes, and where there is none, risks."""
        if not self.diagnosis:
            return []
        return self.diagnosis["causes"] or self.diagnosis["risks"]

    def everything(self):
        if not self.diagnosis:
            return []
        return self.diagnosis["causes"] + self.diagnosis["risks"] + self.diagnosis["consequences"]

    def slowd(self):
        """Seconds of CPU that slowd has used, and bytes it has in memory."""
        for line in self.figures.get("proc", []):
            fields = line.split()
            if fields[0] == "slowd" and len(fields) == 4:
                return (int(fields[1]) + int(fields[2])) / HZ, int(fields[3]) * PAGE
        return None


def culprit_of(finding):
    return (finding["culprit"] or {}).get("name", "")


class Outcome:
    """One run of one scenario."""

    def __init__(self, scenario, seed, intensity):
        self.scenario, self.seed, self.intensity = scenario, seed, intensity
        self.before = None
        self.answers = []
        self.onset = self.onset_realtime_usec = None
        self.detected_at = None  # seconds after the fault was made
        self.right_since = 0     # right answers in a row, up to now
        self.is_valid = None
        self.validation = ""
        self.starved_permille = 0
        self.error = None

    def injected(self, onset, realtime_usec):
        self.onset, self.onset_realtime_usec = onset, realtime_usec

    def add(self, answer):
        self.answers.append(answer)
        if self.is_right(answer):
            self.right_since += 1
            if self.detected_at is None:
                self.detected_at = answer.at + answer.took - self.onset
        else:
            self.right_since = 0

    def validated(self, is_valid, said):
        self.is_valid, self.validation = is_valid, said

    # ---- one answer ----

    def names_culprit(self, finding):
        wanted = self.scenario.culprits
        return not wanted or culprit_of(finding) in wanted

    def is_right(self, answer):
        ranked = answer.ranked()
        return bool(ranked) and ranked[0]["check"] == self.scenario.expect and self.names_culprit(ranked[0])

    def is_held(self, times):
        return self.right_since > times

    # ---- the run ----

    @property
    def last(self):
        """The answer that is judged: the last one; what somebody reads who asks while the fault is there."""
        return self.answers[-1] if self.answers else None

    def rank(self):
        """1: the expected check comes first; None: it is not among the answers."""
        for number, finding in enumerate(self.last.ranked() if self.last else [], 1):
            if finding["check"] == self.scenario.expect:
                return number
        return None

    def culprit_is_right(self):
        return any(finding["check"] == self.scenario.expect and self.names_culprit(finding)
                   for finding in (self.last.ranked() if self.last else []))

    def must_nots(self):
        """Checks found at any time that have no business here, with what they said."""
        found = {}
        for answer in self.answers:
            for finding in answer.everything():
                if finding["check"] != self.scenario.expect and finding["check"] not in self.scenario.allowed:
                    found.setdefault(finding["check"], finding["summary"])
        return found

    def missing_consequences(self):
        """Compounds: what should have been explained by the cause and was not."""
        said = {finding["check"] for answer in self.answers for finding in answer.everything()
                if finding.get("because") == self.scenario.expect}
        return [check for check in self.scenario.consequences if check not in said]

    def is_passed(self):
        if self.error or not self.answers:
            return False
        if self.scenario.healthy:
            return not self.must_nots()
        return (self.rank() == 1 and self.culprit_is_right() and not self.must_nots() and
                not self.missing_consequences())

    def counts(self):
        """A fault that could not be proved, or that broke the lab, says nothing about slowd."""
        return not self.error and self.is_valid is not False

    def slowd_cost(self):
        """slowd's share of one CPU (permille) and its largest resident memory in this run."""
        seen = [(answer.at, *answer.slowd()) for answer in [self.before, *self.answers] if answer and answer.slowd()]
        if len(seen) < 2 or seen[-1][0] <= seen[0][0]:
            return None
        return 1000 * (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0]), max(memory for _, _, memory in seen)

    def as_json(self):
        cost = self.slowd_cost()
        return {
            "scenario": self.scenario.name, "seed": self.seed, "intensity": round(self.intensity, 3),
            "title": self.scenario.title,
            "expected": self.scenario.expect, "culprits": self.scenario.culprits, "compound": self.scenario.compound,
            "lookAlikeOf": self.scenario.look_alike_of,
            "passed": self.is_passed(), "counts": self.counts(), "error": self.error, "rank": self.rank(),
            "culpritRight": self.culprit_is_right(), "secondsToDetect": self.detected_at, "mustNots": self.must_nots(),
            "missingConsequences": self.missing_consequences(),
            "valid": self.is_valid, "validation": self.validation, "hostStarvedPermille": self.starved_permille,
            "slowdCpuPermille": cost and cost[0], "slowdMemoryBytes": cost and cost[1],
            "answers": [{"second": round(answer.at - self.onset, 1), "tookSeconds": round(answer.took, 2),
                         "verdict": (answer.diagnosis or {}).get("verdict"),
                         "found": [[finding["check"], culprit_of(finding)] for finding in answer.everything()]}
                        for answer in self.answers],
            "diagnosis": self.last and self.last.diagnosis,
            "figures": [{"second": round(answer.at - (self.onset or answer.at), 1), **answer.figures}
                        for answer in [self.before, *self.answers] if answer],
        }


def share(part, whole):
    return f"{part} of {whole} ({100 * part / whole:.0f} %)" if whole else "none"


def summary(runs):
    """Lines that say how good the answers were; of runs as they stand in a results file."""
    counted = [run for run in runs if run["counts"]]
    faults = [run for run in counted if run["expected"]]
    healthy = [run for run in counted if not run["expected"]]
    compound = [run for run in faults if run["compound"]]
    single = [run for run in faults if not run["compound"]]

    def first(some):
        return share(sum(run["rank"] == 1 for run in some), len(some))

    lines = [
        f"top-1            {first(faults)}",
        f"top-2            {share(sum(run['rank'] in (1, 2) for run in faults), len(faults))}",
        f"culprit right    {share(sum(run['culpritRight'] for run in faults), len(faults))}",
        f"single faults    {first(single)} top-1",
        f"compounds        {first(compound)} top-1, "
        f"{share(sum(not run['missingConsequences'] for run in compound), len(compound))} with all their consequences",
        f"false alarms     {share(sum(bool(run['mustNots']) for run in healthy), len(healthy))} healthy runs",
        f"others beside    {share(sum(bool(run['mustNots']) for run in faults), len(faults))} faults had a "
        "finding that does not belong to them",
    ]
    times = [run["secondsToDetect"] for run in faults if run["secondsToDetect"] is not None]
    if times:
        lines.append(f"time to detect   {statistics.median(times):.0f} s median, {max(times):.0f} s longest")
    costs = [(run["slowdCpuPermille"], run["slowdMemoryBytes"]) for run in runs if run["slowdMemoryBytes"]]
    if costs:
        lines.append(f"slowd itself     {statistics.median(cpu for cpu, _ in costs) / 10:.2f} % of one (emulated) CPU, "
                     f"{max(memory for _, memory in costs) / 1e6:.1f} MB at most")
    starved = [run["hostStarvedPermille"] for run in runs]
    if starved:
        lines.append(f"this machine     kept the guest waiting {statistics.median(starved) / 10:.0f} % of the time it "
                     f"wanted to run, {max(starved) / 10:.0f} % at worst")
    unproved = [run for run in runs if not run["counts"]]
    if unproved:
        lines.append("not counted      " + ", ".join(
            f"{run['scenario']}/{run['seed']} ({run['error'] or 'the fault was not proved'})" for run in unproved))
    return lines


def answered(run):
    """What the last answer put first."""
    diagnosis = run["diagnosis"]
    if not diagnosis:
        return "no answer"
    ranked = diagnosis["causes"] or diagnosis["risks"]
    return f"{ranked[0]['check']} {culprit_of(ranked[0])}".strip() if ranked else "healthy"


def table(runs):
    """One row for each run."""
    rows = [["scenario", "seed", "expected", "answered", "rank", "culprit", "seconds", "must-nots", ""]]
    for run in runs:
        healthy = not run["expected"]
        rows.append([
            run["scenario"], str(run["seed"]), run["expected"] or "healthy", answered(run)[:34],
            "" if healthy else str(run["rank"] or "-"),
            "" if healthy else "yes" if run["culpritRight"] else "no",
            "" if run["secondsToDetect"] is None else f"{run['secondsToDetect']:.0f}",
            " ".join(run["mustNots"]),
            "error" if run["error"] else "not proved" if run["valid"] is False
            else "passed" if run["passed"] else "WRONG"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
