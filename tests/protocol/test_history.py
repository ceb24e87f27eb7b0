"""Questions about the past, to a slowd that records this machine, over the raw socket: before a restart, after
it, after a kill, with a file that is damaged or may not be written. Run as: test_history.py SLOWD"""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from varlink import Client, Daemon, DIAGNOSTICS, SERVICE, call

PROGRAM = sys.argv.pop(1)
NOBODY = 65534
HOG = "hog%d" % os.getpid()  # nobody else's on this machine
SECONDS = 1000000


VICTIM = """
import time
while True:
    end = time.monotonic() + 0.01
    while time.monotonic() < end:
        pass
    time.sleep(0.02)
"""


def now_usec():
    return int(time.time() * SECONDS)


def export(path, parameters):
    """The bytes of an export, or the error."""
    data = b""
    with Client(path) as client:
        client.send(DIAGNOSTICS + ".Export", parameters, more=True)
        while True:
            reply = client.receive()
            if "error" in reply:
                return reply["error"]
            data += base64.b64decode(reply["parameters"]["data"], validate=True)
            if not reply.get("continues"):
                return data


class Slowd(Daemon):
    """One that can be started again with the same files."""

    def __init__(self, **options):
        super().__init__(PROGRAM, **options)
        self.state_directory = os.path.join(self.directory.name, "state")
        self.record = os.path.join(self.state_directory, "history.slowd")

    def again(self):
        self.process = subprocess.Popen(self.process.args, stderr=self.log_file)
        self.wait_ready()

    def ask(self, method, parameters=None):
        return call(self.path, DIAGNOSTICS + "." + method, parameters)

    def error(self, method, parameters=None):
        with Client(self.path) as client:
            return client.call(DIAGNOSTICS + "." + method, parameters)["error"]


class Hog:
    """A busy program of its own name."""

    def __init__(self, name=HOG):
        self.directory = tempfile.TemporaryDirectory()
        path = os.path.join(self.directory.name, name)
        os.symlink("/bin/sh", path)
        with open("/bin/sh", "rb") as source:
            os.unlink(path)
            with open(path, "wb") as copy:
                copy.write(source.read())
        os.chmod(path, 0o755)
        self.process = subprocess.Popen([path, "-c", "while :; do :; done", "a-secret"])

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()


def record(daemon, seconds=3):
    """Records a hog that begins and ends; the instants between which it ran."""
    hog = Hog()
    try:
        daemon.wait_until(lambda: any(row["name"] == HOG for row in
                                      daemon.ask("Top", {"sort": "cpu", "limit": 256})["programs"]))
        begin = now_usec()
        time.sleep(seconds)
        end = now_usec()
    finally:
        hog.end()
    time.sleep(0.6)  # it is gone at two looks
    return hog.process.pid, begin, end


