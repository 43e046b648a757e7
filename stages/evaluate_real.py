"""Stage `evaluate_real@<task>`: what its models are compared with: real images, noise floors, corruptions."""

from pathlib import Path

from pipeline.metrics import classes, reference, suite
from pipeline.metrics import settings as evaluation
from pipeline.metrics.entries import details, values, write
from pipeline.runtime import compute, params
from pipeline.tasks import task as tasks
from stages import InputFolder, run, timed


def main(task: InputFolder, out: Path, reports: Path) -> None:
    """Compare validation images, in the place of samples, with the test images of the TASK's folder. Writes
    the reference to the folder OUT, the floors to REPORTS/metrics, counts and identities to details.
    """
    settings = params.read("evaluate", evaluation.Settings)
    computing = params.read("compute", compute.Settings)
    compute.configure(computing)
    asked = tasks.load(task)
    with timed(f"evaluate_real@{asked.name}"):
        real = reference.take(asked, settings, compute.device(computing))
        floors, corruptions = suite.evaluate_real(real)
        more: dict[str, object] = {"corruptions": corruptions, "data": asked.sha256, "facts": asked.facts}
        more |= {"model": f"real-{asked.name}", "task": asked.name, "kind": asked.kind, "seed": settings.seed}
        if (labels := real.labels) is not None and "predicted" in real.arrays:
            more["classifier_accuracy"] = classes.accuracy(real.arrays["predicted"], labels)
        reference.save(out, real, values(floors))
        about = details(floors, {}) | more | {"extractor": real.extractor.identity}
        write(reports, f"real-{asked.name}", values(floors), about)


if __name__ == "__main__":
    run(main)
