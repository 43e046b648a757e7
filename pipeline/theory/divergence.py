"""The value of the game, and the divergence that it is at the best discriminator.

V(D) = E_p log sigmoid(D) + E_q log(1 - sigmoid(D)) is largest at D* = log p - log q, where sigmoid(D*) =
p / (p + q), and is then 2 JSD(p, q) - log 4 (Goodfellow et al. 2014, arXiv:1406.2661, theorem 1). Any other D
gives less, so that its value is a lower bound. All integrals are over densities that are known.
"""

import math
from collections.abc import Callable

import numpy as np

from pipeline.theory.normals import Normals

LOG_4 = math.log(4)
NUM_POINTS = 20_001  # of the trapezoidal rule
NUM_PANELS, NUM_NODES = 200, 12  # of Gauss and Legendre's rule

Function = Callable[[np.ndarray], np.ndarray]


def support(p: Normals, q: Normals) -> tuple[float, float]:
    """The ends of the range that holds both densities."""
    (low, high), (other_low, other_high) = p.support(), q.support()
    return min(low, other_low), max(high, other_high)


def trapezoidal(f: Function, low: float, high: float) -> float:
    """The integral of a smooth f that is 0 at both ends, by its values at evenly spread points."""
    x = np.linspace(low, high, NUM_POINTS)
    return float(np.trapezoid(f(x), x))


def gauss_legendre(f: Function, low: float, high: float) -> float:
    """The same by another rule, panel by panel: no point and no weight in common with the first."""
    nodes, weights = np.polynomial.legendre.leggauss(NUM_NODES)
    edges = np.linspace(low, high, NUM_PANELS + 1)
    centres, half = (edges[1:] + edges[:-1]) / 2, (high - low) / NUM_PANELS / 2
    return float((f(centres[:, None] + half * nodes) * weights).sum() * half)


def optimal_logits(p: Normals, q: Normals) -> Function:
    """D* = log p - log q."""
    return lambda x: p.log_density(x) - q.log_density(x)


def value(p: Normals, q: Normals, logits: Function) -> float:
    """V(D) = -E_p sp(-D) - E_q sp(D), by the trapezoidal rule."""

    def integrand(x: np.ndarray) -> np.ndarray:
        D = logits(x)
        return -np.exp(p.log_density(x)) * softplus(-D) - np.exp(q.log_density(x)) * softplus(D)

    return trapezoidal(integrand, *support(p, q))


def jensen_shannon(p: Normals, q: Normals) -> float:
    """JSD = KL(p, m) / 2 + KL(q, m) / 2, m = (p + q) / 2, in nats, 0 to log 2; by Gauss and Legendre."""

    def integrand(x: np.ndarray) -> np.ndarray:
        log_p, log_q = p.log_density(x), q.log_density(x)
        log_m = np.logaddexp(log_p, log_q) - math.log(2)
        return (np.exp(log_p) * (log_p - log_m) + np.exp(log_q) * (log_q - log_m)) / 2

    return gauss_legendre(integrand, *support(p, q))


def deviation(p: Normals, q: Normals, logits: Function) -> dict[str, float]:
    """|sigmoid(D) - sigmoid(D*)|: its mean over (p + q) / 2, and its largest but for 0.1 % at each end."""
    x = np.linspace(*support(p, q), NUM_POINTS)
    m = (np.exp(p.log_density(x)) + np.exp(q.log_density(x))) / 2
    apart = np.abs(sigmoid(logits(x)) - sigmoid(optimal_logits(p, q)(x)))
    below = np.cumsum(m) / m.sum()
    held = (below > 0.001) & (below < 0.999)
    return {"mean": float((m * apart).sum() / m.sum()), "largest": float(apart[held].max())}


def softplus(logits: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, logits)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.exp(-softplus(-logits))