class History(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Slowd()
        cls.addClassCleanup(cls.daemon.__exit__)
        cls.pid, cls.begin, cls.end = record(cls.daemon)
        cls.window = {"sinceUSec": cls.begin, "untilUSec": cls.end, "stepUSec": 500000}

    def test_a_program_over_time(self):
        reply = self.daemon.ask("History", {"program": HOG, **self.window})
        self.assertEqual(reply["resolution"], "sample")
        self.assertEqual(reply["stepUSec"], 500000)
        self.assertEqual(reply["sinceUSec"], self.begin)
        self.assertIsNone(reply["damaged"])
        series = {one["name"]: one for one in reply["series"]}
        self.assertEqual(list(series), ["cpu", "memory", "swap", "io.read", "io.write", "wait.cpu", "wait.disk",
                                        "wait.swap", "wait.reclaim", "wait.throttled", "wait", "count"])
        steps = -(-(self.end - self.begin) // 500000)
        for one in reply["series"]:
            self.assertEqual(len(one["values"]), steps, one["name"])
        values = [value for value in series["cpu"]["values"] if value is not None]
        self.assertGreater(len(values), steps - 3)
        waits = [value for value in series["wait.cpu"]["values"] if value is not None]
        # it wants one CPU, and what it does not get it waits for
        self.assertGreater(sum(values) / len(values) + sum(waits) / len(waits), 800)
        self.assertLess(max(values), 1300)
        self.assertEqual({value for value in series["count"]["values"] if value is not None}, {1})
        self.assertGreater(min(value for value in series["memory"]["values"] if value is not None), 4096)

    def test_a_lifetime(self):
        whole = {"sinceUSec": self.begin - 5 * SECONDS, "untilUSec": now_usec()}
        for question in {"program": HOG}, {"pid": self.pid}, {"program": HOG, "each": True}:
            lifetimes = self.daemon.ask("History", {**question, **whole})["lifetimes"]
            self.assertEqual(len(lifetimes), 1)
            life = lifetimes[0]
            self.assertEqual((life["name"], life["count"]), (HOG, 1))
            self.assertEqual(life["pid"], None if question == {"program": HOG} else self.pid)
            self.assertIn("a-secret", life["commandLine"])
            self.assertIn("test_history.py", json.dumps(life["startedBy"]))
            self.assertAlmostEqual(life["beganUSec"], self.begin, delta=2 * SECONDS)
            self.assertAlmostEqual(life["endedUSec"], self.end, delta=1 * SECONDS)
            self.assertGreater(life["cpuUSec"], 500000)
            self.assertLess(life["cpuUSec"], 6 * SECONDS)
            self.assertGreater(life["peakMemoryBytes"], 4096)
        running = self.daemon.ask("History", {"program": HOG, **self.window})["lifetimes"][0]
        self.assertIsNone(running["endedUSec"])

    def test_the_machine_over_time(self):
        reply = self.daemon.ask("History", {**self.window, "metrics": ["cpu", "threads"]})
        series = {one["name"]: one["values"] for one in reply["series"]}
        self.assertEqual(list(series), ["cpu", "threads"])
        busy = [value for value in series["cpu"] if value is not None]
        self.assertTrue(all(0 <= value <= 1000 for value in busy))
        self.assertGreater(max(busy), 1000 / os.cpu_count() / 2)
        self.assertIn(HOG, [life["name"] for life in reply["lifetimes"]])

    def test_the_last_hour_unless_asked_otherwise(self):
        reply = self.daemon.ask("History")
        self.assertEqual(reply["untilUSec"] - reply["sinceUSec"], 3600 * SECONDS)
        self.assertEqual(reply["stepUSec"], 30 * SECONDS)
        self.assertEqual(list(reply), ["sinceUSec", "untilUSec", "stepUSec", "resolution", "series", "lifetimes",
                                       "incidents", "damaged", "memoryOnly"])

    def test_no_more_than_a_thousand_steps(self):
        reply = self.daemon.ask("History", {"sinceUSec": now_usec() - 7 * 86400 * SECONDS, "stepUSec": 1})
        self.assertLessEqual(len(reply["series"][0]["values"]), 1000)

    def test_long_windows_have_their_end_from_samples(self):
        for window in 86400, 7 * 86400:
            reply = self.daemon.ask("History", {"program": HOG, "untilUSec": now_usec(),
                                                "sinceUSec": now_usec() - window * SECONDS})
            self.assertIn(reply["resolution"], ("minute", "hour"))
            self.assertEqual(reply["lifetimes"][0]["name"], HOG)

    def test_what_was_never_recorded(self):
        for method, parameters in (
                ("History", {"program": "no-such-program"}), ("History", {"pid": 4194305}),
                ("History", {"sinceUSec": 1, "untilUSec": 2}), ("History", {"unit": "no-such.service"}),
                ("Diagnose", {"atUSec": 5}), ("Diagnose", {"sinceUSec": 5, "untilUSec": 6}),
                ("Diagnose", {"atUSec": now_usec() + 3600 * SECONDS}), ("Top", {"atUSec": 5})):
            self.assertEqual(self.daemon.error(method, parameters), DIAGNOSTICS + ".NoHistory")
        self.assertEqual(self.daemon.ask("Alerts", {"sinceUSec": 1, "untilUSec": 2})["alerts"], [])

    def test_top_then(self):
        reply = self.daemon.ask("Top", {"atUSec": self.end, "sort": "cpu", "limit": 256})
        self.assertLessEqual(reply["atUSec"], self.end)
        self.assertIn(HOG, [row["name"] for row in reply["programs"]])
        reply = self.daemon.ask("Top", {"atUSec": now_usec(), "limit": 256})
        self.assertNotIn(HOG, [row["name"] for row in reply["programs"]])

    def test_diagnosis_then(self):
        self.assertLessEqual(self.daemon.ask("Diagnose", {"atUSec": self.end})["diagnosis"]["atUSec"], self.end)
        worst = self.daemon.ask("Diagnose", {"sinceUSec": self.begin, "untilUSec": self.end})["diagnosis"]
        self.assertLessEqual(worst["atUSec"], self.end)

    def test_calls_sent_ahead_are_answered_in_order(self):
        with Client(self.daemon.path) as client:
            for _ in range(5):
                client.send(DIAGNOSTICS + ".History", {"program": HOG, **self.window})
                client.send(DIAGNOSTICS + ".Status")
                client.send(DIAGNOSTICS + ".Diagnose", {"atUSec": self.end})
            for _ in range(5):
                self.assertIn("lifetimes", client.receive()["parameters"])
                self.assertIn("ticks", client.receive()["parameters"])
                self.assertIn("diagnosis", client.receive()["parameters"])

    def test_too_many_at_once(self):
        clients = [Client(self.daemon.path, timeout=30) for _ in range(40)]
        for client in clients:
            client.send(DIAGNOSTICS + ".Diagnose", {"atUSec": self.end})
        replies = [client.receive() for client in clients]
        for client in clients:
            client.__exit__()
        errors = {reply.get("error") for reply in replies}
        self.assertLessEqual(errors, {None, DIAGNOSTICS + ".Busy"})
        self.assertIn(None, errors)
        self.assertIn("diagnosis", self.daemon.ask("Diagnose", {"atUSec": self.end}))  # and then again

    def test_others_are_answered_meanwhile(self):
        """And so they are while clients go away in the middle of their question."""
        end = time.monotonic() + 2
        took = []
        with Client(self.daemon.path) as other:
            while time.monotonic() < end:
                with Client(self.daemon.path) as gone, Client(self.daemon.path) as also:
                    for client in gone, also:
                        client.send(DIAGNOSTICS + ".Diagnose", {"atUSec": now_usec()})
                    begun = time.monotonic()
                    other.call(DIAGNOSTICS + ".Status")
                    took.append(time.monotonic() - begun)
        took.sort()
        self.assertGreater(len(took), 5)
        # nine of ten, as others use this machine too; a question on the loop's thread would hold up most
        self.assertLess(took[len(took) * 9 // 10], 0.05)
        self.assertLess(took[-1], 1)
        self.daemon.wait_until(lambda: "error" not in self.ask_raw("Diagnose", {"atUSec": self.end}))

    def ask_raw(self, method, parameters):
        with Client(self.daemon.path) as client:
            return client.call(DIAGNOSTICS + "." + method, parameters)

    def test_export(self):
        data = export(self.daemon.path, {"sinceUSec": self.begin, "untilUSec": self.end})
        self.assertEqual(data[:15], b"SQLite format 3")
        self.assertNotIn(b"a-secret", data)
        with tempfile.NamedTemporaryFile(suffix=".slowd") as file:
            file.write(data)
            file.flush()
            answer = subprocess.run([PROGRAM, "--diagnose=" + file.name], check=True, capture_output=True)
        then = json.loads(answer.stdout)["diagnosis"]
        there = self.daemon.ask("Diagnose", {"atUSec": then["atUSec"]})["diagnosis"]
        self.assertEqual((then["verdict"], then["atUSec"]), (there["verdict"], there["atUSec"]))
        self.assertEqual(export(self.daemon.path, {"sinceUSec": 1, "untilUSec": 2}), DIAGNOSTICS + ".NoHistory")
        self.assertEqual([name for name in os.listdir(self.daemon.state_directory) if "export" in name], [])
        # one that stops half-way leaves nothing behind either
        with Client(self.daemon.path) as client:
            client.send(DIAGNOSTICS + ".Export", {}, more=True)
            self.assertIn("data", client.receive()["parameters"])
        self.assertEqual([name for name in os.listdir(self.daemon.state_directory) if "export" in name], [])

    def test_status(self):
        status = self.daemon.status()
        self.assertIs(status["historyWriting"], True)
        self.assertIsNone(status["historyProblem"])
        self.assertEqual(status["lostTicks"], 0)
        self.assertGreater(status["historyBytes"], 4096)


@unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
class Privacy(unittest.TestCase):
    def test_nobody_sees_no_command_line_of_the_past(self):
        with Slowd() as daemon:
            _, begin, end = record(daemon, 1)
            questions = [("History", {"program": HOG, "sinceUSec": begin, "untilUSec": end}),
                         ("History", {"program": HOG, "each": True}),
                         ("Top", {"atUSec": end, "limit": 256}), ("Diagnose", {"atUSec": end})]
            self.assertIn("a-secret", json.dumps(daemon.ask(*questions[0])))
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(read)
                status = 1
                try:
                    os.setgroups([])
                    os.setgid(NOBODY)
                    os.setuid(NOBODY)
                    answers = [daemon.ask(*question) for question in questions]
                    answers.append(export(daemon.path, {}))
                    with os.fdopen(write, "w") as pipe:
                        json.dump(answers, pipe)
                    status = 0
                finally:
                    os._exit(status)
            os.close(write)
            with os.fdopen(read) as pipe:
                text = pipe.read()
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            answers = json.loads(text)
            self.assertNotIn("a-secret", text)
            self.assertEqual(answers[-1], SERVICE + ".PermissionDenied")
            self.assertEqual(answers[0]["lifetimes"][0]["name"], HOG)
            self.assertIsNone(answers[0]["lifetimes"][0]["commandLine"])


class Restarts(unittest.TestCase):
    def answers(self, daemon, begin, end):
        window = {"sinceUSec": begin, "untilUSec": end, "stepUSec": 500000}
        questions = [("History", {"program": HOG, **window}), ("Diagnose", {"atUSec": end}),
                     ("Top", {"atUSec": end, "limit": 256})]
        answers = [daemon.ask(*question) for question in questions]
        for answer in answers:
            answer.pop("incidents", None)  # may have been open, and have ended since
        return answers

    def test_the_answer_from_before_a_restart_and_a_kill(self):
        with Slowd() as daemon:
            _, begin, end = record(daemon)
            before = self.answers(daemon, begin, end)
            self.assertEqual(daemon.end(), 0)
            daemon.again()
            self.assertEqual(self.answers(daemon, begin, end), before)
            time.sleep(1)
            daemon.end(signal.SIGKILL)
            daemon.again()
            self.assertEqual(self.answers(daemon, begin, end), before)
            daemon.wait_until(lambda: daemon.status()["historyWriting"])
            status = daemon.status()
            self.assertIsNone(status["historyProblem"])

    def test_alerts_are_told_once_and_those_of_a_killed_slowd_have_ended(self):
        config = "[check cpu.overload]\n"
        with Slowd(config=config) as daemon:
            # a server that works a little, all the time, and is held up
            victim = subprocess.Popen([sys.executable, "-c", VICTIM])
            time.sleep(6)
            hogs = [Hog() for _ in range(3 * os.cpu_count())]
            try:
                daemon.wait_until(lambda: daemon.ask("Alerts")["alerts"], timeout=60)
                alerts = daemon.ask("Alerts")["alerts"]
                self.assertEqual(len({(a["id"], a["sinceUSec"], a["check"]) for a in alerts}), len(alerts))
                self.assertIsNone(alerts[0]["untilUSec"])
                time.sleep(0.5)
                killed = now_usec()
                daemon.end(signal.SIGKILL)
            finally:
                victim.kill()
                victim.wait()
                for hog in hogs:
                    hog.end()
            time.sleep(0.5)
            daemon.again()
            again = [a for a in daemon.ask("Alerts")["alerts"] if a["sinceUSec"] == alerts[0]["sinceUSec"]
                     and a["check"] == alerts[0]["check"]]
            ended = [a for a in again if a["untilUSec"]]
            self.assertTrue(ended, again)
            self.assertLessEqual(ended[0]["untilUSec"], killed)
            self.assertGreater(ended[0]["untilUSec"], killed - 2 * SECONDS)

    def test_a_damaged_file_is_set_aside_and_said(self):
        with Slowd() as daemon:
            time.sleep(1)
            self.assertEqual(daemon.end(), 0)
            with open(daemon.record, "r+b") as file:
                file.write(b"garbage, and no history at all" * 100)
            daemon.again()
            daemon.wait_until(lambda: daemon.status()["historyProblem"])
            status = daemon.status()
            self.assertIn("damaged", status["historyProblem"])
            daemon.wait_until(lambda: daemon.status()["historyWriting"])
            diagnosis = daemon.ask("Diagnose")["diagnosis"]
            self.assertIn("history", [reason["check"] for reason in diagnosis["notChecked"]])
            self.assertTrue([name for name in os.listdir(daemon.state_directory) if "damaged" in name])
            time.sleep(1)
            self.assertIn("series", daemon.ask("History"))  # and it records again

    def test_where_nothing_can_be_written(self):
        """A directory that is none, since root may write to read-only ones."""
        with Slowd(wait=False) as daemon:
            daemon.wait_ready()
            daemon.end()
            for name in os.listdir(daemon.state_directory):
                os.unlink(os.path.join(daemon.state_directory, name))
            os.mkdir(daemon.record)
            daemon.again()
            daemon.wait_until(lambda: daemon.status()["historyProblem"])
            status = daemon.status()
            self.assertIs(status["historyWriting"], False)
            self.assertTrue(status["historyProblem"])
            self.assertIn("history", [reason["check"] for reason in
                                      daemon.ask("Diagnose")["diagnosis"]["notChecked"]])
            # what there is, from memory, and said so
            time.sleep(1)
            reply = daemon.ask("History", {"sinceUSec": now_usec() - 5 * SECONDS})
            self.assertEqual(reply["memoryOnly"], status["historyProblem"])
            self.assertTrue([value for value in reply["series"][0]["values"] if value is not None])
            diagnosis = daemon.ask("Diagnose", {"atUSec": now_usec()})["diagnosis"]
            self.assertIn("answered from memory", " ".join(reason["reason"] for reason in diagnosis["notChecked"]
                                                           if reason["check"] == "history"))
            self.assertEqual(daemon.error("Diagnose", {"atUSec": now_usec() - 3600 * SECONDS}),
                             DIAGNOSTICS + ".NoHistory")
            self.assertIn("alerts", daemon.ask("Alerts"))  # those in memory


if __name__ == "__main__":
    unittest.main()
