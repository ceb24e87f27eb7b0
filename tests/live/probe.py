"""An innocent program that wants 1.5 ms of CPU every 10 ms, and how much longer that takes it under a fault."""

import sys

from machine import read

WANTED = 0.0015
PROGRAM = f"""\
import time
while True:
    time.sleep(0.01)
    wall, cpu = time.monotonic(), time.thread_time()
    while time.thread_time() - cpu < {WANTED}:
        pass
    print(f"{{wall:.4f}} {{time.monotonic() - wall:.6f}}", flush=True)
"""


class Probe:
    def __init__(self, t):
        self.output = f"{t.directory}/probe"
        t.start("probe", [sys.executable, "-c", PROGRAM], output=self.output)

    def figures(self, since):
        """What it felt since a monotonic time."""
        rows = [line.split() for line in read(self.output).splitlines()]
        walls = sorted(float(row[1]) for row in rows if len(row) == 2 and float(row[0]) >= since)
        if not walls:
            return "probe: no figures"
        return (f"probe slowed down {sum(walls) / len(walls) / WANTED:.2f} times on average, "
                f"{walls[int(len(walls) * 0.95)] / WANTED:.2f} times at the 95th percentile ({len(walls)} rounds)")
