"""Stage `play`: recorded answers, penguins and points on one page that opens from disk; `make play` serves
the page on which one asks anything.
"""

from pathlib import Path

from pipeline.data import penguins as table
from pipeline.metrics.settings import Settings as Evaluation
from pipeline.play import pages, penguins, recording, trajectories
from pipeline.runtime import compute, params
from pipeline.runtime.files import new_file
from pipeline.theory.learned import Settings as Bayes
from stages import InputFile, InputFolder, run, timed
from stages.play import laboratory, toys


def main(tasks: InputFolder, models: InputFolder, lengths: InputFile, networks: InputFile, out: Path) -> None:
    """Write the page OUT (.html): what the MODELS of the TASKS that `evaluate.dial_on` names answer, the
    penguins of LENGTHS (.csv) with the NETWORKS (.npz) of the stage `theory`, and the toys among the models.
    """
    compute.configure(compute.Settings(device="cpu", precision="fp32"))  # as the playground
    with timed("play"):
        asked, bayes = params.read("evaluate", Evaluation).dial_on, params.read("bayes", Bayes)
        found = {
            "images": recording.recorded(laboratory(tasks, models), asked),
            "penguins": penguins.recorded(table.flipper_lengths(lengths), networks, bayes),
            "points": trajectories.recorded(models, toys()),
        }
        page = pages.recorded({name: section for name, section in found.items() if section})
        with new_file(out) as part:
            part.write_text(page, "utf-8")


if __name__ == "__main__":
    run(main)
