"""Stage `prepare@digits`: raw files -> one archive of uint8 images, labels and the train/validation/test
split.
"""

from pathlib import Path

import numpy as np

from pipeline import params, preparation
from pipeline.files import new_file
from stages import InputFolder, run, took


def main(raw: InputFolder, out: Path) -> None:
    """Split the digits in RAW and write them to OUT (.npz)."""
    arrays = preparation.prepare(raw, params.read("digits", preparation.Params))
    with new_file(out) as part:
        np.savez(part, **arrays)  # type: ignore[arg-type]
    took("prepare@digits", 0.0)


if __name__ == "__main__":
    run(main)
