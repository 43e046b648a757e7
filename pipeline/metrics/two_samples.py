"""Can truths be told from samples, when the condition is known? Two tests of pairs of a condition and an
image, (N, A) and (N, D): the truths (N, D), and M samples of each condition (N, M, D).

If samples are of the posterior, a truth may as well change places with any sample of its condition.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from scipy import special
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
PART = 64  # conditions, whose distances from all others are taken at once


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
    both = torch.cat([truth[:, None], drawn], 1)
    (images,), (truths,), (conditions,) = points(both.flatten(0, 1)), points(truth), points(c)
    unit, unit_c = squares(truths, truths).mean(), squares(conditions, conditions).mean()
    which, num_bases = numbered(bases)
    source = randomness.generator(seed, PLACES)
    places = torch.randint(num_places, (NUM_EXCHANGES, num_bases), generator=source)
    places = torch.cat([torch.zeros(1, num_bases, dtype=torch.long), places])[:, which]
    is_truth = torch.nn.functional.one_hot(places, num_places).double()  # (E, N, 1 + M)
    signed = is_truth / num - (1 - is_truth) / (num * drawn.shape[1])
    found = torch.zeros(len(signed), dtype=torch.float64)
    for i in range(0, num, PART):  # distances are symmetric: with later parts each counts twice
        part = slice(i * num_places, (i + PART) * num_places)
        apart = squares(images[part], images[part.start :]).div_(unit)
        add(apart, squares(conditions[i : i + PART], conditions[i:]).div_(unit_c))
        columns = signed[:, i:].clone()
        columns[:, PART:] *= 2
        found -= (signed[:, i : i + PART].flatten(1) @ apart.sqrt_() * columns.flatten(1)).sum(1)
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
    counts = [(int(told.sum()), len(told)) for told in (*halves, truer[chosen])]
    p_value = min(1.0, 2 * min(by_chance(*count) for count in counts[:2]))
    return Told(counts[2][0] / num_bases, interval(*counts[2]), p_value)


def by_chance(num_told: int, num: int) -> float:
    """The p-value of so many successes, or failures, of `num` with chance 1/2; exact, two-sided."""
    return min(1.0, 2 * float(special.bdtr(min(num_told, num - num_told), num, 0.5)))


def interval(num_told: int, num: int) -> tuple[float, float]:
    """The chance of a success, exact at 95 % (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404)."""
    low = special.betaincinv(num_told, num - num_told + 1, 0.025) if num_told else 0.0
    high = special.betaincinv(num_told + 1, num - num_told, 0.975) if num_told < num else 1.0
    return float(low), float(high)


def answers(c: Tensor, both: Tensor, asked_c: Tensor, asked: Tensor) -> Tensor:
    """A regression, with a Gaussian kernel, on 1 for the first of each row of `both` (N, 1 + M, D) and -1 for
    the others, which count as much together; its answers for those asked, (N', 1 + M).
    """
    num_places = both.shape[1]
    x_scale, c_scale = (
        rows.std(0).clamp(min=1e-9) * rows.shape[1] ** 0.5 for rows in (both.flatten(0, 1), c)
    )
    x, new_x = points(*(images.flatten(0, 1) / x_scale for images in (both, asked)))
    y, new_y = points(c / c_scale, asked_c / c_scale)
    known, new = add(squares(x, x), squares(y, y)), add(squares(new_x, x), squares(new_y, y))
    width = known[::num_places, ::num_places].median()  # of distances, squared
    labels = -torch.ones(len(c), num_places, dtype=torch.float64)
    labels[:, 0] = 1
    kernel = known.div_(-2 * width).exp_()
    noise = torch.full_like(labels, RIDGE * (num_places - 1))  # that much less does each of the others count
    noise[:, 0] = RIDGE
    kernel.diagonal().add_(noise.flatten())
    weights = torch.cholesky_solve(labels.flatten()[:, None], torch.linalg.cholesky(kernel))
    return (new.div_(-2 * width).exp_() @ weights).view(-1, num_places)


@dataclass(frozen=True)
class Points:
    """What distances are taken of: rows (N, D) float32, in which products take a tenth of the time, and their
    squared lengths, (N,) float64.
    """

    rows: Tensor
    lengths: Tensor

    def __getitem__(self, part: slice) -> "Points":
        return Points(self.rows[part], self.lengths[part])


def points(*sets: Tensor) -> list[Points]:
    """Sets of rows (N, D) float64, all about the mean of the first."""
    middle = sets[0].mean(0)
    moved = [(rows - middle).float() for rows in sets]
    return [Points(rows, rows.square().sum(1, dtype=torch.float64)) for rows in moved]


def squares(a: Points, b: Points) -> Tensor:
    """Squared distances (N, M) float64."""
    products = (a.rows @ b.rows.T).double()
    return products.mul_(-2).add_(a.lengths[:, None]).add_(b.lengths).clamp_(min=0)


def add(apart: Tensor, of_conditions: Tensor) -> Tensor:
    """Squared distances of images (N P, M P), with those of their conditions (N, M) added to them."""
    num, num_others = of_conditions.shape
    apart.view(num, -1, num_others, apart.shape[1] // num_others).add_(of_conditions[:, None, :, None])
    return apart


def numbered(bases: Tensor) -> tuple[Tensor, int]:
    """Bases as 0, 1, ..., and how many there are."""
    which = bases.unique(return_inverse=True)[1]
    return which, int(which.max()) + 1
