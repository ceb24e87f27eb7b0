"""What the plain thresholds of two well-known rule sets say about the same runs, for comparison: node-mixin (of
Prometheus' node_exporter) and netdata's health.d, with the levels that they ship. Their windows are 10 to 30 minutes;
here a rule fires if its mean over the whole fault is above its level, as if the fault had lasted for so long. This
favours them. None of them names a program."""

CPU_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
LOCAL_DISKS = ("vd", "sd", "nvme", "dm-")
HOUR = 3600


class Figures:
    """The kernel's counters at one answer."""

    def __init__(self, second, sections):
        self.second = second
        self.cpu, self.load1, self.values, self.disks, self.files = {}, 0.0, {}, {}, {}
        for line in sections.get("proc", []):
            fields = line.split()
            if fields[0] == "cpu":
                self.cpu = dict(zip(CPU_FIELDS, map(int, fields[1:])))
            elif "/" in line:
                self.load1 = float(fields[0])
        for line in sections.get("files", []):
            fields = line.replace(":", "").split()
            if len(fields) >= 2 and fields[1].isdigit():
                self.values[fields[0]] = int(fields[1])
        for line in sections.get("diskstats", []):
            fields = line.split()
            if fields[2].startswith(LOCAL_DISKS):
                self.disks[fields[2]] = {"busy": int(fields[12]), "weighted": int(fields[13]), "queue": int(fields[11])}
        for line in sections.get("df", [])[1:]:
            fields = line.split()
            if len(fields) == 5 and all(field.isdigit() for field in fields[1:]):
                size, available, inodes, inodes_free = map(int, fields[1:])
                self.files[fields[0]] = {"size": size, "available": available, "inodes": inodes, "free": inodes_free}


class Span:
    """Between the fault and the last answer."""

    def __init__(self, run):
        readings = [Figures(entry["second"], entry) for entry in run["figures"] if "proc" in entry and "files" in entry]
        self.ok = len(readings) >= 2
        if not self.ok:
            return
        self.first, self.last, self.all = readings[0], readings[-1], readings
        self.seconds = max(1.0, self.last.second - self.first.second)
        self.memory_total = self.last.values["MemTotal"]
        total = sum(self.last.cpu.values()) - sum(self.first.cpu.values())
        self.cpu = {key: (self.last.cpu[key] - self.first.cpu[key]) / max(1, total) for key in CPU_FIELDS}
        self.cpus = 2

    def counted(self, *keys):
        return sum(self.last.values.get(key, 0) - self.first.values.get(key, 0) for key in keys)

    def rate(self, *keys):
        return self.counted(*keys) / self.seconds

    def mean(self, key):
        return sum(reading.values.get(key, 0) for reading in self.all) / len(self.all)

    def disk_rates(self, key):
        return {name: (disk[key] - self.first.disks[name][key]) / self.seconds / 1000
                for name, disk in self.last.disks.items() if name in self.first.disks}

    def hours_until_full(self):
        """For each file system: at the rate of this span."""
        left = {}
        for path, now in self.last.files.items():
            before = self.first.files.get(path)
            used = before["available"] - now["available"] if before else 0
            if used > 0:
                left[path] = now["available"] / (used / self.seconds) / HOUR
        return left


def node_mixin(span):
    memory = 1 - span.mean("MemAvailable") / span.memory_total
    fired = []
    rules = [("CPU > 90 %", 1 - span.cpu["idle"] - span.cpu["iowait"] > 0.9),
             ("load1 / core > 2", span.last.load1 / span.cpus > 2),
             ("major faults > 500/s", span.rate("pgmajfault") > 500),
             ("memory used > 90 %", memory > 0.9)]
    fired += [(text, None) for text, holds in rules if holds]
    fired += [("disk queue > 10", name) for name, queue in span.disk_rates("weighted").items() if queue > 10]
    hours = span.hours_until_full()
    for path, files in span.last.files.items():
        free = files["available"] / max(1, files["size"])
        if free < 0.05 or (free < 0.4 and hours.get(path, 1e9) < 24):
            fired.append(("space < 5 %, or full within 24 h", path))
        if files["inodes"] and files["free"] / files["inodes"] < 0.05:
            fired.append(("inodes < 5 %", path))
    return fired


def netdata(span):
    busy = 1 - sum(span.cpu[key] for key in ("idle", "iowait", "nice", "steal"))
    swap_total = span.last.values.get("SwapTotal", 0)
    page_kib = 4
    rules = [("CPU > 85 %", busy > 0.85), ("iowait > 40 %", span.cpu["iowait"] > 0.4),
             ("steal > 10 %", span.cpu["steal"] > 0.1), ("load1 > 800 % of the CPUs", span.last.load1 > 8 * span.cpus),
             ("RAM in use > 90 %", 1 - (span.mean("MemFree") + span.mean("Cached") + span.mean("Buffers")) /
              span.memory_total > 0.9),
             ("RAM available < 10 %", span.mean("MemAvailable") / span.memory_total < 0.1),
             ("OOM kill", span.counted("oom_kill") > 0),
             ("swapped out > 30 % of RAM", span.counted("pswpout") * page_kib / span.memory_total > 0.3),
             ("swap used > 90 %", swap_total > 0 and span.mean("SwapFree") / swap_total < 0.1)]
    fired = [(text, None) for text, holds in rules if holds]
    fired += [("disk busy > 98 %", name) for name, busy in span.disk_rates("busy").items() if busy > 0.98]
    fired += [("disk backlog > 5 s", name) for name, queue in span.disk_rates("weighted").items() if queue > 5]
    fired += [("full within 8 h", path) for path, hours in span.hours_until_full().items() if hours < 8]
    for path, files in span.last.files.items():
        if files["available"] / max(1, files["size"]) < 0.1:
            fired.append(("space > 90 %", path))
        if files["inodes"] and files["free"] / files["inodes"] < 0.1:
            fired.append(("inodes > 90 %", path))
    return fired


RULE_SETS = {"node-mixin": node_mixin, "netdata": netdata}


def judge(run):
    """For each rule set: what fires, as (rule, device or None)."""
    span = Span(run)
    return {name: rules(span) for name, rules in RULE_SETS.items()} if span.ok else None


def lines(runs):
    """The comparison: slowd beside the rule sets, over runs as they stand in a results file."""
    counted = [(run, judged) for run in runs if run["counts"] and (judged := judge(run))]
    faults = [pair for pair in counted if pair[0]["expected"]]
    healthy = [pair for pair in counted if not pair[0]["expected"]]
    if not counted:
        return []

    def of(part, whole):
        return f"{part:3} of {len(whole):3}"

    rows = [f"{'':17}{'faults flagged':18}{'healthy flagged':18}culprit named",
            f"{'slowd':17}{of(sum(run['rank'] is not None for run, _ in faults), faults):18}"
            f"{of(sum(bool(run['mustNots']) for run, _ in healthy), healthy):18}"
            f"{of(sum(run['culpritRight'] for run, _ in faults), faults)}"]
    for name in RULE_SETS:
        named = sum(any(device in run["culprits"] for _, device in judged[name]) for run, judged in faults)
        rows.append(f"{name:17}{of(sum(bool(judged[name]) for _, judged in faults), faults):18}"
                    f"{of(sum(bool(judged[name]) for _, judged in healthy), healthy):18}{of(named, faults)}")
    return rows
