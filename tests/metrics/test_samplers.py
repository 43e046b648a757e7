"""The tests of posteriors, tried on samplers whose faults are known: how often does each reject which?"""

from collections import Counter
from collections.abc import Collection

import pytest
import torch
from helpers.samplers import FAULTS, Problem, gaussian, tones
from torch import Tensor

from pipeline.metrics import functions, posterior, spread, two_samples, uniformity
from pipeline.metrics.judged import Known

NUM_SEEDS, NUM_POWER_SEEDS, P_VALUE = 200, 60, 0.05
MOST_FALSE, LEAST_SEEN = 0.085, 0.9  # shares of the seeds

PLAIN = "ranks of functions of the image alone"
SEEN = {  # by test, the faults that it is said to see; of the others it may see some, some of the time
    "gain of 8": {"narrow"},
    "spread": {"narrow"},
    "coverage of 90 %": {"narrow"},
    PLAIN: {"narrow", "biased", "white"},
    "ranks of the distance to the expected image": {"narrow", "prior"},
    "TARP": {"narrow", "prior"},
    "energy distance": {"narrow", "biased", "prior"},
    "classifier": {"narrow", "biased", "prior", "white"},
}
UNSEEN = {  # those that it must not be able to see, as they are none to it
    "gain of 8": {"prior", "white"},
    "spread": {"prior", "white"},
    "coverage of 90 %": {"prior"},
    PLAIN: {"prior"},
}


def rejections(drawn: Tensor, known: Known, seed: int, asked: Collection[str]) -> set[str]:
    """Which of the asked tests a sampler fails."""
    failed = {name for name, fails in quick(drawn, known, seed).items() if fails}
    c, x, g = known.expected.double(), known.truth.flatten(1).double(), drawn.flatten(2).double()
    if "energy distance" in asked:
        distance = two_samples.energy_distance(c, x, g[:, :3], known.bases, seed)
        failed |= {"energy distance"} if distance[1] <= P_VALUE else set()
    if "classifier" in asked:
        told = two_samples.classified(c, x, g[:, :7], known.bases, seed)
        failed |= {"classifier"} if told.p_value <= P_VALUE else set()
    return failed & {*asked}


def quick(drawn: Tensor, known: Known, seed: int) -> dict[str, bool]:
    """Which of all but the two-sample tests, that take four fifths of the time, a sampler fails."""
    gains = {row["num_draws"]: row["interval"] for row in spread.gains(drawn, known, seed)}
    counts = posterior.rank_counts(drawn, known.truth, seed)[:, 0]
    ninety = {row["k"]: row for row in spread.coverage(counts, known.bases, seed)}[2]
    failed = {
        "gain of 8": outside(gains[8], posterior.theoretical_gain(8)),
        "spread": outside(spread.ratio(drawn, known, seed)["interval"], 1),
        "coverage of 90 %": outside(ninety["interval"], ninety["level"]),
    }
    ranks = functions.ranks(drawn, known, seed)
    of_truths = "distance to the expected image", functions.TARP
    groups = {PLAIN: [each for name, each in ranks.items() if name not in of_truths]}
    groups |= {
        "ranks of the distance to the expected image": [ranks[of_truths[0]]],
        "TARP": [ranks[of_truths[1]]],
    }
    for name, some in groups.items():
        found = uniformity.uniformity(torch.stack(some, 1), drawn.shape[1], known.bases, seed)
        failed[name] = found.p_value <= P_VALUE
    return failed


def outside(interval: tuple[float, float], value: float) -> bool:
    return not interval[0] <= value <= interval[1]


def check(problem: Problem, sampler: str, powerful: Collection[str]) -> None:
    """Faults that a test must not see are rejected as seldom as none, which takes many seeds to tell; those
    that it is said to see are seen, by the powerful ones, which takes fewer.
    """
    unseen = {name for name in SEEN if sampler == "perfect" or sampler in UNSEEN.get(name, ())}
    seen = {name for name in powerful if sampler in SEEN[name]}
    rejected = Counter[str]()
    for seed in range(NUM_SEEDS if unseen else NUM_POWER_SEEDS):
        asked = unseen | seen if seed < NUM_POWER_SEEDS else unseen
        rejected.update(rejections(*problem(sampler, seed), seed, asked))
    print(sampler, rejected)
    for name in unseen:
        assert rejected[name] <= MOST_FALSE * NUM_SEEDS, f"{name} rejects {sampler}"
    for name in seen:
        assert rejected[name] >= LEAST_SEEN * NUM_POWER_SEEDS, f"{name} does not see {sampler}"


@pytest.mark.parametrize("sampler", FAULTS)
def test_of_normal_posteriors_each_test_rejects_what_it_is_said_to_see_and_nothing_else(sampler: str) -> None:
    check(gaussian, sampler, SEEN)


@pytest.mark.parametrize("sampler", ["perfect", "narrow", "prior"])
def test_of_six_known_answers_too_where_all_six_truths_are_of_one_base(sampler: str) -> None:
    powerful = SEEN.keys() - {"classifier"}  # which asks one picture a base, and there are forty
    check(tones, sampler, powerful)
