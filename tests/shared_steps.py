"""Twenty steps of some of our own models, made small; started several times with torch's variables (RANK,
WORLD_SIZE, MASTER_ADDR, MASTER_PORT) they share each batch.

    python tests/shared_steps.py FOLDER
"""

import sys
from pathlib import Path
from types import ModuleType

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pipeline.data.digits import Examples, Pictures
from pipeline.methods import adversarial, regression, translation
from pipeline.methods.schedule import Schedule
from pipeline.runtime import distributed as parallel
from pipeline.runtime import params
from pipeline.tasks import conditions
from pipeline.tasks import drawings as tasks
from pipeline.tasks.conditions import UNCONDITIONAL, Condition
from pipeline.tasks.drawings import Pairs

OURS = Path(__file__).parent.parent / "params.yaml"
NUM_STEPS = 20
# Adam's step is as long where a gradient is nothing but rounding, so that only a small one can be compared.
SMALL = {"num_steps": NUM_STEPS, "batch_size": 16, "width": 8, "ema_halflife": 100.0, "learning_rate": 1e-5}
SECTIONS: dict[str, tuple[ModuleType, type[Schedule], str]] = {
    "gans.dcgan": (adversarial, adversarial.Params, ""),
    "gans.r3gan": (adversarial, adversarial.Params, ""),
    "gans.wgan-gp": (adversarial, adversarial.Params, ""),
    "stacked.pacdcgan2": (adversarial, adversarial.Params, ""),
    "cgans.digit": (adversarial, adversarial.ConditionalParams, "digit"),
    "regressions.digit": (regression, regression.Params, "digit"),
    "image_cgans.sketch": (translation, translation.Params, "sketch"),
}


def pixels(*shape: int) -> Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0)).byte()


def data(section: str, task: str) -> tuple[Examples, Condition]:
    if section.startswith("image"):
        pairs = Pairs(pixels(64, 1, 32, 32), pixels(64, 3, 32, 32), torch.arange(64), 1)
        return pairs, tasks.condition(task, pairs)
    channels = 3 if section.startswith("stacked") else 1
    return Pictures(pixels(64, channels, 28, 28), torch.arange(64) % 10), conditions.find(
        task
    ) if task else UNCONDITIONAL


def trained(section: str) -> dict[str, Tensor]:
    """The weights of all networks after the steps, and their gradients in the first."""
    kind, schedule_type, task = SECTIONS[section]
    schedule = params.read(section, schedule_type, OURS, seed=0)
    schedule = schedule.model_copy(update=SMALL)
    examples, condition = data(section, task)
    state = kind.init_state(schedule, condition, examples.shape)
    networks = {name: part for name, part in vars(state).items() if isinstance(part, nn.Module)}
    found: dict[str, Tensor] = {}
    for step in range(NUM_STEPS):
        kind.train_step(state, examples, schedule)
        state.step += 1
        if step == 0:
            found = {
                f"{name}.gradient": gradient(network)
                for name, network in networks.items()
                if name != "average"
            }
    for name, network in networks.items():
        found |= {f"{name}.{key}": value.clone().contiguous() for key, value in network.state_dict().items()}
    return found


def gradient(network: nn.Module) -> Tensor:
    return torch.cat([weight.grad.flatten() for weight in network.parameters() if weight.grad is not None])


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with parallel.group():
        for section in SECTIONS:
            save_file(trained(section), folder / f"{section}-{parallel.rank()}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
