"""Each loss against values worked out by hand, and the properties its paper states.

sp(0) = log 2, sp(log 3) = log 4, sp(-log 3) = log 4/3, sp(log 7) = log 8, sp(-log 7) = log 8/7.
"""

from math import log

import pytest
import torch

from pipeline.methods.losses import ADVERSARIAL_LOSSES

LOG_3, LOG_7 = log(3), log(7)

every_loss = pytest.mark.parametrize("loss", ADVERSARIAL_LOSSES.values(), ids=ADVERSARIAL_LOSSES)


def slope(loss, logits, real_logits=0.0):
    """The derivative of a generator's loss, without its mean, at each logit of a fake."""
    logits = torch.as_tensor(logits, dtype=torch.float64).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(torch.full_like(logits, real_logits), logits), logits)
    return gradient * len(logits)


@pytest.mark.parametrize(
    ("name", "real_logits", "fake_logits", "expected"),
    [
        ("saturating", [0, LOG_3], [LOG_3, LOG_7], log(8 / 3) / 2 + log(32) / 2),
        ("nonsaturating", [0, LOG_3], [LOG_3, LOG_7], log(8 / 3) / 2 + log(32) / 2),
        ("least_squares", [3, 1], [2, -1], (4 + 0) / 2 + (4 + 1) / 2),
        ("hinge", [3, -1], [-3, 0.5], (0 + 2) / 2 + (0 + 1.5) / 2),
        ("wasserstein", [3, -1], [-3, 0.5], -1.25 - 1),
        ("relativistic", [LOG_3, 1], [0, 1 + LOG_7], (log(4 / 3) + log(8)) / 2),
    ],
)
def test_the_discriminators_loss_has_the_value_worked_out_by_hand(name, real_logits, fake_logits, expected):
    loss = ADVERSARIAL_LOSSES[name].discriminator
    found = loss(*torch.tensor([real_logits, fake_logits], dtype=torch.float32))
    assert found.shape == ()
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "real_logits", "fake_logits", "expected"),
    [
        ("saturating", [5, 5], [LOG_3, LOG_7], -log(32) / 2),
        ("nonsaturating", [5, 5], [LOG_3, LOG_7], log(32 / 21) / 2),
        ("least_squares", [5, 5], [2, -1], (1 + 4) / 2),
        ("hinge", [5, 5], [-3, 0.5], (3 - 0.5) / 2),
        ("wasserstein", [5, 5], [-3, 0.5], (3 - 0.5) / 2),
        ("relativistic", [LOG_3, 1], [0, 1 + LOG_7], (log(4) + log(8 / 7)) / 2),
    ],
)
def test_the_generators_loss_has_the_value_worked_out_by_hand(name, real_logits, fake_logits, expected):
    loss = ADVERSARIAL_LOSSES[name].generator
    found = loss(*torch.tensor([real_logits, fake_logits], dtype=torch.float32))
    assert found.shape == ()
    assert found.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_only_in_a_paired_loss_real_logits_count_for_the_generator(name):
    loss = ADVERSARIAL_LOSSES[name]
    real_logits = torch.tensor([0.5, -2.0], requires_grad=True)
    found = loss.generator(real_logits, torch.tensor([0.1, 0.2], requires_grad=True))
    (by_real,) = torch.autograd.grad(found, real_logits, allow_unused=True)
    assert (by_real is not None) is loss.paired
    assert loss.paired is (name == "relativistic")


def test_real_and_fake_may_differ_in_number():
    loss = ADVERSARIAL_LOSSES["nonsaturating"].discriminator
    found = loss(torch.tensor([LOG_3]), torch.tensor([0.0, LOG_3, LOG_7]))
    assert found.item() == pytest.approx(log(4 / 3) + log(64) / 3, rel=1e-6)


@every_loss
def test_the_discriminator_raises_real_logits_and_lowers_fake_ones(loss):
    real_logits = torch.tensor([-2.0, 0.0, 0.5], requires_grad=True)
    fake_logits = torch.tensor([2.0, 0.5, 0.1], requires_grad=True)
    found = loss.discriminator(real_logits, fake_logits)
    by_real, by_fake = torch.autograd.grad(found, (real_logits, fake_logits))
    assert (by_real < 0).all()
    assert (by_fake > 0).all()


@every_loss
def test_the_generator_raises_the_logits_of_its_images(loss):
    assert (slope(loss.generator, [-5.0, -1.0, 0.0, 0.5]) < 0).all()


@pytest.mark.parametrize("name", ["saturating", "nonsaturating", "hinge", "wasserstein", "relativistic"])
def test_the_generator_raises_logits_however_high_they_are(name):
    assert (slope(ADVERSARIAL_LOSSES[name].generator, [1.0, 5.0, 20.0]) < 0).all()


