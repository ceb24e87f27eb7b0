"""Replies of slowd as its interface defines them. Dates are in 2024, so that no output depends on today."""

AT = 1732284842_123456  # 2024-11-22 14:14:02 UTC
SECOND = 1000000
MINUTE = 60 * SECOND
DAY = 86400 * SECOND


def subject(name, kind="program", count=1, pids=(), unit=None, user=None, command=None, started_by=None, lost=None):
    return {
        "kind": kind, "name": name, "count": count, "pids": list(pids), "unit": unit, "user": user,
        "commandLine": command, "startedBy": started_by, "lostPermille": lost,
    }


def evidence(name, value, unit, text, threshold=None, usual=None):
    return {"name": name, "value": value, "unit": unit, "threshold": threshold, "usual": usual, "text": text}


def finding(check, summary, severity="critical", since=AT - 12 * MINUTE, lost=310, confidence=950, culprit=None,
            victims=(), proof=(), remedies=(), because=None):
    return {
        "check": check, "severity": severity, "sinceUSec": since, "lostPermille": lost,
        "confidencePermille": confidence, "summary": summary, "culprit": culprit, "victims": list(victims),
        "evidence": list(proof), "remedies": [{"text": t, "command": c} for t, c in remedies], "because": because,
    }


def diagnosis(verdict, summary, causes=(), risks=(), consequences=(), ruled_out=(), not_checked=(), machine="web1"):
    def reasons(pairs):
        return [{"check": check, "reason": reason} for check, reason in pairs]

    return {"diagnosis": {
        "machine": machine, "atUSec": AT, "verdict": verdict, "summary": summary, "causes": list(causes),
        "risks": list(risks), "consequences": list(consequences), "ruledOut": reasons(ruled_out),
        "notChecked": reasons(not_checked),
    }}


RULED_OUT = (
    ("sampling.gap", "no sample came more than 0.2 s late in the last 15 min"),
    ("cpu.overload", "CPUs are 12 % busy; no program waits longer than 0.3 % of its time for one"),
    ("cpu.quota", "no unit is throttled"),
    ("memory.thrash", "no swap-ins, 0.0 % of time waiting for memory"),
    ("memory.exhausted", "6.2 GB of 8.0 GB are available"),
    ("memory.limit", "no unit is at its memory limit"),
    ("memory.oom", "the kernel has killed nothing in the last 15 min"),
    ("disk.saturated", "sda is 4.0 % busy, requests take 0.8 ms"),
)
NO_SMART = (("disk.errors", "the kernel's messages cannot be read: permission denied"),
            ("disk.failing", "smartctl is not installed"), ("disk.slow", "smartctl is not installed"))

ORIGIN = {
    "chain": [
        {"name": "cron", "pid": 512, "commandLine": "/usr/sbin/cron -f"},
        {"name": "sh", "pid": 8101, "commandLine": "/bin/sh -c /src/deploy_videos/deploy.sh"},
        {"name": "deploy.sh", "pid": 8102, "commandLine": "/bin/bash /src/deploy_videos/deploy.sh"},
    ],
    "script": "/src/deploy_videos/deploy.sh", "workingDirectory": "/src/deploy_videos",
}

OVERLOAD = finding(
    "cpu.overload", "30 ffmpeg processes want 28 CPUs of 2, and nginx waits 31 % of its time",
    culprit=subject("ffmpeg", count=30, pids=range(8110, 8140), unit="cron.service", user="www-data",
                    command="ffmpeg -y -i /src/deploy_videos/incoming/holiday-2024-08-17-part-3.mov -c:v libx264 "
                            "-preset slow /srv/videos/holiday-2024-08-17-part-3.mp4", started_by=ORIGIN),
    victims=[subject("nginx", count=3, unit="nginx.service", user="www-data", lost=310),
             subject("sshd", unit="ssh.service", user="root", lost=120)],
    proof=[
        evidence("cpu.waiting", 310, "permille", "nginx waits for a CPU 31 % of the time it wants to work (usually "
                 "0.2 %)", None, 2),
        evidence("cpu.share", 960, "permille", "ffmpeg uses 96 % of the CPU time"),
        evidence("cpu.pressure", 982, "permille", "somebody waits for a CPU 98 % of the time", None, 12),
        evidence("cpu.demand", 28, "count", "ffmpeg wants 28.1 CPUs, there are 2", 2),
    ],
    remedies=[("run them one after the other", "systemd-run --wait ffmpeg"),
              ("start them one at a time in deploy.sh", None),
              ("give way to the others", "systemctl set-property --runtime cron.service CPUWeight=10")])

