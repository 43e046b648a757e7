"""What a team shares, started for a test on loopback: a PostgreSQL cluster and MLflow's tracking server."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.project import environment, wait_for

LOOPBACK = "127.0.0.1"
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
INITDB = shutil.which("initdb", path=os.pathsep.join([*map(str, reversed(DEBIAN)), os.environ["PATH"]]))


@contextmanager
def postgres() -> Iterator[str]:
    """The URI of a database in a new cluster, which is gone afterwards."""
    assert INITDB, "no initdb on PATH or below /usr/lib/postgresql"
    programs, port = Path(INITDB).parent, str(free_port())
    with tempfile.TemporaryDirectory() as folder:
        data, log = f"{folder}/data", Path(folder) / "log"
        given: dict[str, Any] = {"cwd": folder, "stderr": subprocess.STDOUT} | unprivileged()
        if "user" in given:
            shutil.chown(folder, given["user"], given["group"])
        prepare = [programs / "initdb", "-D", data, "-U", "mlflow", "--auth=trust", "--no-sync"]
        create = [programs / "createdb", "-h", LOOPBACK, "-p", port, "-U", "mlflow", "mlflow"]
        serve = [programs / "postgres", "-D", data, "-h", LOOPBACK, "-p", port, "-k", folder]
        with log.open("w") as output:
            subprocess.run(prepare, stdout=output, check=True, **given)
            server = subprocess.Popen(serve, stdout=output, **given)

            def created() -> bool:
                assert server.poll() is None, log.read_text()
                return subprocess.run(create, stdout=output, **given).returncode == 0

            try:
                wait_for(created, 300)
                yield f"postgresql+psycopg2://mlflow@{LOOPBACK}:{port}/mlflow"
            finally:
                server.send_signal(signal.SIGINT)  # a fast shutdown
                server.wait(60)


def unprivileged() -> dict[str, Any]:
    """As whom PostgreSQL runs: the user of the tests, or `postgres` where that is root, which it refuses."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


class TrackingServer:
    """`mlflow server` on a database; started again, it listens at the same address."""

    def __init__(self, database: str, folder: Path) -> None:
        port = free_port()
        self.uri, self.log = f"http://{LOOPBACK}:{port}", folder / "server.log"
        self.command = ["mlflow", "server", "--host", LOOPBACK, "--port", str(port), "--workers", "1"]
        self.command += ["--backend-store-uri", database]
        self.command += ["--artifacts-destination", str(folder / "artifacts")]

    def start(self) -> None:
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        quiet |= {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=environment() | quiet,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that its workers can be killed with it
            )

    def wait(self) -> None:
        """Until it answers."""
        wait_for(self._answers, 300)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind((LOOPBACK, 0))
        return int(bound.getsockname()[1])
