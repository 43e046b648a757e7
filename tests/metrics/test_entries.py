"""Metrics as files hold them: values by name, and beside them from how many images, and the noise floors."""

import math

from pipeline.metrics import entries

FOUND = entries.entries({"fid": 1.5, "kid": 0.5}, 4, 3) | entries.entries({"memorisation": 0.9}, 2, 1)


def test_a_metrics_file_holds_the_values_alone() -> None:
    assert entries.values(FOUND) == {"fid": 1.5, "kid": 0.5, "memorisation": 0.9}


def test_a_value_that_is_no_number_is_left_out() -> None:
    found = entries.entries({"fid": math.nan, "class_kl": math.inf, "kid": 0.0}, 4, 3)
    assert entries.values(found) == {"kid": 0.0}


def test_beside_it_stand_both_numbers_of_images_and_the_floors_of_metrics_that_have_one() -> None:
    assert entries.details(FOUND, {"kid": 0.25, "fid": 0.1, "recall": 0.7}) == {
        "counts": {"fid": [4, 3], "kid": [4, 3], "memorisation": [2, 1]},
        "floors": {"fid": 0.1, "kid": 0.25},
    }