SLOW = diagnosis("slow", "web1 is slow: " + OVERLOAD["summary"] + ".", [OVERLOAD], ruled_out=[r for r in RULED_OUT if r[0] != "cpu.overload"],
                 not_checked=NO_SMART)

HEALTHY = diagnosis("healthy", "web1 is healthy: nobody loses noticeable time (CPUs 12 % busy, 78 % of memory "
                    "available, disks 4.0 % busy).",
                    ruled_out=RULED_OUT, not_checked=NO_SMART[1:])

UNKNOWN = diagnosis("unknown", "Too little is known of web1 yet: slowd has just begun to look.",
                    not_checked=[(name, "too little data yet") for name, _ in RULED_OUT])

LEAK = finding(
    "memory.leak", "java grows by 1.2 GB an hour and has 6.9 GB.", severity="warning", confidence=640,
    since=AT - 26 * 3600 * SECOND, lost=420,
    culprit=subject("java", "process", pids=[4711], unit="tomcat9.service", user="tomcat",
                    command="/usr/lib/jvm/java-17-openjdk-amd64/bin/java -Xmx12g org.apache.catalina.startup.Bootstrap"),
    victims=[subject("mysqld", lost=420), subject("nginx", lost=95)],
    proof=[evidence("memory.slope", 341333, "bytesPerSecond", "java grows without a break", 50000),
           evidence("memory.size", 6900000000, "bytes", "java has 6.9 GB", None, 2100000000)],
    remedies=[("restart it until it is mended", "systemctl restart tomcat9.service"),
              ("cap it, so that it alone suffers", "systemctl set-property tomcat9.service MemoryMax=8G")])

CONSEQUENCES = diagnosis(
    "slow", "web1 is slow: java grows by 1.2 GB an hour and has 6.9 GB, and mysqld waits 42 % of its time.", [LEAK, OVERLOAD],
    risks=[finding("disk.full", "/var/lib/docker/overlay2 runs out of space in 3 h.", "notice", AT - 90 * SECOND, 0,
                   culprit=subject("/var/lib/docker/overlay2", "mount"),
                   remedies=[("see what is large", "du -xh /var/lib/docker/overlay2 | sort -h | tail")])],
    consequences=[
        finding("memory.thrash", "pages are read again 2,100 times a second", because="memory.leak"),
        finding("disk.saturated", "sda is 99 % busy with swapping", because="memory.leak"),
        finding("network.peer", "nginx waits for 10.0.0.7:3306", because="database.scan"),
    ],
    ruled_out=[r for r in RULED_OUT if r[0] not in ("cpu.overload", "memory.thrash", "disk.saturated")])

RISK = diagnosis(
    "risk", "web1 is not slow, but sda is failing: 212 sectors cannot be read.",
    risks=[finding("disk.failing", "sda is failing: 212 sectors cannot be read", "critical", AT - 5 * 3600 * SECOND, 0,
                   culprit=subject("sda", "disk", count=0), proof=[
                       evidence("disk.pending", 212, "count", "212 sectors wait to be replaced", 8, 0)],
                   remedies=[("copy what matters off it now", None), ("ask the disk", "smartctl -a /dev/sda")])],
    ruled_out=RULED_OUT)

# What a process may put into its name: colours, a bell, cursor movement, a title, C1 controls, overrides of writing
# direction, a newline, invalid UTF-8 (a lone surrogate here), a fake second line, and a very long word.
HOSTILE_NAME = "evil\033[31m\a\033]0;owned\007\u009b2J\u202egnp.\u2066x\nslowctl: all is well\x7f\u2028end"
HOSTILE = diagnosis(
    "slow", f"{HOSTILE_NAME} is slow", [finding(
        f"cpu.{HOSTILE_NAME}", "\033[2J\033[H" + "x" * 300, severity="\033[5mcritical",
        culprit=subject(HOSTILE_NAME, count=2, unit=HOSTILE_NAME, user=HOSTILE_NAME, command=HOSTILE_NAME,
                        started_by={"chain": [{"name": HOSTILE_NAME, "pid": 1, "commandLine": HOSTILE_NAME}],
                                    "script": HOSTILE_NAME, "workingDirectory": "/" + "d" * 200}),
        victims=[subject(HOSTILE_NAME, lost=5)],
        proof=[evidence(HOSTILE_NAME, -5, HOSTILE_NAME, HOSTILE_NAME, -7, -9)],
        remedies=[(HOSTILE_NAME, "rm -rf \033[8m/tmp/x")])],
    consequences=[finding(HOSTILE_NAME, HOSTILE_NAME, because=HOSTILE_NAME)],
    ruled_out=[(HOSTILE_NAME, HOSTILE_NAME)], not_checked=[(HOSTILE_NAME, HOSTILE_NAME)], machine=HOSTILE_NAME)

