"""pix2pix's ablations (arXiv:1611.07004, table 1): adversarial training with other defaults."""

from pipeline.methods import adversarial
from pipeline.methods.adversarial_settings import ImageSettings
from pipeline.methods.method import itself
from pipeline.runtime.params import Count, NotNegative


class Settings(ImageSettings):
    """Few latents, at the smallest map alone, one draw of each condition, and no score of several."""

    num_steps: Count = 500
    monitor_every: Count = 100
    num_latents: Count = 4
    latents_at_every_level: bool = False
    num_draws: Count = 1
    score: NotNegative = 0.0
    l1: NotNegative = 3.0


SETTINGS = {"image": Settings}
start, sampler = adversarial.start, itself
