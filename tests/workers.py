"""Each parallel test worker has a Redis database of its own.

Loaded by ``-p tests.workers`` before the settings are read; pytest-django does the same
for PostgreSQL by itself. A test that empties Redis then empties nobody else's.
"""

import os
import re

worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if worker:
    number = int(worker.removeprefix("gw")) + 1
    url = os.environ.get("REDIS_URL", "")
    os.environ["REDIS_URL"] = re.sub(r"([?&]db=)\d+", rf"\g<1>{number}", url)
