"""What the report shows, made without the stages that leave it; and the report read back."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.report import page
from pipeline.report.figures import figures
from pipeline.report.results import Result, Section


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(content)))


def result(section: str, entry: str, seed: int | None = 0, **files: object) -> Result:
    """A model whose files hold this."""
    found = Result(section, entry, f"{section}-{entry}", seed, Path(), Path())
    vars(found).update(files)
    return found


def rendered(section: Section) -> str:
    dot = figures.sheet(np.zeros((1, 1, 1, 1), np.uint8), 1)
    return page.render(section, dict.fromkeys(section.figures, dot))
