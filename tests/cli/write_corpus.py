#!/usr/bin/env python3
"""Writes the replies of scenarios.py as seeds for fuzz_views: a byte that chooses the view, then the JSON.
Usage: write_corpus.py DIRECTORY"""

import json
import os
import sys

import scenarios as s

VIEWS = [[s.SLOW, s.HEALTHY, s.UNKNOWN, s.CONSEQUENCES, s.RISK, s.HOSTILE, s.BARE], [s.CHECKS], [s.EXPLAIN], [s.TOP],
         [s.ALERTS], [s.STATUS],
         [s.HISTORY, s.HISTORY_PROGRAM, s.HISTORY_HOSTILE], [s.HISTORY, s.HISTORY_HOSTILE]]

os.makedirs(sys.argv[1], exist_ok=True)
for view, replies in enumerate(VIEWS):
    for number, reply in enumerate(replies):
        for variant in (0, 8, 16, 24, 32, 40, 64, 136):
            with open(os.path.join(sys.argv[1], f"{view}-{number}-{variant}"), "wb") as file:
                file.write(bytes([view + variant]) + json.dumps(reply, ensure_ascii=False).encode())