# Everything that may be missing is.
BARE = {"diagnosis": {"machine": "web1", "verdict": "slow", "summary": "something is slow", "causes": [{}, None, 7],
                      "risks": None, "ruledOut": [{}], "notChecked": "?"}}

CHECKS = {"checks": [
    {"name": "sampling.gap", "title": "The machine, or slowd itself, stood still", "culpritKind": "machine",
     "state": "clear", "reason": RULED_OUT[0][1]},
    {"name": "cpu.overload", "title": "One program asks for more CPU than there is", "culpritKind": "program",
     "state": "found", "reason": OVERLOAD["summary"]},
    {"name": "memory.thrash", "title": "The working set does not fit into memory", "culpritKind": "program",
     "state": "clear", "reason": RULED_OUT[3][1]},
    {"name": "disk.saturated", "title": "One program keeps a disk busy and others wait for it", "culpritKind": "program",
     "state": "unknown", "reason": "this kernel has no pressure files; boot with psi=1"},
    {"name": "disk.failing", "title": "A disk says that it is failing", "culpritKind": "disk", "state": "disabled",
     "reason": "switched off in slowd.conf"},
]}

EXPLAIN = {
    "name": "cpu.overload", "title": "One program asks for more CPU than there is",
    "cause": "All processes of one program together ask for more CPU than the machine has, and other programs that want "
             "to run have to wait for their turn.",
    "meaning": "Everything answers late, most of all what wakes often and runs shortly, as web servers do.",
    "remedy": "Run fewer of them at a time, give them less weight (nice, CPUWeight=), or a quota.",
    "lookAlike": "The same work at nice 19, SCHED_IDLE or low weight; work inside a quota; a compile of under a minute.",
    "explains": ["network.peer"], "messageId": "6b1e3a3b8e1f4c0c9f6e0f1d2c3b4a59",
    "parameters": [
        {"key": "RaiseVictimWaitPermille", "unit": "permille", "value": 100, "defaultValue": 100,
         "meaning": "share of its time that a victim must wait for a CPU",
         "reason": "below it people do not notice: a page that takes 100 ms takes 110 ms",
         "source": "Nielsen, Usability Engineering, 1993, chapter 5"},
        {"key": "RaiseSeconds", "unit": "seconds", "value": 20, "defaultValue": 10, "meaning": "for how long",
         "reason": "shorter bursts are normal", "source": "measured"},
        {"key": "SwitchesPerSecond", "unit": "perSecond", "value": 12500, "defaultValue": 12500, "meaning": "",
         "reason": "", "source": ""},
    ],
}


def program(name, count=1, pid=100, cpu=0, lost=None, unit=None, user=None, command=None, **more):
    row = {"name": name, "count": count, "firstPid": pid, "unit": unit, "user": user, "commandLine": command,
           "cpuPermille": cpu, "lostPermille": lost}
    for key in ("cpuWaitPermille", "throttledPermille", "diskWaitPermille", "swapWaitPermille", "reclaimWaitPermille",
                "stuckPermille", "memoryBytes", "swapBytes", "readBytesPerSecond", "writeBytesPerSecond"):
        row[key] = more.get(key)
    return row


