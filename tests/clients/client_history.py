# SPDX-License-Identifier: MIT
"""The Python lines of the Job History feature's documentation, and what they must print. Usage: client_history.py URL"""

import contextlib
import io
import sys

try:
    import requests  # noqa: F401
except ImportError:
    print("left out: python3-requests is not installed")
    sys.exit(0)

LINES = """
import requests

# Get job history
response = requests.get('http://localhost:4080/v1/jobs/history', params={
    'limit': 100,
    'status': 'completed'
})
jobs = response.json()['jobs']

# Get statistics
stats = requests.get('http://localhost:4080/v1/jobs/stats').json()
print(f"Success rate: {stats['success_rate'] * 100:.1f}%")
print(f"Average duration: {stats['avg_duration']:.1f}s")
"""

names = {}
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    exec(LINES.replace("http://localhost:4080", sys.argv[1]), names)

assert printed.getvalue() == "Success rate: 96.8%\nAverage duration: 0.0s\n", printed.getvalue()
jobs = names["jobs"]
assert len(jobs) == 60, jobs
assert all(job["status"] == "completed" and isinstance(job["batch_id"], str) for job in jobs), jobs
assert all(job["completed_requests"] == 3 for job in jobs), jobs
