import torch

from pipeline.kernels import joined


def test_maps_side_by_side_are_those_of_a_concatenation_of_the_firsts_type_channels_last():
    torch.manual_seed(0)
    h = torch.randn(2, 4, 3, 3).bfloat16().to(memory_format=torch.channels_last)
    other = torch.randn(2, 1, 3, 3)
    found = joined.side_by_side(h, other)
    assert torch.equal(found, torch.cat([h, other.bfloat16()], 1))
    assert found.stride(1) == 1


def test_gradients_of_maps_side_by_side_are_their_slices_in_memory_of_their_own():
    h, other = torch.randn(2, 4, 3, 3, requires_grad=True), torch.randn(2, 1, 3, 3, requires_grad=True)
    gradient = torch.randn(2, 5, 3, 3)
    found = torch.autograd.grad(joined.side_by_side(h, other), (h, other), gradient)
    assert torch.equal(torch.cat(found, 1), gradient)
    assert [each.stride() for each in found] == [(36, 1, 12, 4), (9, 1, 3, 1)]


def test_maps_are_repeated_one_after_the_other_channels_last():
    h = torch.arange(12.0).view(2, 3, 2, 1)
    assert torch.equal(joined.repeated(h, 2), h[[0, 0, 1, 1]])
    assert joined.repeated(h, 2).stride(1) == 1
    assert joined.repeated(h, 1) is h