TOP = {"atUSec": AT, "intervalUSec": 5 * SECOND, "cpus": 2, "programs": [
    program("ffmpeg", 30, 8110, 1920, 930, "cron.service", "www-data", OVERLOAD["culprit"]["commandLine"],
            cpuWaitPermille=26100, diskWaitPermille=12, memoryBytes=2412000000, readBytesPerSecond=1200000,
            writeBytesPerSecond=830000),
    program("nginx", 3, 711, 42, 310, "nginx.service", "www-data", "nginx: worker process", cpuWaitPermille=420,
            memoryBytes=31000000, swapBytes=1200000, readBytesPerSecond=0, writeBytesPerSecond=4096),
    program("updatedb.plocate", 1, 9001, 3, 4, "plocate-updatedb.service", "root", None, diskWaitPermille=4,
            memoryBytes=8000000, readBytesPerSecond=52000000, writeBytesPerSecond=0),
    program("名前の長いプログラム", 1, 9010, 1, None, "user@1000.service", "日本", "/opt/日本/名前", memoryBytes=900),
]}



def log(path, size, growth, **more):
    return dict({"path": path, "kind": "log", "sizeBytes": size, "allocatedBytes": size, "growthBytesPerHour": growth,
                 "writer": None, "unit": None, "rotation": "none", "reader": None, "readsPerHour": None, "mount": "/",
                 "fullInUSec": None, "modifiedUSec": AT - MINUTE}, **more)


LOGS = {"atUSec": AT, "logs": [
    log("/srv/shop/logs/archive/2024/november/visits-of-all-customers.txt", 812000000, 41000000, kind="other",
        reader="report.py", readsPerHour=1140),
    log("/var/log/app/app.log", 5200000000, 18000000000, writer="app", unit="app.service", fullInUSec=8 * MINUTE),
    log("/var/log/journal", 1100000000, 12000000, kind="journal", writer="systemd-journald", rotation=None),
    log("/var/log/nginx/access.log", 31000000, 2100000, writer="nginx", unit="nginx.service", rotation="daily"),
    log("/var/lib/docker/containers/4f1c/4f1c-json.log", 7200000, -30000, kind="container", writer="dockerd"),
    log("/tmp/\u001b[31mold (deleted)", 902000000, None, kind="deleted", writer="java", modifiedUSec=0),
], "journalUnits": [
    {"unit": "app.service", "messages": 91200, "messagesPerHour": 64000},
    {"unit": "kernel", "messages": 712, "messagesPerHour": 1200},
    {"unit": None, "messages": 80, "messagesPerHour": 300},
    {"unit": "cron.service", "messages": 12, "messagesPerHour": None},
]}
def mount(path, state="ok", kind="nfs4", source="files:/export", users=(), waited=0, **more):
    row = {"path": path, "type": kind, "source": source, "state": state, "waitedPermille": waited, "users": [
        {"name": name, "count": count, "waiting": waiting, "waitedPermille": share, "directory": directory}
        for name, count, waiting, share, directory in users]}
    for key in ("requestsPerSecond", "requestUSec", "roundTripUSec", "retransmittedPermille", "readBytesPerSecond",
                "writeBytesPerSecond", "outstanding", "silentUSec"):
        row[key] = more.get(key)
    return row


MOUNTS = {"atUSec": AT, "mounts": [
    mount("/srv/projects", "slow", users=[("rsync", 3, 2, 1870, "/srv/projects/2024/invoices"), ("ls", 1, 0, 12, None)],
          waited=1882, requestsPerSecond=41, requestUSec=48200, roundTripUSec=46100, retransmittedPermille=2,
          readBytesPerSecond=1310720, writeBytesPerSecond=0, outstanding=2, silentUSec=40000),
    mount("/home/anna/remote", "hung", "fuse.sshfs", "anna@far.example.org:", [("mutt", 1, 1, 1000, "/home/anna/remote/mail")],
          1000, requestsPerSecond=0, outstanding=1, silentUSec=184 * SECOND),
    mount("/mnt/old", "not responding", source="old:/", outstanding=4, silentUSec=0, requestsPerSecond=0),
    mount("/home", requestsPerSecond=12408, requestUSec=840, roundTripUSec=790, retransmittedPermille=0,
          readBytesPerSecond=88000000, writeBytesPerSecond=21000000, outstanding=0, silentUSec=0),
    mount("/run/user/1000/doc", "idle", "fuse.portal", "portal", requestsPerSecond=None, outstanding=0, silentUSec=0),
]}
MOUNTS_HOSTILE = {"atUSec": AT, "mounts": [
    mount(HOSTILE_NAME, HOSTILE_NAME, HOSTILE_NAME, HOSTILE_NAME, [(HOSTILE_NAME, -1, -1, -5, HOSTILE_NAME)], -1,
          requestUSec=-7, silentUSec=-1, outstanding=9223372036854775807),
    {}, None, 7]}

