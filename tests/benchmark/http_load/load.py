# SPDX-License-Identifier: MIT
"""load.py SERVER_PROGRAM [--quick]: what a page of 100 records costs the server, against the same bytes as a constant.

wrk (Debian: wrk) asks, on 8 kept connections, in turn for the constant and for the page, five times each; the processor time is the
server's own, from /proc. Prints the median of each figure and the ratio. Exit status 77: there is no wrk.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys


def processor_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def in_milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def load(process, url, seconds):
    before = processor_seconds(process)
    told = subprocess.run(["wrk", "--latency", "-t1", "-c8", f"-d{seconds}s", url], capture_output=True, text=True, check=True).stdout
    spent = processor_seconds(process) - before
    requests = int(re.search(r"(\d+) requests in", told).group(1))
    if "Non-2xx" in told or requests == 0:
        sys.exit(f"{url} was not answered as it should be:\n{told}")
    return {
        "cpu": 1e6 * spent / requests,
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", told).group(1)),
        "p99": in_milliseconds(re.search(r"99%\s+(\S+)", told).group(1)),
    }


def measure(program, name, rounds, seconds):
    with subprocess.Popen([program, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        port, size = process.stdout.readline().split()
        found = {"constant": [], "page": []}
        for _ in range(rounds):
            found["constant"].append(load(process, f"http://127.0.0.1:{port}/constant", seconds))
            found["page"].append(load(process, f"http://127.0.0.1:{port}/api/executions?limit=100", seconds))
        process.stdin.close()
    median = {kind: {key: statistics.median(each[key] for each in runs) for key in runs[0]} for kind, runs in found.items()}
    for kind, figures in median.items():
        print(f"{name:8} {kind:9} {size} bytes  {figures['cpu']:7.1f} us CPU  {figures['rate']:9.0f} requests/s  p99 {figures['p99']:6.2f} ms")
    print(f"{name:8} page / constant, server CPU: {median['page']['cpu'] / median['constant']['cpu']:.2f} (aim 2.5)")


if __name__ == "__main__":
    if shutil.which("wrk") is None:
        print("wrk is not installed (Debian: wrk)")
        sys.exit(77)
    quick = "--quick" in sys.argv[2:]
    for server in ("httplib", "beast"):
        measure(sys.argv[1], server, 1 if quick else 5, 1 if quick else 2)
