"""Apache as a shared host runs it for somebody: prefork, CGI, proxies, and .htaccess in the folder of the site."""
import contextlib
import os
import shutil
import socket

from . import proc

MODULES = "/usr/lib/apache2/modules"
_CONFIG = """ServerRoot {dir}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {dir}/apache.pid
ErrorLog {dir}/error.log
Mutex file:{dir}
{modules}
StartServers {processes}
MinSpareServers 1
MaxSpareServers {processes}
MaxRequestWorkers {processes}
DocumentRoot {site}
<Directory />
  AllowOverride None
  Require all denied
</Directory>
<Directory {site}>
  AllowOverride All
  Require all granted
</Directory>
<Files ".ht*">
  Require all denied
</Files>
"""


def program():
    found = shutil.which("apache2", path="/usr/sbin:/usr/bin:/sbin")
    return found if found and os.path.exists(f"{MODULES}/mod_cgi.so") else None


class Server:
    def __init__(self, port, pid):
        self.port, self.pid = port, pid


@contextlib.contextmanager
def running(person, site, port, processes=8):
    """person: lib.page.Person, whose processes these are."""
    dir = f"{person.home}/apache"
    shutil.rmtree(dir, ignore_errors=True)
    os.mkdir(dir, 0o755)
    if person.ids:
        os.chown(dir, person.ids["user"], person.ids["group"])
    modules = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in
               ("mpm_prefork", "authz_core", "env", "mime", "rewrite", "cgi", "proxy", "proxy_http", "proxy_wstunnel")]
    person.write(f"{dir}/httpd.conf", _CONFIG.format(dir=dir, port=port, site=site, modules="\n".join(modules), processes=processes) + "TypesConfig /dev/null\n")
    process = person.start([program(), "-f", f"{dir}/httpd.conf", "-D", "FOREGROUND"], start_new_session=True)

    def answers():
        assert process.poll() is None, proc.tail(f"{dir}/error.log")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
    try:
        proc.wait_for(answers, 20, "Apache")
        yield Server(port, process.pid)
    finally:
        proc.stop(process)
