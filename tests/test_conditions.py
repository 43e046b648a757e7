"""What a conditional model is told."""

import pytest
import torch

from pipeline.networks import NETWORKS, num_inputs
from pipeline.runtime.errors import InputError
from pipeline.tasks.conditions import TASKS, UNCONDITIONAL, find

torch.set_num_threads(1)
LABELS = torch.tensor([3, 0, 9])


def test_a_digit_is_told_as_a_one_at_its_place():
    c = find("digit").encode(LABELS)
    expected = torch.zeros(3, 10)
    expected[0, 3] = expected[1, 0] = expected[2, 9] = 1
    assert torch.equal(c, expected)
    assert c.dtype == torch.float32


def test_no_condition_has_width_zero_and_a_row_an_image():
    c = UNCONDITIONAL.encode(LABELS)
    assert c.shape == (3, 0)
    assert c.dtype == torch.float32


@pytest.mark.parametrize("condition", [UNCONDITIONAL, *TASKS.values()], ids=lambda condition: condition.task)
def test_a_condition_is_as_wide_as_it_says_and_found_by_its_name(condition):
    assert condition.encode(LABELS).shape == (3, condition.width)
    assert find(condition.task) is condition


def test_an_unknown_task_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"^task 'digits': unknown; allowed are digit$"):
        find("digits")


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_a_generator_of_one_code_answers_each_digit_differently_if_it_is_told_which(network):
    for condition, num_answers in ((UNCONDITIONAL, 1), (TASKS["digit"], 3)):
        torch.manual_seed(0)
        generator = network.Generator(4, condition.width, 2, (1, 8, 8)).eval()
        x = generator(torch.ones(3, num_inputs(generator)), condition.encode(LABELS))
        assert len(x.unique(dim=0)) == num_answers
