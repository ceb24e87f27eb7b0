"""What a raw client gets: introspection, every method of the interface, errors, streams, order.
Run as: test_answers.py SLOWD-FAKE"""

import re
import socket
import sys
import threading
import time
import unittest

from varlink import Client, Daemon, DIAGNOSTICS, SERVICE, call

PROGRAM = sys.argv.pop(1)


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(PROGRAM, state="slow")
        cls.path = cls.daemon.path

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()

    def test_info(self):
        info = call(self.path, SERVICE + ".GetInfo")
        self.assertEqual(info["interfaces"], [SERVICE, DIAGNOSTICS])
        self.assertRegex(info["version"], r"^\d+\.\d+")

    def test_interface_text(self):
        for name in SERVICE, DIAGNOSTICS:
            text = call(self.path, SERVICE + ".GetInterfaceDescription", {"interface": name})["description"]
            self.assertIn("\ninterface " + name + "\n", text)
        with Client(self.path) as client:
            reply = client.call(SERVICE + ".GetInterfaceDescription", {"interface": "a.b"})
            self.assertEqual(reply, {"error": SERVICE + ".InterfaceNotFound", "parameters": {"interface": "a.b"}})
            reply = client.call(SERVICE + ".GetInterfaceDescription")
            self.assertEqual(reply["parameters"], {"parameter": "interface"})

    def test_every_method_of_the_text_answers_with_its_fields(self):
        arguments = {"Explain": {"check": "cpu.overload"}}
        recorded = "History", "Export"  # the fake records nothing: see test_history.py
        text = call(self.path, SERVICE + ".GetInterfaceDescription", {"interface": DIAGNOSTICS})["description"]
        text = re.sub(r"#.*", "", text)
        methods = re.findall(r"method (\w+)\([^)]*\)\s*->\s*\(([^)]*)\)", text)
        self.assertGreaterEqual(len(methods), 6)
        for name, result in methods:
            if name in recorded:
                continue
            fields = re.findall(r"(\w+):", result)
            reply = call(self.path, DIAGNOSTICS + "." + name, arguments.get(name))
            self.assertEqual(list(reply), fields, name)

    def test_diagnosis_has_the_fields_of_its_types(self):
        text = call(self.path, SERVICE + ".GetInterfaceDescription", {"interface": DIAGNOSTICS})["description"]
        text = re.sub(r"#.*", "", text)
        types = {name: re.findall(r"(\w+): (\?)?(\[\])?(\w+)", fields)
                 for name, fields in re.findall(r"type (\w+) \(([^)]*)\)", text)}

        def check(value, name, where):
            if name in ("string", "int", "bool"):
                self.assertIs(type(value), {"string": str, "int": int, "bool": bool}[name], where)
                return
            self.assertEqual(list(value), [field[0] for field in types[name]], where)
            for field, may_be_null, is_array, kind in types[name]:
                item, place = value[field], where + "." + field
                if item is None:
                    self.assertTrue(may_be_null, place)
                elif is_array:
                    for element in item:
                        check(element, kind, place)
                else:
                    check(item, kind, place)

        check(call(self.path, DIAGNOSTICS + ".Diagnose")["diagnosis"], "Diagnosis", "diagnosis")
        for alert in call(self.path, DIAGNOSTICS + ".Alerts")["alerts"]:
            check(alert, "Alert", "alert")
        for program in call(self.path, DIAGNOSTICS + ".Top", {"limit": 256})["programs"]:
            check(program, "Program", "program")
        for check_ in call(self.path, DIAGNOSTICS + ".ListChecks")["checks"]:
            check(check_, "Check", "check")
            explained = call(self.path, DIAGNOSTICS + ".Explain", {"check": check_["name"]})
            for parameter in explained["parameters"]:
                check(parameter, "Parameter", "parameter")
        for collector in call(self.path, DIAGNOSTICS + ".Status")["collectors"]:
            check(collector, "Collector", "collector")

    def test_errors(self):
        wrong = [
            (DIAGNOSTICS + ".NoSuchMethod", None, SERVICE + ".MethodNotFound",
             {"method": DIAGNOSTICS + ".NoSuchMethod"}),
            (SERVICE + ".Foo", None, SERVICE + ".MethodNotFound", {"method": SERVICE + ".Foo"}),
            ("a.b.C", None, SERVICE + ".InterfaceNotFound", {"interface": "a.b"}),
            (DIAGNOSTICS + ".Diagnose", {"x": 1}, SERVICE + ".InvalidParameter", {"parameter": "x"}),
            (DIAGNOSTICS + ".Top", {"sort": "size"}, SERVICE + ".InvalidParameter", {"parameter": "sort"}),
            (DIAGNOSTICS + ".Top", {"sort": 1}, SERVICE + ".InvalidParameter", {"parameter": "sort"}),
            (DIAGNOSTICS + ".Top", {"limit": 0}, SERVICE + ".InvalidParameter", {"parameter": "limit"}),
            (DIAGNOSTICS + ".Top", {"limit": 257}, SERVICE + ".InvalidParameter", {"parameter": "limit"}),
            (DIAGNOSTICS + ".Top", {"limit": 1.5}, SERVICE + ".InvalidParameter", {"parameter": "limit"}),
            (DIAGNOSTICS + ".Top", {"limit": 10**30}, SERVICE + ".InvalidParameter", {"parameter": "limit"}),
            (DIAGNOSTICS + ".Explain", {}, SERVICE + ".InvalidParameter", {"parameter": "check"}),
            (DIAGNOSTICS + ".Explain", {"check": "no.such"}, DIAGNOSTICS + ".UnknownCheck",
             {"check": "no.such"}),
            (DIAGNOSTICS + ".Alerts", {"sinceUSec": -1}, SERVICE + ".InvalidParameter",
             {"parameter": "sinceUSec"}),
            (DIAGNOSTICS + ".Alerts", {"sinceUSec": 2, "untilUSec": 1}, SERVICE + ".InvalidParameter",
             {"parameter": "untilUSec"}),
            (DIAGNOSTICS + ".Diagnose", {"atUSec": -1}, SERVICE + ".InvalidParameter", {"parameter": "atUSec"}),
            (DIAGNOSTICS + ".Diagnose", {"atUSec": "now"}, SERVICE + ".InvalidParameter", {"parameter": "atUSec"}),
            (DIAGNOSTICS + ".Diagnose", {"sinceUSec": 2, "untilUSec": 1}, SERVICE + ".InvalidParameter",
             {"parameter": "untilUSec"}),
            (DIAGNOSTICS + ".Diagnose", {"atUSec": 5, "sinceUSec": 1}, SERVICE + ".InvalidParameter",
             {"parameter": "sinceUSec"}),
            (DIAGNOSTICS + ".Top", {"atUSec": -5}, SERVICE + ".InvalidParameter", {"parameter": "atUSec"}),
            (DIAGNOSTICS + ".History", {"sinceUSec": 2, "untilUSec": 1}, SERVICE + ".InvalidParameter",
             {"parameter": "untilUSec"}),
            (DIAGNOSTICS + ".History", {"untilUSec": 2**63 - 1}, SERVICE + ".InvalidParameter",
             {"parameter": "untilUSec"}),
            (DIAGNOSTICS + ".History", {"stepUSec": -1}, SERVICE + ".InvalidParameter", {"parameter": "stepUSec"}),
            (DIAGNOSTICS + ".History", {"pid": 0}, SERVICE + ".InvalidParameter", {"parameter": "pid"}),
            (DIAGNOSTICS + ".History", {"pid": 2**32}, SERVICE + ".InvalidParameter", {"parameter": "pid"}),
            (DIAGNOSTICS + ".History", {"program": ""}, SERVICE + ".InvalidParameter", {"parameter": "program"}),
            (DIAGNOSTICS + ".History", {"metrics": ["size"]}, SERVICE + ".InvalidParameter",
             {"parameter": "metrics"}),
            (DIAGNOSTICS + ".History", {"metrics": []}, SERVICE + ".InvalidParameter", {"parameter": "metrics"}),
            (DIAGNOSTICS + ".History", {"each": 1}, SERVICE + ".InvalidParameter", {"parameter": "each"}),
            (DIAGNOSTICS + ".Export", {}, DIAGNOSTICS + ".NotStreamed", {}),
        ]
        with Client(self.path) as client:
            for method, parameters, error, told in wrong:
                self.assertEqual(client.call(method, parameters), {"error": error, "parameters": told})
            reply = client.call(SERVICE + ".GetInfo", upgrade=True)
            self.assertEqual(reply["parameters"], {"parameter": "upgrade"})
            # and the connection is as good as before
            self.assertIn("diagnosis", client.call(DIAGNOSTICS + ".Diagnose")["parameters"])

    def test_null_parameters_are_absent_ones(self):
        with Client(self.path) as client:
            self.assertEqual(len(client.call(DIAGNOSTICS + ".Top", {"limit": None, "sort": None})
                                 ["parameters"]["programs"]), 20)
            client.send_raw(b'{"method":"io.slowd.Diagnostics.Status","parameters":null}\0')
            self.assertIn("ticks", client.receive()["parameters"])

    def test_top_is_sorted(self):
        for sort, field in ("memory", "memoryBytes"), ("cpu", "cpuPermille"):
            rows = call(self.path, DIAGNOSTICS + ".Top", {"sort": sort, "limit": 256})["programs"]
            values = [row[field] for row in rows]
            self.assertEqual(values, sorted(values, reverse=True))
            self.assertEqual(len(rows), 256)

    def test_alerts_by_time(self):
        alerts = call(self.path, DIAGNOSTICS + ".Alerts")["alerts"]
        self.assertEqual(len(alerts), 1)
        since = alerts[0]["sinceUSec"]
        self.assertEqual(call(self.path, DIAGNOSTICS + ".Alerts", {"untilUSec": since - 1})["alerts"], [])
        self.assertEqual(len(call(self.path, DIAGNOSTICS + ".Alerts", {"sinceUSec": since + 1})["alerts"]), 1)

    def test_pipelined_calls_are_answered_in_order(self):
        with Client(self.path) as client:
            def send_all():
                for i in range(1000):
                    client.send(DIAGNOSTICS + ".Explain", {"check": "no.%d" % i})
                    client.send(DIAGNOSTICS + ".Status", oneway=True)

            sender = threading.Thread(target=send_all)
            sender.start()
            for i in range(1000):
                self.assertEqual(client.receive()["parameters"], {"check": "no.%d" % i})
            sender.join()

    def test_half_closed_client_gets_all_replies(self):
        with Client(self.path) as client:
            for i in range(3):
                client.send(DIAGNOSTICS + ".Diagnose")
            client.socket.shutdown(socket.SHUT_WR)
            for i in range(3):
                self.assertIn("diagnosis", client.receive()["parameters"])
            self.assertIsNone(client.receive())

    def test_more_on_a_method_without_a_stream(self):
        with Client(self.path) as client:
            self.assertNotIn("continues", client.call(DIAGNOSTICS + ".Status", more=True))
            self.assertNotIn("continues", client.call(DIAGNOSTICS + ".Status", more=True))


