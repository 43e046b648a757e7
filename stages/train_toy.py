"""Stage `train_toy@<name>`: a few GANs at once of points in the plane, whose modes can be counted exactly."""

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pipeline import tracking
from pipeline.methods import points
from pipeline.metrics import points as toy
from pipeline.networks.points import PointsSpec
from pipeline.runtime import compute, params
from pipeline.runtime.files import sha256, write_json
from pipeline.sampling import weights
from pipeline.tasks import points as toys
from pipeline.tasks.conditions import UNCONDITIONAL
from pipeline.tasks.points import TARGETS, Points, Target
from pipeline.training.session import evenly
from stages import run
from stages.training import WEIGHTS, Data, Job, train_on

NUM_SHOWN = 1000  # points of each cloud that is kept
SIDE = 64  # places along a discriminator's landscape
# more threads take several times as long for so small matrices; bf16 rounds a point by half a mode's width
COMPUTE = compute.Params(threads=1, device="cpu", precision="fp32")
COURSE_SEED, FINAL_SEED = 0, 1  # of latents: those of the final scores are new


def main(name: str, out: Path, scores: Path) -> None:
    """Train the members of section toys.NAME, write them to the folder OUT, and to SCORES (.json) how many
    modes each of them hits.
    """
    schedule = params.read(f"toys.{name}", points.Params)
    target = TARGETS[schedule.target]
    content = toys.sample(target, toys.NUM_POINTS, schedule.seed)
    data = Data(content, f"{schedule.target} of Gaussians", content.sha256)
    train_on(data, job(name, schedule, target), COMPUTE, out)
    generator, _ = weights.load(out / WEIGHTS, PointsSpec)
    members, identity = measure(generator, target, FINAL_SEED), sha256(out / WEIGHTS)
    means = toy.mean(members)
    context = {"model": out.name, "target": schedule.target, "num_modes": len(target.centres)}
    context |= {"num_samples": toy.NUM_SAMPLES, "seed": FINAL_SEED, "weights": identity}
    write_json(scores, context | {"mean": means, "members": members})
    tracking.add_evaluation(out.name, identity, {f"final_{key}": value for key, value in means.items()}, {})


def job(name: str, schedule: points.Params, target: Target) -> Job:
    """The job of training the members on points of the target."""

    def keep(state: Any) -> dict[str, Tensor]:
        return {
            "clouds": toys.clouds(state.average, NUM_SHOWN, COURSE_SEED),
            "landscapes": toys.landscapes(state.discriminator, target, SIDE).half(),
        }

    def quality(data: Points) -> Any:
        return lambda generator: toy.mean(measure(generator, target, COURSE_SEED))

    return Job(
        f"train_toy@{name}",
        f"toy-{name}",
        points,
        schedule,
        lambda data: (data, UNCONDITIONAL),
        lambda generator, shape: points.spec_of(schedule),
        frame_steps=evenly(schedule.num_steps, schedule.num_snapshots),
        quality=quality,
        quality_every=schedule.measure_every,
        keep=keep,
    )


def measure(generator: nn.Module, target: Target, seed: int) -> list[dict[str, float]]:
    """The figures of what each member draws."""
    return toy.measure(toys.clouds(generator, toy.NUM_SAMPLES, seed), target)


if __name__ == "__main__":
    run(main)
