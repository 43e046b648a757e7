"""Stage `evaluate_drawings`: real drawings against real ones, the noise floor of FID and KID and the FID's
yardsticks.
"""

import time
from pathlib import Path

from pipeline import tracking
from pipeline.data import drawings
from pipeline.metrics import corruptions as yardsticks
from pipeline.metrics import frechet
from pipeline.metrics import image_features as observed
from pipeline.metrics import image_suite as pictures
from pipeline.metrics.entries import entries
from pipeline.runtime import compute, params
from pipeline.runtime.files import sha256, write_json
from pipeline.tasks.drawings import grey
from stages import InputFile, run, took


def main(prepared: InputFile, observer: InputFile, out: Path) -> None:
    """Compare the validation pictures in PREPARED, taken as samples, with the test pictures, in the features
    of OBSERVER; write OUT (.json).
    """
    settings = params.read("evaluate_images", pictures.Params)
    source = params.read("drawings.source", str)
    compute.configure(params.read("compute", compute.Params))
    data, watcher = drawings.load(prepared), observed.load(observer)
    tracking.send(tracking.connect)
    start = time.perf_counter()
    held, real = data.validation.pictures, data.test.pictures
    seen, features = watcher.features(held), watcher.features(real)
    harmed = {"blurred": yardsticks.blurred(held), "grey": grey(held).expand(-1, 3, -1, -1)}
    fids = {name: frechet.fid(watcher.features(pixels), features) for name, pixels in harmed.items()}
    values = pictures.distances(seen, features, settings)
    report = pictures.context("drawings", "", settings, watcher) | {
        "source": source,
        "data": sha256(prepared),
        "metrics": entries(values, len(held), len(real)),
        "yardsticks": {"split": values["fid"]} | fids,
    }
    write_json(out, report)
    took("evaluate_drawings", time.perf_counter() - start)


if __name__ == "__main__":
    run(main)
