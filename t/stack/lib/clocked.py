"""Workers whose clock a test sets."""
import datetime
import math
import zoneinfo

from .api import Calls, Workers
from .http import FcgiClient


class Clocked(Calls):
    """The database and tools of an Api, and workers of its own that live at another time."""

    def __init__(self, api, name):
        self.api, self.db, self.file = api, api.db, f"{api.dir}/{name}.clock"
        self.shift(0)
        self.workers = Workers(api.binary, api.dir, api.params, name=name, count=2, options=["--clock-file", self.file])
        super().__init__(FcgiClient(self.workers.path, api.settings), api.tools)

    def shift(self, seconds):
        with open(self.file, "w") as f:
            f.write(f"{math.ceil(seconds)}\n")

    def at(self, text):
        """From now on it is that time, or a moment later: "2026-03-02T10:00+01:00", or "2026-03-02T10:00 Europe/Berlin" on that clock (the earlier one of two)."""
        wall, _, zone = text.partition(" ")
        time = datetime.datetime.fromisoformat(wall)
        time = time.replace(tzinfo=zoneinfo.ZoneInfo(zone)) if zone else time
        self.shift((time - datetime.datetime.now(datetime.timezone.utc)).total_seconds())

    def stop(self):
        self.workers.stop()
