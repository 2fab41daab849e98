# SPDX-License-Identifier: MIT
"""The Python client of the format's documentation, and what it must find. Usage: client.py URL"""

import sys

try:
    import requests
except ImportError:
    print("left out: python3-requests is not installed")
    sys.exit(0)


class ScheduleZeroClient:
    def __init__(self, base_url="http://localhost:8888"):
        self.base_url = base_url

    def get_executions(self, handler_id=None, limit=100):
        """Get execution history."""
        params = {"limit": limit}
        if handler_id:
            params["handler_id"] = handler_id

        response = requests.get(f"{self.base_url}/api/executions", params=params)
        return response.json()

    def get_stats(self):
        """Get execution statistics."""
        response = requests.get(f"{self.base_url}/api/executions/stats")
        return response.json()

    def get_errors(self, limit=50):
        """Get recent errors."""
        response = requests.get(f"{self.base_url}/api/executions/errors", params={"limit": limit})
        return response.json()

    def clear_history(self):
        """Clear execution history (admin operation)."""
        response = requests.post(f"{self.base_url}/api/executions/clear")
        return response.json()


client = ScheduleZeroClient(sys.argv[1])

stats = client.get_stats()
assert f"Success rate: {stats['success_rate']:.2f}%" == "Success rate: 95.45%", stats

errors = client.get_errors(limit=10)
assert errors["count"] == 3, errors
lines = [f"  - {error['handler_id']}.{error['method_name']}: {error['error']}" for error in errors["errors"]]
assert "  - discord_bot.send_message: Connection timeout after 5000ms" in lines, lines

executions = client.get_executions(handler_id="dingdong", limit=7)
assert (executions["count"], executions["limit"], len(executions["records"])) == (7, 7, 7), executions
assert all(record["result"] == "Ding!" for record in executions["records"]), executions
assert client.get_executions()["count"] == 67

assert client.clear_history() == {
    "status": "success",
    "message": "Execution history cleared",
    "records_cleared": 66,
}
assert client.get_stats()["total_executions"] == 0
