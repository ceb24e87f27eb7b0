"""Keeps what the guest's slowd has recorded in a run, as a machine for tests/replay: with where it comes from, what
must be found in it, and what must not."""

import json
import math

MARGIN_SECONDS = 10  # later than in the run, before the replay calls it late
SUFFIX = "-guest"


def fetch(guest, since):
    """The record from then on. Its command lines are the lab's own, and some answers need them: btrfs scrub."""
    guest.must(f"cd /run/lab && slowctl export --force --command-lines --since=@{since} export.slowd", timeout=60)
    status, data = guest.run_bytes("cat /run/lab/export.slowd && rm /run/lab/export.slowd", timeout=60)
    return data if status == 0 else None


def expected(outcome):
    """As tests/replay/replay_machine.c reads it."""
    scenario = outcome.scenario
    data = {"beginUSec": outcome.onset_realtime_usec}
    if scenario.healthy:
        data["mustBeHealthy"] = True
        return data
    right = next(finding for finding in outcome.last.ranked() if finding["check"] == scenario.expect)
    by = max(15, math.ceil(outcome.detected_at) + MARGIN_SECONDS)
    data["mustFind"] = [{"check": scenario.expect, "culprit": right["culprit"]["name"], "bySecond": by}
                        if right["culprit"] else {"check": scenario.expect, "bySecond": by}]
    for check in scenario.consequences:
        seconds = next(answer.at - outcome.onset for answer in outcome.answers
                       if any(finding["check"] == check and finding["because"] == scenario.expect
                              for finding in answer.everything()))
        data["mustFind"].append({"check": check, "because": scenario.expect,
                                 "bySecond": max(15, math.ceil(seconds) + MARGIN_SECONDS)})
    data["mustNotFind"] = sorted(item["check"] for item in outcome.last.diagnosis["ruledOut"]
                                 if item["check"] not in scenario.allowed)
    return data


def script(scenario, name):
    return (scenario.directory / name).read_text(encoding="utf-8").strip() if scenario.has(name) else None


def write(directory, session, outcome, since):
    """A folder below the directory; only what was proved and answered rightly is worth keeping."""
    if not outcome.is_passed() or not outcome.counts() or outcome.missing_consequences():
        return None
    data = fetch(session.guest, since)
    if not data:
        return None
    folder = directory / (outcome.scenario.name + SUFFIX)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "history.slowd").write_bytes(data)
    kernel = session.guest.must("uname -r").strip()
    meta = {"scenario": outcome.scenario.name, "whatWasDone": outcome.scenario.title, "kernel": kernel, "cpus": 2,
            "beginsUSec": {"fault": outcome.onset_realtime_usec}, "intensity": round(outcome.intensity, 3),
            "seed": outcome.seed, "prepare": script(outcome.scenario, "prepare"), "inject": script(outcome.scenario, "inject"),
            "proof": outcome.validation, "recordedBy": "tests/lab"}
    for name, content in (("meta.json", {key: value for key, value in meta.items() if value is not None}),
                          ("expected.json", expected(outcome))):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return folder
