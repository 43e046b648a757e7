"""The section `evaluate` of params.yaml."""

from typing import Literal

from pipeline.runtime.params import Count, PositiveFraction, Section, Seed


class Settings(Section):
    features: Literal["own", "inception"] = "own"  # inception: the literature's; downloads its weights
    truncation: PositiveFraction = 1.0  # of the latents, for networks that can: variety for quality; 1: none
    num_samples: Count = 10_000  # drawn without an image to answer, and as many real ones
    num_draws: Count = 8  # M: of each test condition that is an image or words
    num_draws_on: dict[str, Count] = {}  # of these tasks so many instead
    dial_on: list[str] = []  # tasks whose flows are sampled with 1, 2, 4, 8, 16 and 32 steps
    num_dial_samples: Count = 2000  # test conditions at most, for the dial
    num_tone_draws: Count = 64  # of each test drawing whose six tones are known
    num_mode_samples: Count = 26_000  # of stacked digits
    num_neighbours: Count = 5  # k of precision, recall, density, coverage
    kid_subsets: Count = 100  # drawn at random; KID is their mean
    kid_subset_size: Count = 1000  # at most half of the smaller set
    memorisation_samples: Count = 1000  # of the drawn; each is compared with every training image
    two_sample_steps: Count = 200  # of the training of the classifier that tells drawn from real
    path_samples: Count = 500  # paths between latents
    path_step: PositiveFraction = 0.001  # of a path: the step of the finite difference that gives its speed
    seed: Seed = 0  # of samples and of what metrics choose at random
