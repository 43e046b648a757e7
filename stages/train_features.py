"""Stage `train_features@<data set>`: the network for FID and KID: a classifier, or without classes SimCLR."""

from pathlib import Path

from pipeline.data import prepared
from pipeline.methods import method as methods
from pipeline.runtime import compute, params
from pipeline.runtime.files import sha256
from pipeline.tasks import question
from pipeline.tasks.task import in_memory
from pipeline.training.trainer import Trainer
from stages import InputFile, run, timed
from stages.training import tracked


def main(method: str, condition: str, name: str, data: InputFile, out: Path) -> None:
    """Train the feature network of data set NAME on DATA (.npz) by METHOD, given the CONDITION, a question of
    tasks; write weights and history to folder OUT.
    """
    kind = question.load(condition).kind
    settings = params.read(f"features.{name}", methods.settings_class(method, kind))
    computing = params.read("compute", compute.Settings)
    compute.configure(computing)
    task = in_memory(name, condition, prepared.load(data))
    stage, model, facts = f"train_features@{name}", f"features-{name}", {"data": sha256(data)}
    trainer = Trainer(stage, computing, facts, tracked(stage, model, data))
    with timed(stage):
        trainer.run(methods.load(method).start(settings, task), task.train, out)


if __name__ == "__main__":
    run(main)
