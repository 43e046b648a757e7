"""Which model of a task is best? One number, the lower the better, on that half of the validation split that
may steer choices: test images choose nothing.
"""

from torch import nn

from pipeline.metrics import features, frechet, modes, posterior
from pipeline.networks.network import num_inputs
from pipeline.runtime import compute
from pipeline.sampling.draw import draw
from pipeline.tasks.task import Task

NUM_CONDITIONS, NUM_DRAWS = 500, 8  # at most, and samples of each
NUM_SAMPLES = 2000  # at most, of a task without conditions, as the monitor of a training takes them
SEED = 0


def criterion(task: Task) -> str:
    """What models of this task are compared by: a proper score of their samples, or a distance of samples
    from images where there is nothing to answer.
    """
    if "num_modes" in task.facts:
        return "kl"
    return "fid" if task.kind == "none" else "energy_score"


def score(sampler: nn.Module, task: Task) -> float:
    """The criterion's value, of the sampler as it stands."""
    numbers = task.halves()[0]
    if criterion(task) == "energy_score":
        some = numbers[:NUM_CONDITIONS]
        num_draws = NUM_DRAWS if num_inputs(sampler) else 1  # without latents all are one
        drawn = draw(sampler, task.validation.conditions, some, num_draws, SEED)
        return posterior.energy_score(drawn, task.validation.images(some)[0])
    some = numbers[:NUM_SAMPLES]
    extractor = features.of_task(task, "own", compute.device_of(sampler))
    drawn = draw(sampler, task.validation.conditions, some, 1, SEED)[:, 0]
    if criterion(task) == "kl":
        return modes.measure(drawn, extractor, task.facts["num_modes"])["kl"].value
    found = (extractor.features(pixels) for pixels in (drawn, task.validation.images(numbers)[0]))
    return frechet.distance(*map(frechet.statistics, found))
