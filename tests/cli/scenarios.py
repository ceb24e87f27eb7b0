"""Replies of slowd as its interface defines them. Dates are in 2024, so that no output depends on today."""

AT = 1732284842_123456  # 2024-11-22 14:14:02 UTC
SECOND = 1000000
MINUTE = 60 * SECOND


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
