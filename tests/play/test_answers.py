"""Samples, their summaries, the way between two, and the truth."""

import copy

import pytest
import torch
from helpers import play

from pipeline.networks.flow import flow_of
from pipeline.play import answers, examples
from pipeline.play.asked import Asked
from pipeline.runtime.errors import InputError
from pipeline.sampling.draw import LATENTS, generate, latents


def sampler_and_condition(laboratory, method, name="sketch"):
    task = laboratory.task(name)
    return laboratory.model(method, task), task.test.conditions(torch.tensor([3]))


def test_samples_are_what_the_network_makes_of_the_latents_of_their_seed(laboratory):
    sampler, c = sampler_and_condition(laboratory, "cgan")
    drawn = answers.samples(sampler, c, 16, 5, None)
    assert torch.equal(drawn, generate(sampler, latents(sampler, 16, 5, LATENTS), c))
    assert not torch.equal(drawn, answers.samples(sampler, c, 16, 6, None))
    assert len(drawn.unique(dim=0)) == 16


def test_one_step_of_a_flow_has_one_answer_and_the_flow_is_left_as_it_was(laboratory):
    sampler, c = sampler_and_condition(laboratory, "flow")
    before = answers.samples(sampler, c, 16, 0, None)
    assert len(answers.samples(sampler, c, 16, 0, 1).unique(dim=0)) == 1
    assert len(answers.samples(sampler, c, 16, 0, 4).unique(dim=0)) == 16
    assert flow_of(sampler).num_steps == 3
    assert torch.equal(answers.samples(sampler, c, 16, 0, None), before)


def test_the_dial_is_of_eulers_steps_without_guidance(laboratory):
    sampler, c = sampler_and_condition(laboratory, "flow", "digit")
    guided, plain = copy.deepcopy(sampler), copy.deepcopy(sampler)
    flow_of(guided).guidance, flow_of(guided).solver, flow_of(plain).num_steps = 3.0, "heun", 2
    assert torch.equal(answers.samples(guided, c, 16, 0, 2), answers.samples(plain, c, 16, 0, None))
    assert not torch.equal(answers.samples(guided, c, 16, 0, None), answers.samples(sampler, c, 16, 0, None))


def test_only_a_flow_takes_steps(laboratory):
    with pytest.raises(InputError, match="only a flow takes steps"):
        answers.samples(*sampler_and_condition(laboratory, "cgan"), 16, 0, 4)


@pytest.mark.parametrize("method", ["cgan", "flow"])
def test_a_walk_goes_from_one_seeds_image_to_the_others(laboratory, method):
    sampler, c = sampler_and_condition(laboratory, method)
    frames = answers.walk(sampler, c, 1, 2, None).int()
    for frame, seed in ((frames[0], 1), (frames[-1], 2)):
        end = generate(sampler, latents(sampler, 1, seed, LATENTS), c)[0].int()
        assert (frame - end).abs().max() <= 1  # another batch rounds otherwise
    assert len(frames.unique(dim=0)) == answers.NUM_FRAMES
    back = answers.walk(sampler, c, 2, 1, None).int()
    assert (frames.flip(0) - back).abs().max() <= 1


def test_on_a_walk_the_noise_of_layers_stays_that_of_the_first_seed(tmp_path):
    found = play.laboratory(tmp_path)
    play.write_model(found, "cgan", "sketch", layer_noise=True)
    sampler, c = sampler_and_condition(found, "cgan")
    start, end = (latents(sampler, 1, seed, LATENTS) for seed in (1, 2))
    mixed = torch.cat([end[:, : sampler.num_latents], start[:, sampler.num_latents :]], 1)
    last = answers.walk(sampler, c, 1, 2, None)[-1].int()
    assert (last - generate(sampler, mixed, c)[0].int()).abs().max() <= 1
    assert (last - generate(sampler, end, c)[0].int()).abs().max() > 1


def test_regression_has_nowhere_to_walk(laboratory):
    with pytest.raises(InputError, match="no latents"):
        answers.walk(*sampler_and_condition(laboratory, "regression"), 1, 2, None)


def test_mean_and_deviation_are_those_worked_out_by_hand():
    images = torch.tensor([0, 51], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 1, 1)
    assert answers.mean(images).flatten().tolist() == [26, 26, 26]
    shown, rms = answers.deviation(images)  # 0.1 at every pixel, of 0.25 that is white
    assert shown.item() == 102
    assert rms == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["sketch", "tones"])
def test_of_a_known_case_all_six_answers_are_the_truth_and_each_hits_itself(laboratory, name):
    task = laboratory.task(name)
    number = int(examples.known(task)[1])
    known = answers.truth(Asked(condition=number), task)
    assert torch.equal(known.images, task.test.images(torch.arange(6) + number // 6 * 6)[0])
    assert answers.hits(known.images, known) == [0, 1, 2, 3, 4, 5]
    assert answers.hits(255 - known.images[:1] * 0, known) == [-1]


def test_elsewhere_the_truth_is_the_example_or_some_of_the_class_or_unknown(laboratory):
    sketch, digit = laboratory.task("sketch"), laboratory.task("digit")
    one = answers.truth(Asked(condition=20), sketch)
    assert torch.equal(one.images, sketch.test.images(torch.tensor([20]))[0])
    assert one.skin is None
    of_class = answers.truth(Asked(label=7), digit)
    assert torch.equal(of_class.images, digit.test.images(torch.tensor([7, 17, 27, 37]))[0])
    assert len(answers.truth(Asked(caption="drawing"), laboratory.task("text")).images) == 0
