"""What a caption means to the networks that take one as their condition."""

import pytest
import torch
import torch.nn.functional as F
from helpers.networks import LENGTH, NUM_WORDS, Z, conditions, discriminator_of, generator_of, images
from torch import Tensor

from pipeline.networks import caption
from pipeline.networks.layers import flatten_nhwc
from pipeline.runtime.errors import InputError


@pytest.fixture(autouse=True)
def _same_weights_each_time() -> None:
    torch.manual_seed(0)


def brute_force_meaning(encoder: caption.TextEncoder, words: list[int]) -> Tensor:
    """The mean over the words of each word's vector and what its neighbours add to it."""
    vectors = [encoder.embedding.weight[word] for word in words]
    nothing = torch.zeros(caption.NUM_MEANINGS)
    kernel, bias = encoder.neighbours.weight, encoder.neighbours.bias
    found = []
    for i, vector in enumerate(vectors):
        left = vectors[i - 1] if i else nothing
        right = vectors[i + 1] if i + 1 < len(vectors) else nothing
        mixed = kernel[:, :, 0] @ left + kernel[:, :, 1] @ vector + kernel[:, :, 2] @ right + bias
        found.append(vector + torch.where(mixed > 0, mixed, 0.2 * mixed))
    return torch.stack(found).mean(0)


@pytest.mark.parametrize("words", [[3], [2, 5], [4, 4, 8, 1], [1, 2, 3, 4, 5, 6]])
def test_the_meaning_of_a_caption_by_hand(words: list[int]) -> None:
    encoder = caption.TextEncoder(NUM_WORDS)
    row = torch.tensor([words + [0] * (LENGTH - len(words))])
    torch.testing.assert_close(encoder(row)[0], brute_force_meaning(encoder, words), rtol=1e-4, atol=1e-5)


def test_padding_does_not_change_the_meaning() -> None:
    encoder = caption.TextEncoder(NUM_WORDS)
    words = torch.tensor([[2, 7, 3], [4, 4, 1], [8, 0, 0]])
    meaning = encoder(words)
    for num in (1, 3, 9):
        torch.testing.assert_close(encoder(F.pad(words, (0, num))), meaning, rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        encoder.embedding.weight[0] = 1e3  # the vector of no word
    torch.testing.assert_close(encoder(F.pad(words, (0, 3))), meaning, rtol=1e-5, atol=1e-6)


def test_a_caption_of_no_words_means_nothing() -> None:
    assert not caption.TextEncoder(NUM_WORDS)(torch.zeros(2, LENGTH).long()).any()


def test_the_order_of_a_captions_words_matters() -> None:
    encoder = caption.TextEncoder(NUM_WORDS)
    one, other = encoder(torch.tensor([[2, 7, 3, 0], [7, 2, 3, 0]]))
    assert (one - other).abs().max() > 0.01
    generator = generator_of("caption")
    z = torch.randn(1, Z)
    x, y = (generator(z, torch.tensor([row])) for row in ([2, 7, 3, 0], [7, 2, 3, 0]))
    assert (x - y).abs().max() > 1e-4


@pytest.mark.parametrize("patch_size", [1, 4, 10])
def test_a_patch_size_is_refused_for_captions(patch_size: int) -> None:
    expected = f"^patch_size = {patch_size}: captions are of whole images; allowed is 0$"
    with pytest.raises(InputError, match=expected):
        discriminator_of("caption", patch_size=patch_size)


def test_a_discriminator_of_captioned_images_made_without_conditions_has_no_encoder() -> None:
    modules = discriminator_of("caption", 0).modules()
    assert not any(isinstance(module, caption.TextEncoder) for module in modules)


def test_the_caption_enters_the_logit_by_projection_alone() -> None:
    discriminator = discriminator_of("caption")
    x, c = images(), conditions("caption")
    f = flatten_nhwc(discriminator.layers(x))
    head, meaning = discriminator.head, discriminator.text(c)
    expected = f @ head.linear.weight[0] + head.linear.bias
    expected = expected + torch.einsum("nk,kd,nd->n", meaning, head.project.weight, f)
    torch.testing.assert_close(discriminator(x, c), expected, rtol=1e-4, atol=1e-4)


def test_numbers_of_words_may_come_as_floats() -> None:
    """As a blank condition does."""
    generator = generator_of("caption")
    z, c = torch.randn(5, Z), conditions("caption")
    assert torch.equal(generator(z, c.float()), generator(z, c))