ALERTS = {"alerts": [
    {"id": 3, "check": "cpu.overload", "severity": "critical", "sinceUSec": AT - 12 * MINUTE, "untilUSec": None,
     "peakUSec": AT, "peakPermille": 310, "summary": OVERLOAD["summary"], "culprit": None, "victims": []},
    {"id": 2, "check": "memory.exhausted", "severity": "warning", "sinceUSec": AT - 26 * 3600 * SECOND,
     "untilUSec": AT - 25 * 3600 * SECOND, "peakUSec": AT, "peakPermille": 87,
     "summary": "212 programs are open and leave 1.9 % of memory.", "culprit": None, "victims": []},
    {"id": 1, "check": "sampling.gap", "severity": "notice", "sinceUSec": AT - 40 * 86400 * SECOND,
     "untilUSec": AT - 40 * 86400 * SECOND + 31 * SECOND, "peakUSec": AT, "peakPermille": 1000,
     "summary": "The machine stood still for 31 s.", "culprit": None, "victims": []},
]}

STATUS = {
    "version": "0.1.0", "machine": "web1", "kernel": "6.1.0-28-amd64", "startedUSec": AT - 26 * 3600 * SECOND,
    "ticks": 18720, "intervalUSec": 5 * SECOND, "lastTickUSec": AT, "lastDurationUSec": 4210, "lastCpuUSec": 3100,
    "meanCpuUSec": 2894, "missedTicks": 0, "rssBytes": 9437184, "processes": 312, "connections": 1,
    "summary": SLOW["diagnosis"]["summary"], "collectors": [
        {"name": "stat", "state": "ok", "reason": None, "durationUSec": 41},
        {"name": "pressure", "state": "absent", "reason": "this kernel has no pressure files; boot with psi=1",
         "durationUSec": 3},
        {"name": "kmsg", "state": "denied", "reason": "/dev/kmsg: Permission denied", "durationUSec": 0},
        {"name": "process.taskstats", "state": "failed", "reason": "netlink: Connection refused", "durationUSec": 12400},
    ],
}

# ---- the past ----------------------------------------------------------------------------------------------


def series(name, unit, values, minimums=None, maximums=None):
    return {"name": name, "unit": unit, "values": values, "minimums": minimums, "maximums": maximums}


def lifetime(name, pid=None, count=1, began=AT - 12 * MINUTE, ended=None, cpu=0, read=0, write=0, peak=None, share=0,
             unit=None, user=None, command=None, started_by=None):
    return {"name": name, "pid": pid, "count": count, "unit": unit, "user": user, "commandLine": command,
            "startedBy": started_by, "beganUSec": began, "endedUSec": ended, "cpuUSec": cpu, "readBytes": read,
            "writeBytes": write, "peakMemoryBytes": peak, "sharePermille": share}


def incident(check, since, until, severity="critical", number=1):
    return {"id": number, "check": check, "severity": severity, "sinceUSec": since, "untilUSec": until,
            "peakUSec": since, "peakPermille": 310, "summary": check, "culprit": None, "victims": []}


def history(all_series, lifetimes=(), incidents=(), since=AT - 60 * MINUTE, until=AT, step=MINUTE,
            resolution="sample", damaged=None):
    return {"sinceUSec": since, "untilUSec": until, "stepUSec": step, "resolution": resolution,
            "series": list(all_series), "lifetimes": list(lifetimes), "incidents": list(incidents),
            "damaged": damaged}


def hour(usual, busy, gap=(20, 27)):
    """Sixty minutes: usual until 14:02, busy from then on; in between slowd did not run."""
    return [None if gap[0] <= i < gap[1] else busy + i % 5 * busy // 20 if i >= 48 else usual + i % 7 * usual // 9
            for i in range(60)]


