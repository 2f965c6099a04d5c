"""A PostgreSQL server of a test's own, that may be stopped in the middle of things and started again."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path


def find_programs():
    """The folder of PostgreSQL's programs, newest version first, or None."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


class Server:
    """`address` is that of its database; it listens on a socket in its folder alone."""

    def __init__(self, programs, folder):
        self._programs, self._folder = programs, folder
        self._owner = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._owner = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self._run("initdb", "--username=mobigo", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        self.address = f"postgresql://mobigo@/postgres?host={folder}"

    def start(self):
        options = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c fsync=off"
        self._run("pg_ctl", "--wait", "--silent", f"--log={self._folder}/log", "start", "-o", options)

    def stop(self, mode="immediate"):
        """`immediate` is as if the machine lost its power."""
        self._run("pg_ctl", "--wait", "--silent", f"--mode={mode}", "stop")

    def _run(self, program, *arguments):
        command = [self._programs / program, f"--pgdata={self._folder}/data", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._owner)


@contextmanager
def running():
    """A server that runs; None of its files is left."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = Server(find_programs(), folder)
    server.start()
    try:
        yield server
    finally:
        with suppress(subprocess.CalledProcessError):  # it was stopped
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