def test_the_least_squares_generator_lowers_logits_above_one():
    assert slope(ADVERSARIAL_LOSSES["least_squares"].generator, [0.0, 1.0, 3.0]).tolist() == [-2, 0, 4]


def test_the_saturating_slope_is_minus_the_sigmoid():
    logits = torch.linspace(-30, 30, 101, dtype=torch.float64)
    found = slope(ADVERSARIAL_LOSSES["saturating"].generator, logits)
    assert found.tolist() == pytest.approx((-1 / (1 + torch.exp(-logits))).tolist(), abs=1e-6)


def test_the_nonsaturating_slope_is_the_sigmoid_minus_one():
    logits = torch.linspace(-30, 30, 101, dtype=torch.float64)
    found = slope(ADVERSARIAL_LOSSES["nonsaturating"].generator, logits)
    assert found.tolist() == pytest.approx((-1 / (1 + torch.exp(logits))).tolist(), abs=1e-6)


def test_losses_and_slopes_are_finite_at_any_logit():
    high, low = torch.tensor([1000.0]), torch.tensor([-1000.0])
    for name in ("saturating", "nonsaturating"):
        discriminator = ADVERSARIAL_LOSSES[name].discriminator
        assert discriminator(high, low).item() == 0
        assert discriminator(low, high).item() == 2000
    saturating = ADVERSARIAL_LOSSES["saturating"].generator
    nonsaturating = ADVERSARIAL_LOSSES["nonsaturating"].generator
    assert [saturating(high, x).item() for x in (high, low)] == [-1000, 0]
    assert [nonsaturating(high, x).item() for x in (high, low)] == [0, 1000]
    relativistic = ADVERSARIAL_LOSSES["relativistic"]
    assert [relativistic.discriminator(*pair).item() for pair in ((high, low), (low, high))] == [0, 2000]
    assert [relativistic.generator(*pair).item() for pair in ((high, low), (low, high))] == [2000, 0]
    assert slope(saturating, [1000.0, -1000.0]).tolist() == [-1, 0]
    assert slope(nonsaturating, [1000.0, -1000.0]).tolist() == [0, -1]


def test_hinge_leaves_alone_what_is_beyond_the_margin():
    real_logits = torch.tensor([0.5, 1.5], requires_grad=True)
    fake_logits = torch.tensor([-1.5, -0.5], requires_grad=True)
    loss = ADVERSARIAL_LOSSES["hinge"].discriminator(real_logits, fake_logits)
    gradients = torch.autograd.grad(loss, (real_logits, fake_logits))
    assert [gradient.tolist() for gradient in gradients] == [[-0.5, 0], [0, 0.5]]


def test_the_relativistic_players_minimise_the_same_with_the_parts_exchanged():
    loss = ADVERSARIAL_LOSSES["relativistic"]
    real_logits, fake_logits = torch.randn(2, 9, generator=torch.Generator().manual_seed(0)).double()
    first = loss.discriminator(real_logits, fake_logits)
    assert first.item() == loss.generator(fake_logits, real_logits).item()
    assert first.item() != loss.generator(real_logits, fake_logits).item()


def test_relativistic_logits_count_by_their_differences_alone():
    loss = ADVERSARIAL_LOSSES["relativistic"]
    real_logits, fake_logits = torch.randn(2, 9, generator=torch.Generator().manual_seed(0)).double()
    for loss_of in (loss.discriminator, loss.generator):
        moved = loss_of(real_logits + 3, fake_logits + 3)
        assert moved.item() == pytest.approx(loss_of(real_logits, fake_logits).item(), abs=1e-12)


def test_the_relativistic_slopes_are_sigmoids_of_the_difference_and_oppose():
    loss = ADVERSARIAL_LOSSES["relativistic"]
    apart = torch.linspace(-20, 20, 41, dtype=torch.float64)  # D(G) - D(x)
    expected = 1 / (1 + torch.exp(-apart))
    for_d = slope(loss.discriminator, apart)
    assert for_d.tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert slope(loss.generator, apart).tolist() == pytest.approx((expected - 1).tolist(), abs=1e-6)


def test_the_critics_slopes_are_the_same_at_every_logit():
    loss = ADVERSARIAL_LOSSES["wasserstein"]
    assert slope(loss.discriminator, [-9.0, 0.0, 9.0]).tolist() == [1, 1, 1]
    assert slope(loss.generator, [-9.0, 0.0, 9.0]).tolist() == [-1, -1, -1]
