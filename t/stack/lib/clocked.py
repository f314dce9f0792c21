"""Workers whose clock a test sets."""
import datetime
import math
import os
import zoneinfo

from .api import Calls, Workers
from .http import FcgiClient


class Clocked(Calls):
    """The database and tools of an Api, and workers of its own that live at another time. Their clock stands: a busy machine has as long as it likes for
    what happens in the last second before a shop opens."""

    def __init__(self, api, name, **workers):
        """workers: more for Workers."""
        self.api, self.db, self.file = api, api.db, f"{api.dir}/{name}.clock"
        self.now()
        self.workers = Workers(api.binary, api.dir, api.params, name=name, options=["--clock-file", self.file], **{"count": 2, **workers})
        self.settings = api.settings
        super().__init__(FcgiClient(self.workers.path, api.settings), api.tools)

    def stand(self, time):
        """From now on it is that many seconds since 1970."""
        self.time = time
        with open(f"{self.file}.new", "w") as f:
            f.write(f"@{time}\n")
        os.rename(f"{self.file}.new", self.file)     # for whoever reads it meanwhile

    def now(self):
        """The time at which this is called, rounded up: what others wrote until then is not of the future."""
        self.stand(math.ceil(datetime.datetime.now(datetime.timezone.utc).timestamp()))

    def later(self, seconds):
        self.stand(self.time + seconds)

    def at(self, text):
        """From now on it is that time: "2026-03-02T10:00+01:00", or "2026-03-02T10:00 Europe/Berlin" on that clock (the earlier one of two)."""
        wall, _, zone = text.partition(" ")
        time = datetime.datetime.fromisoformat(wall)
        time = time.replace(tzinfo=zoneinfo.ZoneInfo(zone)) if zone else time
        self.stand(int(time.timestamp()))

    def stop(self):
        self.workers.stop()
