"""What truth is known of a task: test conditions that have several right answers, all of them in the set."""

import numpy as np
import torch
from torch import Tensor

from pipeline.data.openmoji import LAYERS
from pipeline.data.prepared import Arrays
from pipeline.data.sets.drawings import NO_TONE
from pipeline.tasks.stored import Stored

NUM_TONES = 6
SKIN = LAYERS.index("skin")


def answers(test: Stored, split: Arrays) -> Arrays:
    """Test drawings in six tones that have one condition in common and show skin, none where a condition is
    no image or the target is not in colour: `variants` (B, 6), their numbers in the order of the tones, and
    `skin` (B, H, W) uint8, 1 where it is.
    """
    six = six_tones(split["bases"], split["tones"])
    if not len(six):
        return {}
    x, c = test.images(six.flatten())
    if c.ndim < 4 or x.shape[1] != 3:  # a caption does not say where skin is
        return {}
    conditions = c.unflatten(0, six.shape).flatten(2)
    alike = (conditions == conditions[:, :1]).flatten(1).all(1)
    skin = torch.from_numpy(split["layers"])[six[:, 0]] == SKIN
    chosen = alike & skin.flatten(1).any(1)
    if not chosen.any():
        return {}
    return {"variants": six[chosen].numpy(), "skin": skin[chosen].to(torch.uint8).numpy()}


def six_tones(bases: np.ndarray, tones: np.ndarray) -> Tensor:
    """The drawings that come in exactly six tones, (B, 6): row numbers, in the order of the tones."""
    rows = np.flatnonzero(tones != NO_TONE)
    order = np.argsort(bases[rows] * NUM_TONES + tones[rows])
    return torch.from_numpy(rows[order]).view(-1, NUM_TONES)
