"""Workers whose way to the database of another set is a proxy."""
from . import dbproxy, http, mariadb
from .api import Workers, write_params


class Behind:
    """Workers of the shared set whose way to the database is a proxy."""

    def __init__(self, api, folder, count=3, **settings):
        folder.mkdir()
        self.proxy = dbproxy.DbProxy(folder / "db.sock", f"{api.db.dir}/sock")
        with open(api.db.option_file) as f:
            mariadb.write_private(f"{folder}/pickup.cnf", f.read().replace(f"socket={api.db.dir}/sock", f"socket={self.proxy.path}"))
        self.settings = {**api.settings, **settings, "PICKUP_DB_OPTION_FILE": f"{folder}/pickup.cnf"}
        write_params(f"{folder}/pickup.params", self.settings)
        self.workers = Workers(api.binary, folder, f"{folder}/pickup.params", count=count)
        self.call = http.FcgiClient(self.workers.path, self.settings)
        self.call("GET", "/healthz")

    def kill(self):
        for process in self.workers.processes:
            process.kill()
        for process in self.workers.processes:
            process.wait(60)

    def stop(self):
        for process in self.workers.processes:
            process.poll()
        self.proxy.close()
        self.workers.stop()
