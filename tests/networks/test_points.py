"""Networks of several members side by side that share nothing."""

import pytest
import torch
from torch import nn

from pipeline.networks.points import Discriminator, Generator, by_member, in_turns

torch.set_num_threads(1)

NOTHING = torch.empty(0, 0)  # the condition where there is none


def test_rows_come_in_turns() -> None:
    of = torch.tensor([0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])[:, None]
    assert by_member(of, 3, 2).squeeze(2).tolist() == [[0] * 4, [1] * 4, [2] * 4]
    order = torch.arange(12)[:, None]
    assert torch.equal(in_turns(by_member(order, 3, 2), 2), order)


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_a_member_computes_what_a_network_of_its_own_would(network: str) -> None:
    torch.manual_seed(0)
    many: nn.Module = Generator(3, 2, 8, 1) if network == "generator" else Discriminator(3, 8, 1, False)
    one: nn.Module = Generator(1, 2, 8, 1) if network == "generator" else Discriminator(1, 8, 1, False)
    one.load_state_dict({name: tensor[1:2] for name, tensor in many.state_dict().items()})
    x = torch.randn(12, 2)
    assert torch.allclose(many(x, NOTHING)[1::3], one(x[1::3], NOTHING), atol=1e-6)


def test_with_minibatch_stddev_rows_count_by_their_difference_from_their_own_members() -> None:
    torch.manual_seed(0)
    D = Discriminator(2, 8, 1, True)
    x = torch.randn(16, 2)
    logits = D(x, NOTHING)
    moved = x.clone()
    moved[14] += 5  # the seventh row of the first member: of its second group of four
    changed = (D(moved, NOTHING) != logits).nonzero()[:, 0].tolist()
    assert changed == [8, 10, 12, 14]
