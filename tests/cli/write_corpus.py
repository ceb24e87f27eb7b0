#!/usr/bin/env python3
"""Writes the replies of scenarios.py as seeds for fuzz_views: a byte that chooses the view, then the JSON.
Usage: write_corpus.py DIRECTORY"""

import json
import os
import sys

import scenarios as s

VIEWS = [[s.SLOW, s.HEALTHY, s.UNKNOWN, s.CONSEQUENCES, s.RISK, s.HOSTILE, s.BARE], [s.CHECKS], [s.EXPLAIN], [s.TOP],
         [s.ALERTS], [s.STATUS],
         [s.WHY, s.WHY_HOSTILE, s.WHY_HUGE],
         [s.HISTORY, s.HISTORY_PROGRAM, s.HISTORY_HOSTILE], [s.HISTORY, s.HISTORY_HOSTILE],
         [s.BOOT, s.BOOT_ONCE, s.BOOT_STARTING, s.BOOT_HOSTILE], [s.MOUNTS, s.MOUNTS_HOSTILE]]

os.makedirs(sys.argv[1], exist_ok=True)
for view, replies in enumerate(VIEWS):
    for number, reply in enumerate(replies):
        for variant in (0, 1, 2, 3, 5, 7, 11, 17):
            with open(os.path.join(sys.argv[1], f"{view}-{number}-{variant}"), "wb") as file:
                file.write(bytes([view + len(VIEWS) * variant]) + json.dumps(reply, ensure_ascii=False).encode())
