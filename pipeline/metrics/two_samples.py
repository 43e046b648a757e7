"""Can truths be told from samples, when the condition is known? Two tests of pairs of a condition and an
image, (N, A) and (N, D): the truths (N, D), and M samples of each condition (N, M, D).

If samples are of the posterior, a truth may as well change places with any sample of its condition.
"""

from typing import NamedTuple

import torch
from scipy import stats
from torch import Tensor

from pipeline.metrics.uniformity import ranks
from pipeline.runtime import randomness

FOLDS, CHOSEN, PLACES = (
    "folds of bases",
    "pictures of bases",
    "places of truths",
)  # purposes of random numbers
NUM_EXCHANGES = 400
RIDGE = 0.07  # beside a kernel whose diagonal is 1


class Told(NamedTuple):
    """Of how many of the bases the truth was told from samples, with a 95 % interval; half of them if it
    cannot be. How probable a share so far from it is by chance.
    """

    share: float
    interval: tuple[float, float]
    p_value: float


def energy_distance(c: Tensor, truth: Tensor, drawn: Tensor, bases: Tensor, seed: int) -> tuple[float, float]:
    """The energy distance (Szekely and Rizzo 2013, doi:10.1016/j.jspi.2013.03.018) of pairs with truths from
    pairs with samples, and its p-value: how probable as large a one is where truths are put to random places
    among their condition's samples, all of a base to the same. Conditions and images count alike.
    """
    num, num_places = len(c), drawn.shape[1] + 1
    both = torch.cat([truth[:, None], drawn], 1).flatten(0, 1)
    of_truths, of_conditions = squares(truth, truth), squares(c, c)
    apart = squares(both, both) / of_truths.mean() + repeated(
        of_conditions / of_conditions.mean(), num_places
    )
    which, num_bases = numbered(bases)
    source = randomness.generator(seed, PLACES)
    places = torch.randint(num_places, (NUM_EXCHANGES, num_bases), generator=source)
    places = torch.cat([torch.zeros(1, num_bases, dtype=torch.long), places])[:, which]
    is_truth = torch.nn.functional.one_hot(places, num_places).flatten(1).double()
    signed = is_truth / num - (1 - is_truth) / (num * drawn.shape[1])
    found = -((signed @ apart.sqrt()) * signed).sum(1)
    return found[0].item(), (found >= found[0]).double().mean().item()


def classified(c: Tensor, truth: Tensor, drawn: Tensor, bases: Tensor, seed: int) -> Told:
    """A classifier two-sample test (Lopez-Paz and Oquab 2017, arXiv:1610.06545): trained on one half of the
    bases, it says of one picture of each of the others whether the truth is more like a truth than half of
    its samples, an odd number, are; and the other way round.
    """
    which, num_bases = numbered(bases)
    order = randomness.permutation(num_bases, seed, FOLDS)
    half = torch.zeros(num_bases, dtype=torch.bool).index_fill_(0, order[: num_bases // 2], True)[which]
    both, truer = torch.cat([truth[:, None], drawn], 1), torch.zeros(len(c), dtype=torch.bool)
    for learnt in (half, ~half):
        likeness = answers(c[learnt], both[learnt], c[~learnt], both[~learnt])
        rank = ranks(likeness[:, :1], likeness[:, 1:, None], seed)[:, 0]
        truer[~learnt] = 2 * rank > drawn.shape[1]
    mixed = randomness.permutation(len(c), seed, CHOSEN)
    chosen = torch.empty(num_bases, dtype=torch.long).index_put_((which[mixed],), mixed)  # one of each base
    halves = [truer[chosen][half[chosen] == part] for part in (False, True)]
    p_value = min(stats.binomtest(int(told.sum()), len(told)).pvalue for told in halves)
    test = stats.binomtest(int(truer[chosen].sum()), num_bases)
    interval = test.proportion_ci(0.95)
    return Told(
        float(test.statistic), (float(interval.low), float(interval.high)), min(1.0, 2 * float(p_value))
    )


def answers(c: Tensor, both: Tensor, asked_c: Tensor, asked: Tensor) -> Tensor:
    """A regression, with a Gaussian kernel, on 1 for the first of each row of `both` (N, 1 + M, D) and -1 for
    the others, which count as much together; its answers for those asked, (N', 1 + M).
    """
    num_places = both.shape[1]
    x_scale, c_scale = (
        rows.std(0).clamp(min=1e-9) * rows.shape[1] ** 0.5 for rows in (both.flatten(0, 1), c)
    )
    x, y, new_x, new_y = (
        both.flatten(0, 1) / x_scale,
        c / c_scale,
        asked.flatten(0, 1) / x_scale,
        asked_c / c_scale,
    )
    known = squares(x, x) + repeated(squares(y, y), num_places)
    new = squares(new_x, x) + repeated(squares(new_y, y), num_places)
    width = known[::num_places, ::num_places].median()  # of distances, squared
    labels = -torch.ones(len(c), num_places, dtype=torch.float64)
    labels[:, 0] = 1
    noise = torch.full_like(labels, RIDGE * (num_places - 1))  # that much less does each of the others count
    noise[:, 0] = RIDGE
    kernel = (-known / (2 * width)).exp() + noise.flatten().diag()
    found = (-new / (2 * width)).exp() @ torch.linalg.solve(kernel, labels.flatten())
    return found.view(-1, num_places)


def squares(a: Tensor, b: Tensor) -> Tensor:
    """Squared distances (N, M) float64 of rows (N, D) from rows (M, D); products are in float32, in which
    they take a tenth of the time.
    """
    middle = b.mean(0)
    a, b = (a - middle).float(), (b - middle).float()
    lengths = a.square().sum(1, dtype=torch.float64)[:, None] + b.square().sum(1, dtype=torch.float64)
    return (lengths - 2 * (a @ b.T).double()).clamp(min=0)


def repeated(apart: Tensor, num: int) -> Tensor:
    """Of conditions (N, M), those of all their images, (N num, M num)."""
    return apart.repeat_interleave(num, 0).repeat_interleave(num, 1)


def numbered(bases: Tensor) -> tuple[Tensor, int]:
    """Bases as 0, 1, ..., and how many there are."""
    which = bases.unique(return_inverse=True)[1]
    return which, int(which.max()) + 1
