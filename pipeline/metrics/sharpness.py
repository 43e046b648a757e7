"""Blur as numbers."""

import math

from torch import Tensor

MID_GREY = (0.1, 0.9)  # pixels strictly between are neither ink nor paper


def ratios(drawn: Tensor, real: Tensor) -> dict[str, float]:
    """Gradient energy, which blur lowers, and mid-grey share, which it raises, of drawn over real images."""
    mid_grey = mid_grey_share(drawn) / mid_grey_share(real)
    return {"gradient_energy": relative(drawn, real), "mid_grey": mid_grey}


def relative(drawn: Tensor, real: Tensor) -> float:
    """The gradient energy of drawn images over that of real ones; NaN if these are blank."""
    energy = gradient_energy(real)
    return gradient_energy(drawn) / energy if energy else math.nan


def gradient_energy(pixels: Tensor) -> float:
    """Mean squared difference of neighbouring pixels, along both axes; pixels scaled to [0, 1]."""
    x = pixels.float() / 255
    across, down = x.diff(dim=3).square(), x.diff(dim=2).square()
    return ((across.double().sum() + down.double().sum()) / (across.numel() + down.numel())).item()


def mid_grey_share(pixels: Tensor) -> float:
    """The share of pixels between ink and paper; never 0, so that black-and-white images compare too."""
    low, high = (255 * bound for bound in MID_GREY)
    count = int(((pixels > low) & (pixels < high)).sum())
    return max(count, 1) / pixels.numel()
