"""Stage `evaluate_real`: every metric for real against real, its noise floor, and the FID's yardsticks; and
what all models' evaluations need of the test images.
"""

import time
from pathlib import Path

from pipeline import tracking
from pipeline.data import digits
from pipeline.metrics import classes, reference
from pipeline.metrics import corruptions as yardsticks
from pipeline.metrics import suite as measure
from pipeline.metrics.features import Reader
from pipeline.runtime import compute, params
from pipeline.runtime.files import write_json
from stages import InputFile, run, took


def main(prepared: InputFile, judge: InputFile, out: Path, reference_out: Path) -> None:
    """Compare the validation images in PREPARED, taken as samples, with the test images, in the features of
    JUDGE; write OUT (.json) and, of the test images, REFERENCE_OUT (.npz).
    """
    settings = params.read("evaluate", measure.Params)
    compute.configure(params.read("compute", compute.Params))
    data = digits.load(prepared)
    tracking.send(tracking.connect)
    start = time.perf_counter()
    reader = Reader(judge, settings.features)
    held, test = (measure.take(part, settings, reader) for part in (data.validation, data.test))
    real = reference.take(test, data.train, settings.num_neighbours, settings.memorisation_samples)
    values = measure.measure(held, real, data.train, settings)
    values |= measure.of_cross_fades(held, reader.judge, settings)
    report = measure.context("real", settings, reader) | {
        "judge_test_accuracy": classes.accuracy(real.read, real.labels),
        "metrics": values,
        "yardsticks": yardsticks.measure(held, real, reader.features),
    }
    write_json(out, report)
    reference.save(reference_out, real, measure.origin(settings, reader))
    took("evaluate_real", time.perf_counter() - start)


if __name__ == "__main__":
    run(main)