HISTORY = history([
    series("cpu", "permille", hour(90, 800), hour(40, 700), [v and min(1000, v * 2) for v in hour(90, 800)]),
    series("memory", "bytes", hour(6200000000, 3100000000)),
    series("io.read", "bytesPerSecond", hour(0, 52000000)),
    series("io.write", "bytesPerSecond", [0 if v is not None else None for v in hour(0, 1)]),
    series("wait.cpu", "permille", hour(4, 600)),
    series("wait.memory", "permille", [None] * 60),
    series("wait.io", "permille", [7] * 60),
], [lifetime(f"program-{i}", count=i + 1, began=AT - 20 * DAY, ended=AT - i * MINUTE if i % 3 == 0 else None,
             cpu=(20 - i) * 3 * SECOND, read=i * 1000000, write=i, peak=90000000 - i * 1000000 if i != 5 else None,
             share=90 - i, started_by=ORIGIN if i == 2 else None) for i in range(15)],
    incidents=[incident("cpu.overload", AT - 12 * MINUTE, None),
              incident("memory.exhausted", AT - 50 * MINUTE, AT - 49 * MINUTE, "warning", 2),
              incident("sampling.gap", AT - 40 * MINUTE, AT - 33 * MINUTE, "notice", 3)])

FFMPEG = lifetime("ffmpeg", count=30, cpu=17 * MINUTE, read=1200000000, write=830000000, peak=2412000000, share=931,
                  unit="cron.service", user="www-data", command=OVERLOAD["culprit"]["commandLine"], started_by=ORIGIN)
HISTORY_PROGRAM = history([
    series("cpu", "permille", [None] * 48 + [1920 - 31 * i for i in range(12)]),
    series("memory", "bytes", [None] * 48 + [2412000000] * 12),
    series("count", "count", [0] * 48 + [30 - i for i in range(12)]),
    series("threads", "count", [None] * 59 + [12408]),
], [FFMPEG], [incident("cpu.overload", AT - 12 * MINUTE, None)])
HISTORY_EACH = history(
    [series("cpu", "permille", [None] * 48 + [1920] * 12)],
    [lifetime("ffmpeg", 8110 + i, began=AT - 12 * MINUTE + i * SECOND, ended=AT - MINUTE if i % 2 else None,
              cpu=34 * SECOND, read=40000000, write=27000000, peak=80400000, share=31, unit="cron.service",
              user="www-data", command="ffmpeg -i part-%d.mov" % i, started_by=ORIGIN) for i in range(4)])

