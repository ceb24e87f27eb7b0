"""Innocent programs: a web server with its visitors, and a video to encode."""

import grp
import os
import pwd
import socket
import subprocess
import time

from machine import NPROC, Impossible, call, read

NGINX_CONFIGURATION = """\
worker_processes {workers};
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    gzip on;
    gzip_http_version 1.0;
    gzip_types text/plain;
    gzip_comp_level 6;
{zone}
    server {{
        listen 127.0.0.1:{port};
        root {directory}/pages;
{limit}
    }}
}}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def unprivileged_user():
    if os.geteuid():
        return ""
    nobody = pwd.getpwnam("nobody")
    return f"user nobody {grp.getgrgid(nobody.pw_gid).gr_name};"


def need(*programs):
    for program in programs:
        if not any(os.access(f"{path}/{program}", os.X_OK)
                   for path in os.environ["PATH"].split(":") + ["/usr/sbin", "/sbin"]):
            raise Impossible(f"{program} is not installed")


class Web:
    """nginx compressing a page for each of ab's requests, as fast as the machine allows or at a steady `rate` a second.

    The rate decides what can be seen: a server that wants a few per cent of a CPU gets them at once from a fair
    scheduler, whoever else is about; one that wants the machine feels every competitor of equal weight."""

    def __init__(self, t, *, session=True, group=None, rate=None, visitors=4):
        need("nginx", "ab")
        directory = f"{t.directory}/web"
        os.makedirs(f"{directory}/pages", exist_ok=True)
        for path in (t.directory, directory, f"{directory}/pages"):
            os.chmod(path, 0o755)
        words = "".join(f"line {number} of a page with some text {number * 7919 % 10007}\n" for number in range(1500))
        with open(f"{directory}/pages/page.txt", "w", encoding="ascii") as file:
            file.write(words)
        port = free_port()
        zone = f"    limit_req_zone all zone=all:64k rate={rate}r/s;" if rate else ""
        limit = "        limit_req zone=all burst=64;" if rate else ""
        with open(f"{directory}/nginx.conf", "w", encoding="ascii") as file:
            file.write(NGINX_CONFIGURATION.format(directory=directory, port=port,
                                                  user=unprivileged_user(), workers=NPROC, zone=zone, limit=limit))
        self.t, self.url, self.session = t, f"http://127.0.0.1:{port}/page.txt", session
        self.nginx = t.start("nginx", ["nginx", "-p", directory, "-c", f"{directory}/nginx.conf"], session=session,
                             group=group)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if not self.nginx.is_running():
                    raise RuntimeError(f"nginx did not start: {read(f'{directory}/error.log', '')}") from None
                time.sleep(0.05)
        self.ab = t.start("ab", ["ab", "-q", "-t", "600", "-n", "10000000", "-c", str(visitors), "-s", "60",
                                 "-H", "Accept-Encoding: gzip", self.url], session=session)

    def stop(self):
        self.t.stop(self.ab, self.nginx)


def make_video(path):
    """Two seconds of moving test picture, small enough to be cached."""
    need("ffmpeg")
    call("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=2",
         "-c:v", "mpeg4", "-q:v", "5", path)


def encode(times, prefix=""):
    """The line of a script that encodes video.avi over and over (bounded), so many at once."""
    return (f"for i in $(seq {times}); do\n"
            f"        {prefix} ffmpeg -nostdin -v error -stream_loop -1 -i video.avi -t 6000 -c:v libx264 -f null - &\n"
            "done\nwait\n")


def has_encoder():
    need("ffmpeg")
    done = subprocess.run(["ffmpeg", "-v", "error", "-h", "encoder=libx264"], stdout=subprocess.PIPE, text=True,
                          check=False)
    if "libx264" not in done.stdout:
        raise Impossible("this ffmpeg has no libx264")
