"""Eight steps of some of our own models, made small; started several times with torch's variables (RANK,
WORLD_SIZE, MASTER_ADDR, MASTER_PORT) they share each batch.

    python tests/helpers/shared_steps.py FOLDER
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pipeline.data.prepared import SPLITS, DataSet
from pipeline.methods import adversarial, adversarial_settings, engression, flow, method, regression
from pipeline.methods.schedule import Schedule
from pipeline.runtime import compute, distributed, params
from pipeline.tasks import task as tasks
from pipeline.tasks.examples import ReadAhead
from pipeline.training.trainer import place

OURS = Path(__file__).parents[2] / "params.yaml"
LONG = OURS.parent / "reports/long/params.yaml"  # has more GANs
NUM_STEPS, NUM_EXAMPLES = 8, 64
# Adam's step is as long where a gradient is nothing but rounding, so that only a small one can be compared.
SMALL = {"num_steps": NUM_STEPS, "batch_size": 16, "width": 8, "ema_halflife": 100.0, "learning_rate": 1e-5}
SECTIONS: dict[str, tuple[str, type[Schedule], str, int]] = {  # method, settings, question, channels
    "gans.dcgan": ("adversarial", adversarial.Settings, "none", 1),
    "gans.r3gan": ("adversarial", adversarial.Settings, "none", 1),
    "gans.wgan-gp": ("adversarial", adversarial.Settings, "none", 1),
    "stacked.pacdcgan2": ("adversarial", adversarial.Settings, "none", 3),
    "cgans.digit": ("adversarial", adversarial_settings.ClassSettings, "label", 1),
    "regressions.digit": ("regression", regression.Settings, "label", 1),
    "engressions.digit": ("engression", engression.Settings, "label", 1),
    "cgans.sketch": ("adversarial", adversarial_settings.ImageSettings, "sketch", 3),
    "flows.digit": ("flow", flow.ClassSettings, "label", 1),
    "flows.sketch": ("flow", flow.ImageSettings, "sketch", 3),
}


def task(condition: str, channels: int) -> tasks.Task:
    """A question put to noise."""
    source, side = torch.Generator().manual_seed(0), 32 if condition == "sketch" else 28
    rows = {
        "images": torch.randint(0, 256, (NUM_EXAMPLES, channels, side, side), generator=source).byte(),
        "sketches": torch.randint(0, 256, (NUM_EXAMPLES, 1, side, side), generator=source).byte(),
        "labels": torch.arange(NUM_EXAMPLES) % 10,
        "classes": torch.arange(10),
    }
    arrays = {name: rows.numpy() for name, rows in rows.items()}
    return tasks.in_memory(condition, condition, DataSet(dict.fromkeys(SPLITS, arrays)))


def trained(section: str) -> dict[str, Tensor]:
    """The weights of all networks after the steps, and their gradients in the first."""
    name, cls, condition, channels = SECTIONS[section]
    settings = params.read(section, cls, LONG if section == "gans.r3gan" else OURS, seed=0)
    settings = settings.model_copy(update=SMALL | ({"dropout": 0.0} if name == "flow" else {}))
    asked = task(condition, channels)
    training = method.load(name).start(settings, asked)
    place(training, compute.CPU)
    networks = {name: part for name, part in vars(training).items() if isinstance(part, nn.Module)}
    found: dict[str, Tensor] = {}
    with ReadAhead(asked.train) as read:
        for step in range(NUM_STEPS):
            training.step(read)
            training.steps_done += 1
            if step == 0:
                trained = networks.keys() - {"ema"}
                found = {f"{name}.gradient": gradient(networks[name]) for name in sorted(trained)}
    for name, network in networks.items():
        found |= {f"{name}.{key}": value.clone().contiguous() for key, value in network.state_dict().items()}
    return found


def gradient(network: nn.Module) -> Tensor:
    return torch.cat([weight.grad.flatten() for weight in network.parameters() if weight.grad is not None])


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with distributed.group():
        for section in SECTIONS:
            save_file(trained(section), folder / f"{section}-{distributed.rank()}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
