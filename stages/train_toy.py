"""Stage `train_toy@<name>`: a few models at once of points in the plane, whose modes can be counted."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from torch import Tensor

from pipeline.methods import method as methods
from pipeline.methods.adversarial import Adversarial
from pipeline.methods.method import Training
from pipeline.methods.schedule import OfPoints
from pipeline.metrics import points as metrics
from pipeline.metrics.entries import write
from pipeline.runtime import compute
from pipeline.runtime.files import sha256
from pipeline.sampling import weights
from pipeline.tasks import points as tasks
from pipeline.tasks.points import TARGETS, Target
from pipeline.tracking import runs
from pipeline.training.trainer import Trainer
from stages import run, timed
from stages.training import tracked

NUM_SHOWN = 1000  # points of each cloud that is kept
SIDE = 64  # places along a discriminator's landscape
# more threads take several times as long for so small matrices; bf16 rounds a point by half a mode's width
COMPUTE = compute.Settings(threads=1, device="cpu", precision="fp32")
MONITOR_SEED, FINAL_SEED = 0, 1  # of latents: those of the final scores are new

Method = Annotated[str, typer.Argument(help=f"One of: {', '.join(methods.available())}.")]


@dataclass(frozen=True)
class Monitor:
    """What is looked at while points are trained on."""

    target: Target

    def measure(self, training: Training) -> dict[str, float]:
        return metrics.mean(metrics.of_generator(training.ema, self.target, MONITOR_SEED))

    def snapshot(self, training: Training) -> dict[str, Tensor]:
        found = {"clouds": metrics.clouds(training.ema, NUM_SHOWN, MONITOR_SEED)}
        if isinstance(training, Adversarial):
            landscapes = metrics.landscapes(training.discriminator, self.target, SIDE)
            found["landscapes"] = landscapes.half()
        return found


def main(method: Method, name: str, out: Path, reports: Path) -> None:
    """Train the members of section toys.NAME by METHOD, write them to the folder OUT, and to REPORTS/metrics
    how many modes they hit, in the mean; to details, how many each of them, and of a flow the dial.
    """
    settings = methods.read(method, f"toys.{name}", "points")
    assert isinstance(settings, OfPoints)
    task, target = tasks.task(settings.target, settings.seed), TARGETS[settings.target]
    stage, model = f"train_toy@{name}", f"toy-{name}"
    compute.configure(COMPUTE)
    facts, looks = {"data": f"{tasks.NUM_POINTS} points"}, (settings.monitor_every, settings.num_snapshots)
    trainer = Trainer(stage, COMPUTE, facts, tracked(stage, model, None), Monitor(target), *looks)
    with timed(stage):
        trainer.run(methods.load(method).start(settings, task), task.train, out)
        generator, spec = weights.load(out / weights.FILE)
        members, identity = metrics.of_generator(generator, target, FINAL_SEED), sha256(out / weights.FILE)
        means = metrics.mean(members)
        context = {"model": model, "method": spec.method, "task": spec.task, "weights": identity}
        about = {"target": settings.target, "num_modes": len(target.centres), "members": members}
        about |= {"num_samples": metrics.NUM_SAMPLES, "seed": FINAL_SEED, "variance": target.variance}
        about |= {"dial": metrics.dial(generator, target, FINAL_SEED)}
        write(reports, model, means, context | about)
        runs.add_evaluation(model, identity, {f"final_{key}": value for key, value in means.items()}, {}, {})


if __name__ == "__main__":
    run(main)
