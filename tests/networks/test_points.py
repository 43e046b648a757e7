"""Networks of several members side by side that share nothing."""

import pytest
import torch
from helpers.networks import untrained, untrained_discriminator
from torch import nn

from pipeline.networks.points import by_member, in_turns

NOTHING = torch.empty(0, 0)  # the condition where there is none


def test_rows_come_in_turns() -> None:
    of = torch.tensor([0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2])[:, None]
    assert by_member(of, 3, 2).squeeze(2).tolist() == [[0] * 4, [1] * 4, [2] * 4]
    order = torch.arange(12)[:, None]
    assert torch.equal(in_turns(by_member(order, 3, 2), 2), order)


def members_of(network: str, num_members: int) -> nn.Module:
    sizes = {"num_conditions": 0, "width": 8, "shape": (2,), "num_members": num_members}
    if network == "generator":
        return untrained("points", 2, **sizes)
    return untrained_discriminator("points", **sizes)


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_a_member_computes_what_a_network_of_its_own_would(network: str) -> None:
    torch.manual_seed(0)
    many, one = (members_of(network, num_members) for num_members in (3, 1))
    one.load_state_dict({name: tensor[1:2] for name, tensor in many.state_dict().items()})
    x = torch.randn(12, 2)
    assert torch.allclose(many(x, NOTHING)[1::3], one(x[1::3], NOTHING), atol=1e-6)


def test_with_minibatch_stddev_rows_count_by_their_difference_from_their_own_members() -> None:
    torch.manual_seed(0)
    D = untrained_discriminator("points", 0, 8, (2,), minibatch_stddev=True, num_members=2)
    x = torch.randn(12, 2)
    logits = D(x, NOTHING)
    moved = x.clone()
    moved[10] += 5  # the first member's sixth row: of its second group, filled up with its own first rows
    changed = (D(moved, NOTHING) != logits).nonzero()[:, 0].tolist()
    assert changed == [8, 10]
