"""Stage `train_features@<data set>`: the network for FID and KID: a classifier, or without classes SimCLR."""

from pathlib import Path

from pipeline.data import prepared
from pipeline.data.sets import kind
from pipeline.methods import method as methods
from pipeline.runtime import compute, params
from pipeline.runtime.files import sha256_of_folder
from pipeline.tasks import question
from pipeline.tasks.examples import ReadAhead
from pipeline.tasks.task import in_memory
from pipeline.training.trainer import Trainer
from stages import InputFolder, run, timed
from stages.training import tracked


def main(name: str, data: InputFolder, out: Path) -> None:
    """Train the feature network of data set NAME, an entry of `datasets:`, on the folder DATA, by the method
    and with the question that its kind says; write weights and history to folder OUT.
    """
    method, condition = kind.of(name)[0].LEARNER
    cls = methods.settings_class(method, question.load(condition).kind)
    settings = params.checked(f"datasets.{name}.features", kind.of(name)[1].features, cls)
    computing = params.read("compute", compute.Settings)
    compute.configure(computing)
    task = in_memory(name, condition, prepared.load(data))
    stage, model, facts = f"train_features@{name}", f"features-{name}", {"data": sha256_of_folder(data)}
    trainer = Trainer(stage, computing, facts, tracked(stage, model, data))
    with timed(stage), ReadAhead(task.train) as read:
        trainer.run(methods.load(method).start(settings, task), read, out)


if __name__ == "__main__":
    run(main)
