"""What the trainings read, made without the stages that make it."""

from pathlib import Path

import numpy as np
from commands import DIGITS, JUDGE
from conftest import run, strokes

from pipeline.networks.classifier import JudgeSpec
from pipeline.sampling import weights


def write_inputs(project: Path) -> None:
    """Digits and a judge, which is untrained; and the fingerprints of all code."""
    assert run(project, "python -m stages.code data/code").returncode == 0
    (project / "data/prepared").mkdir()
    arrays = {}
    for seed, (split, num) in enumerate({"train": 600, "validation": 300, "test": 300}.items()):
        pixels, arrays[f"{split}_labels"] = strokes(num, seed)
        arrays[f"{split}_pixels"] = pixels[:, None]
    np.savez(project / DIGITS, **arrays)
    spec = JudgeSpec(width=4, num_classes=10)
    (project / JUDGE).parent.mkdir(parents=True)
    weights.save(project / JUDGE, spec.build(), spec)
