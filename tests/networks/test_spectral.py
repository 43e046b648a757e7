"""Spectral normalisation: the largest singular value of a layer is 1; only training D moves the estimate."""

import pytest
import torch
import torch.nn.functional as F
from helpers.adversarial import TASKS, advance, batch, both_networks, start
from torch import nn

from pipeline.methods import adversarial
from pipeline.networks import spectral

DATA = TASKS["class"].train


def layers(network: nn.Module) -> dict[str, nn.Module]:
    return {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}


def estimates(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: buffer.clone() for name, buffer in network.named_buffers()}


@both_networks
def test_the_largest_singular_value_of_every_layer_stays_near_1_as_weights_move(network: str) -> None:
    """The estimate lags behind weights that move; it has caught up after some rounds in which they rest."""
    training = start(network=network, discriminator_norm="spectral", num_steps=5)
    D = training.discriminator
    before = {name: module.weight.detach().clone() for name, module in layers(D).items()}
    advance(training, DATA, 5)
    for _ in range(40):
        with spectral.iterating(D), torch.no_grad():
            D(*batch(training)[:2])
    assert before
    for name, module in layers(D).items():
        weight = module.weight.detach()
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.01), name
        assert not torch.equal(weight, before[name])


def test_every_convolution_and_linear_layer_is_normalised_and_has_one_weight_to_learn() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Linear(4, 5, bias=False))
    with torch.no_grad():
        network[2].weight.mul_(7)
    whole = network[2].weight.detach().clone()
    spectral.normalise(network)
    assert sum(name.endswith("original") for name, _ in network.named_parameters()) == 2
    expected = whole / torch.linalg.matrix_norm(whole, 2)
    assert torch.allclose(network[2].weight, expected, rtol=1e-2)


@both_networks
def test_a_step_of_d_makes_one_round_of_power_iteration_however_often_d_is_called(network: str) -> None:
    penalised = {"r1": 1.0, "r2": 1.0, "gradient_penalty": 1.0}
    training = start(network=network, discriminator_norm="spectral", **penalised)
    D = training.discriminator
    expected = {}
    for name, module in layers(D).items():
        parametrization = module.parametrizations.weight
        weight = parametrization.original.detach().flatten(1)
        u = F.normalize(weight @ parametrization[0]._v, dim=0)
        expected[name] = u, F.normalize(weight.T @ u, dim=0)
    adversarial.discriminator_step(training, *batch(training), 0)
    for name, module in layers(D).items():
        found = module.parametrizations.weight[0]
        for mine, theirs in zip(expected[name], (found._u, found._v), strict=True):
            assert torch.allclose(mine, theirs, atol=1e-5), name


@both_networks
@pytest.mark.parametrize("loss", ["hinge", "relativistic"])
def test_a_generator_step_changes_no_estimate(network: str, loss: str) -> None:
    training = start(network=network, discriminator_norm="spectral", loss=loss)
    training.step(DATA)
    before = estimates(training.discriminator)
    assert before
    adversarial.generator_step(training, *batch(training))
    after = estimates(training.discriminator)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_outside_of_training_d_looking_at_images_moves_nothing_even_after_an_error() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(50, 50))  # of three inputs the first estimate may be exact
    spectral.normalise(network)
    with pytest.raises(KeyError), spectral.iterating(network):
        raise KeyError
    before = estimates(network)
    network(torch.ones(1, 50))
    assert all(torch.equal(before[name], buffer) for name, buffer in estimates(network).items())
    with spectral.iterating(network):
        first, second = network[0].weight, network[0].weight
    assert first is second
    assert any(not torch.equal(before[name], buffer) for name, buffer in estimates(network).items())


def test_a_network_without_normalisation_may_be_iterated_too() -> None:
    network = nn.Linear(2, 2)
    before = network.weight.detach().clone()
    with spectral.iterating(network):
        assert torch.equal(network.weight, before)
