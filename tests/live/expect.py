"""What is expected of an answer: functions of a diagnosis that return a list of complaints, empty when it is right."""

import json
import time

BEGAN_USEC = int(time.time() * 1e6)


def all_findings(diagnosis):
    return diagnosis["causes"] + diagnosis["risks"] + diagnosis["consequences"]


def is_echo(finding):
    """The kernel's kills are news for minutes: those of test_memory's memory-limit are nobody else's business."""
    culprit = finding["culprit"] or {}
    return finding["check"] in ("memory.oom", "memory.limit") and (
        finding["sinceUSec"] < BEGAN_USEC or "slowd-live-limit-" in f"{culprit.get('unit')} {culprit.get('name')}")


def healthy(diagnosis):
    """Nothing found, but for kills that others have on their conscience."""
    found = [finding for finding in all_findings(diagnosis) if not is_echo(finding)]
    if diagnosis["verdict"] == "healthy" or (diagnosis["verdict"] in ("risk", "slow") and not found):
        return []
    return [f"verdict is {diagnosis['verdict']}: {diagnosis['summary']}"]


def without(*checks):
    """None of these checks has found anything (all: not even a risk)."""
    return lambda diagnosis: [f"{finding['check']}: {finding['summary']}" for finding in all_findings(diagnosis)
                              if finding["check"] in checks]


def not_slow(diagnosis):
    return [f"{finding['check']}: {finding['summary']}" for finding in diagnosis["causes"]
            if not is_echo(finding)]


def blamed(check, *, culprit=None, kind=None, count=None, script=None, directory=None, victims=(), says=None,
           first=True):
    """The first cause (or any, if not `first`) is `check`, with these details."""

    def unmet(diagnosis):
        causes = [finding for finding in diagnosis["causes"] if finding["check"] == check]
        if not causes:
            return [f"{check} is not among the causes {[finding['check'] for finding in diagnosis['causes']]}"]
        complaints = []
        if first and diagnosis["causes"][0]["check"] != check:
            complaints.append(f"the first cause is {diagnosis['causes'][0]['check']}")
        finding = causes[0]
        who = finding["culprit"] or {}
        origin = who.get("startedBy") or {}
        # without systemd a unit is called by its group's path
        for name, value, wanted in (("culprit", (who.get("name") or "").lstrip("/"), culprit),
                                    ("kind", who.get("kind"), kind),
                                    ("count", who.get("count"), count),
                                    ("script", origin.get("script"), script),
                                    ("working directory", origin.get("workingDirectory"), directory)):
            if wanted is not None and value != wanted:
                complaints.append(f"{name} is {value!r}, not {wanted!r}")
        names = [victim["name"] for victim in finding["victims"]]
        if victims and not set(victims) & set(names):
            complaints.append(f"none of {list(victims)} is among the victims {names}")
        if says and says not in json.dumps(finding).lower():
            complaints.append(f"nothing in it says {says!r}")
        return complaints

    return unmet


def both(*predicates):
    return lambda diagnosis: [complaint for predicate in predicates for complaint in predicate(diagnosis)]
