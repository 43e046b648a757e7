"""What stages say, each in a file of its own: logs/<stage>.log, that of its last run.

One call of DVC runs several stages, one after another, and writes all into one file; a process may write to a
file whatever becomes of who reads it. `StageLogs` reads it as it grows, and deals it out.
"""

import re
from pathlib import Path

FOLDER = Path("logs")
ANNOUNCED = re.compile(
    r"(Running stage|Stage) '([^']+)'( is cached|:)"
)  # DVC's words; of others it runs none


def path(stage: str) -> Path:
    return FOLDER / f"{stage}.log"


def last_lines(stage: str, num: int) -> list[str]:
    """The end of a stage's log, without blank lines; empty if there is no such log."""
    return lines_with(stage, "")[-num:]


def lines_with(stage: str, start: str) -> list[str]:
    """The lines of a stage's log that start so, but for blank ones."""
    if not path(stage).exists():
        return []
    lines = path(stage).read_text("utf-8", errors="replace").splitlines()
    return [line for line in lines if line.strip() and line.startswith(start)]


class StageLogs:
    """The output of one call of DVC, dealt out to its stages.

    Attributes:
        written: the file that the call is to write to.
        stage: whose turn it is, None before the first.
        cached: the stages whose results DVC had, so that they did not run.
        unclaimed: what was said before the first stage: nothing, unless DVC itself failed.
    """

    def __init__(self, name: str) -> None:
        FOLDER.mkdir(exist_ok=True)
        self.written = FOLDER / f".{name}.part"
        self.written.unlink(missing_ok=True)  # to which a call of a run that was killed may write still
        self.written.write_bytes(b"")
        self.stage: str | None = None
        self.cached: set[str] = set()
        self.unclaimed = ""
        self._source = self.written.open("rb")
        self._rest = b""  # of a line of which the end is not there yet

    def read(self) -> list[str]:
        """Deal out what is new; the stages that it says were begun, in order."""
        begun = []
        *lines, self._rest = (self._rest + self._source.read()).split(b"\n")
        for line in lines:
            if found := ANNOUNCED.match(line.decode("utf-8", "replace")):
                self.stage = found[2]
                begun.append(self.stage)
                path(self.stage).write_bytes(b"")
                if found[3] != ":":
                    self.cached.add(self.stage)
            self._deal(line + b"\n")
        return begun

    def close(self) -> list[str]:
        """Deal out the rest, when the call has ended; as `read`."""
        begun = self.read()
        self._deal(self._rest)
        self._source.close()
        self.written.unlink(missing_ok=True)
        return begun

    def _deal(self, text: bytes) -> None:
        if self.stage is None:
            self.unclaimed += text.decode("utf-8", "replace")
        else:
            with path(self.stage).open("ab") as log:
                log.write(text)
