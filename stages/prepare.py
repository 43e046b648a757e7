"""Stage `prepare@<data set>`: raw files -> uint8 images, what is known of each, and the
train/validation/test split.
"""

import shutil
from pathlib import Path

from pipeline.data import prepared
from pipeline.data.sets import kind
from pipeline.runtime.errors import told_of
from pipeline.runtime.files import sole_writer
from stages import InputFolder, run, timed


def main(name: str, raw: InputFolder, out: Path) -> None:
    """Split the raw files of the data set NAME, an entry of `datasets:`, in the folder RAW, or the user's
    that params.yaml names, and write them to the folder OUT. Files that are left out are named and counted.
    Of the user's own, a run that was killed goes on.
    """
    found, settings = kind.of(name)
    stage, work = f"prepare@{name}", Path("runs") / f"prepare@{name}"
    with timed(stage), told_of(f"datasets.{name}"), sole_writer(work):
        data = found.prepare(raw, settings, work)
        for line in data.said:
            print(f"{name}: {line}", flush=True)
        for line in data.left_out:
            print(f"left out: {line}", flush=True)
        if data.left_out:
            print(f"{len(data.left_out)} files left out", flush=True)
        prepared.save(out, data)
        shutil.rmtree(work)


if __name__ == "__main__":
    run(main)