HISTORY_WEEK = history(
    [series("cpu", "permille", [(i * 37 + i // 24 * 90) % 900 for i in range(168)], [0] * 168,
            [min(1000, (i * 37 + i // 24 * 90) % 900 + 80) for i in range(168)])],
    incidents=[incident("disk.saturated", AT - 7 * DAY + i * 5 * 3600 * SECOND, AT - 7 * DAY + i * 5 * 3600 * SECOND +
                        MINUTE, "warning", i) for i in range(30)],
    since=AT - 7 * DAY, step=3600 * SECOND, resolution="hour",
    damaged="block 4711 of table raw does not unpack; 10 min are missing")

# Where nginx's time goes: its means, and the diagnosis in which it is a victim.
def why(times, lifetimes, diagnosed, **more):
    return {"history": history([series(name, unit, [value] * 3) for name, unit, value in times], lifetimes,
                               since=AT - 5 * MINUTE, step=100 * SECOND, **more),
            "diagnosis": diagnosed["diagnosis"]}


WHY = why([("cpu", "permille", 352), ("memory", "bytes", 121000000), ("swap", "bytes", 0),
           ("io.read", "bytesPerSecond", 0), ("io.write", "bytesPerSecond", 34000), ("wait", "permille", 650),
           ("wait.cpu", "permille", 610), ("wait.disk", "permille", 43), ("wait.swap", "permille", 0),
           ("wait.reclaim", "permille", None), ("wait.throttled", "permille", 0)],
          [lifetime("nginx", count=3, cpu=17 * SECOND, unit="nginx.service", user="www-data")], SLOW)
WHY_IDLE = why([("cpu", "permille", 2), ("wait.cpu", "permille", 1), ("wait.disk", "permille", 0)],
               [lifetime("cron", pid=512, cpu=SECOND)], HEALTHY)

# One value; values beyond all measure and below zero; lists of different lengths; nothing at all.
HISTORY_POINT = history([series("cpu", "permille", [123])], since=AT - 10 * SECOND, step=10 * SECOND)
HISTORY_HUGE = history([
    series("memory", "bytes", [2**63 - 1, 0, -2**63, None, 1]), series("threads", "count", [2**63 - 1, 1]),
    series("io.read", "bytesPerSecond", [999999999999999999] * 9), series("cpu", "permille", [10**15, 1, None]),
    series("wait", "permille", []),
], [lifetime("x", count=2**62, began=1, ended=2**62, cpu=2**62, read=2**63 - 1, write=-5, peak=2**63 - 1,
             share=2**40)], step=MINUTE)
HISTORY_NOTHING = history([])
HISTORY_HOSTILE = history(
    [series(HOSTILE_NAME, HOSTILE_NAME, [1, None, 3]), series("cpu", "permille", ["\033[2J", None, {}, 5])],
    [lifetime(HOSTILE_NAME, i or None, unit=HOSTILE_NAME, user=HOSTILE_NAME, command=HOSTILE_NAME,
              started_by={"chain": [{"name": HOSTILE_NAME}], "script": HOSTILE_NAME,
                          "workingDirectory": HOSTILE_NAME}) for i in range(2)],
    [incident(HOSTILE_NAME, AT - 10 * MINUTE, None, HOSTILE_NAME), {}, {"sinceUSec": -1}],
    resolution=HOSTILE_NAME, damaged=HOSTILE_NAME)

# A boot that one unit held up, as on a small server; one that is still going on; one of nonsense.
def boot_unit(name, level=None, began=None, active=None, length=0, held=None, usual=None, cpu=None, **more):
    return {"name": name, "type": None, "enabled": None, "level": level, "beganUSec": began, "activeUSec": active,
            "lengthUSec": length, "heldUSec": held, "usualUSec": usual, "cpuUSec": cpu, "readBytes": None,
            "writeBytes": None, "memoryPeakBytes": None, **more}


BOOT = {
    "bootId": "0b0c", "kernel": "6.1.0-41-amd64", "target": "graphical.target", "stage": "settled",
    "beganUSec": AT - 3 * MINUTE, "firmwareUSec": 3200000, "loaderUSec": 1100000, "kernelUSec": 2400000,
    "initrdUSec": 1800000, "lengthUSec": 44 * SECOND, "finishUSec": 61 * SECOND, "waitingFor": None,
    "waitingSinceUSec": None, "services": 43, "cpuUSec": 21300000, "cpuWaitedUSec": 12 * SECOND,
    "ioWaitedUSec": 2100000, "usualUSec": 18500000, "comparedBoots": 10, "overUSec": 25500000, "change": "step",
    "changedUSec": AT - 2 * DAY, "once": None,
    "units": [
        boot_unit("graphical.target", 1, 44 * SECOND, 44 * SECOND, held=0, usual=0),
        boot_unit("multi-user.target", 2, 43990000, 43990000, held=0, usual=0),
        boot_unit("migrate.service", 3, 18 * SECOND, 43 * SECOND, 25 * SECOND, 25 * SECOND, cpu=12000, type="oneshot",
                  enabled="enabled"),
        boot_unit("network.target", 4, 17900000, 17900000, held=0, usual=0),
        boot_unit("systemd-networkd.service", 5, 9632000, 17277000, 7645000, 6100000, 7200000, 857000, type="notify",
                  enabled="enabled", memoryPeakBytes=9100000),
        boot_unit("systemd-udevd.service", 6, 7653000, 9370000, 1717000, 1717000, 1600000, 14400000, type="notify",
                  enabled="static"),
        boot_unit("dev-disk-by\\x2duuid-d2a1a0ab\\x2d27a3\\x2d4a1c\\x2d9a4a.device", 7, 0, 6909000, 6909000, 6909000,
                  6800000),
        boot_unit("system.slice", 8, None, 0, held=0),
        boot_unit("apt-daily.service", None, 20 * SECOND, 61 * SECOND, 41 * SECOND, None, None, 3200000, type="oneshot",
                  enabled="static", readBytes=112000000, writeBytes=48000000),
    ],
    "earlier": [{"beganUSec": AT - i * DAY, "lengthUSec": None if i == 5 else (44 if i < 3 else 18) * SECOND + i * 100000,
                 "kernel": "6.1.0-41-amd64"} for i in range(1, 11)]}
BOOT_ONCE = dict(BOOT, firmwareUSec=None, loaderUSec=None, initrdUSec=None, once="the first boot with kernel 6.1.0-41-amd64",
                 changedUSec=BOOT["beganUSec"])
BOOT_FIRST = dict(BOOT, usualUSec=None, comparedBoots=0, overUSec=0, change="usual", changedUSec=None, earlier=[])
BOOT_STARTING = dict(BOOT, stage="starting", lengthUSec=None, finishUSec=None, waitingFor="migrate.service",
                     waitingSinceUSec=18 * SECOND, services=None, cpuUSec=None, overUSec=0, change="usual",
                     changedUSec=None, units=[])
BOOT_HOSTILE = dict(
    BOOT, kernel=HOSTILE_NAME, target=HOSTILE_NAME, once=HOSTILE_NAME, lengthUSec=2**63 - 1, finishUSec=-1, beganUSec=1,
    usualUSec=1, overUSec=2**62, comparedBoots=-7, change=HOSTILE_NAME,
    units=[boot_unit(HOSTILE_NAME, 1, 2**62, 2**63 - 1, 2**63 - 1, 2**62, 2**62, 2**62, type=HOSTILE_NAME,
                     enabled=HOSTILE_NAME, readBytes=2**63 - 1), boot_unit("a.service", 2**40, 5, 3, 9, 2**62), {}, None, 7]
    + [boot_unit("x" * 300 + str(i), i, 0, 0) for i in range(90)], earlier=[{}, None, 3])

STATUS_RECORD = dict(STATUS, historyBytes=8412000, historyOldestUSec=AT - 26 * DAY, historyWriting=True,
                     historyProblem=None, lostTicks=0)
STATUS_NO_RECORD = dict(STATUS, historyBytes=8412000, historyOldestUSec=AT - 26 * DAY, historyWriting=False,
                        historyProblem="/var/lib/slowd/history.slowd: No space left on device", lostTicks=31)
WHY_HOSTILE = {"history": HISTORY_HOSTILE, "diagnosis": HOSTILE["diagnosis"]}
WHY_HUGE = {"history": HISTORY_HUGE, "diagnosis": BARE["diagnosis"]}

# A failing disk beside a good one, one that sleeps, and a volume on them; one of nonsense.
def disk(name, kind, health=None, latency=(None, None, None), **more):
    return {"name": name, "model": None, "kind": kind, "lower": None, "mounts": None, "health": health, "askedUSec": None,
            "poweredHours": None, "temperatureCelsius": None, "usedPercent": None, "busyPermille": 0, "queueMilli": 0,
            "readsPerSecond": 0, "writesPerSecond": 0, "readBytesPerSecond": 0, "writeBytesPerSecond": 0,
            "latency50USec": latency[0], "latency95USec": latency[1], "latency99USec": latency[2], "messages": 0,
            "countedErrors": None, "lastErrorUSec": None} | more


DISKS = {"atUSec": 1732284842000000, "disks": [
    disk("nvme0n1", "solid", "well", (90, 410, 1700), model="Samsung SSD 980 PRO 1TB", mounts="/boot/efi, /",
         poweredHours=9800, temperatureCelsius=41, usedPercent=3, busyPermille=21, readsPerSecond=12, writesPerSecond=85,
         readBytesPerSecond=210000, writeBytesPerSecond=1900000, countedErrors=0),
    disk("sda", "spinning", "failing", (9100, 2300000, 8100000), model="ST4000DM004-2CV104", mounts="/srv",
         poweredHours=41200, temperatureCelsius=38, busyPermille=1000, readsPerSecond=3, readBytesPerSecond=12000,
         messages=1234, countedErrors=3, lastErrorUSec=1732284842000000 - 3 * SECOND),
    disk("sdb", "spinning", "asleep", model="WDC WD80EFAX-68KNBN0", countedErrors=2, lastErrorUSec=1732284842000000 - 86400 * SECOND),
    disk("dm-0", "stacked", None, (9200, 2400000, 8100000), lower="sda", mounts="/srv", busyPermille=1000),
]}
DISKS_HOSTILE = {"atUSec": "never", "disks": [
    disk(HOSTILE_NAME, HOSTILE_NAME, HOSTILE_NAME, (2**63 - 1, -5, "x"), model=HOSTILE_NAME, lower=HOSTILE_NAME,
         mounts=HOSTILE_NAME * 9, messages=2**63 - 1, lastErrorUSec=-1, busyPermille=2**62, poweredHours=2**62), {}, None, 7]}