class Streams(unittest.TestCase):
    def test_now_and_at_each_change(self):
        with Daemon(PROGRAM) as daemon, Client(daemon.path) as one, Client(daemon.path) as two:
            for client in one, two:
                reply = client.call(DIAGNOSTICS + ".Diagnose", more=True)
                self.assertTrue(reply["continues"])
                self.assertEqual(reply["parameters"]["diagnosis"]["verdict"], "healthy")
            time.sleep(0.6)  # ticks that change nothing
            for state, verdict in ("slow", "slow"), ("worse", "slow"), ("healthy", "healthy"):
                daemon.set_state(state)
                for client in one, two:
                    reply = client.receive()
                    self.assertTrue(reply["continues"])
                    self.assertEqual(reply["parameters"]["diagnosis"]["verdict"], verdict)
                    self.assertEqual(reply["parameters"]["diagnosis"]["summary"], "fake is %s." % state)
            self.assertEqual(daemon.status()["connections"], 3)
            one.socket.close()
            daemon.wait_until(lambda: daemon.status()["connections"] == 2)

    def test_a_reader_that_lags_gets_the_newest(self):
        with Daemon(PROGRAM) as daemon, Client(daemon.path) as client:
            client.send(DIAGNOSTICS + ".Diagnose", more=True)
            for state in ("slow", "healthy") * 3:
                daemon.set_state(state)
                daemon.wait_until(lambda: daemon.status()["summary"] == "fake is %s." % state)
            daemon.set_state("worse")
            summary = None
            while summary != "fake is worse.":
                summary = client.receive()["parameters"]["diagnosis"]["summary"]

    def test_not_ready_before_the_first_tick(self):
        with Daemon(PROGRAM, state="stuck", wait=False) as daemon:
            daemon.wait_until(lambda: connects(daemon.path))
            with Client(daemon.path) as client:
                for method in "Diagnose", "Status", "Top", "Alerts":
                    reply = client.call(DIAGNOSTICS + "." + method, more=True)
                    self.assertEqual(reply, {"error": DIAGNOSTICS + ".NotReady", "parameters": {}})
                checks = client.call(DIAGNOSTICS + ".ListChecks")["parameters"]["checks"]
                self.assertEqual({check["state"] for check in checks}, {"unknown"})
                self.assertIn("parameters", client.call(SERVICE + ".GetInfo"))
            daemon.set_state("healthy")
            daemon.wait_ready()


def connects(path):
    try:
        with Client(path):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    unittest.main()
