"""An even sample of a stream: bounded, each key once, independent of the order."""

import random

from functions.fraud.drift.sample import Sample


def test_few_are_all_kept_the_first_of_each_key() -> None:
    sample: Sample[int] = Sample(10)
    for value, key in enumerate(["a", "b", "a", "c"]):
        sample.add(key, value)
    assert list(sample) == [0, 1, 3]
    assert (len(sample), sample.seen) == (3, 3)


def test_many_leave_an_even_sample_whatever_the_order() -> None:
    keys = [f"t-{number}" for number in range(20_000)] * 2
    samples = []
    for seed in (1, 2):
        random.Random(seed).shuffle(keys)
        sample: Sample[str] = Sample(2_000)
        for key in keys:
            sample.add(key, key)
        samples.append(sample)
        assert len(sample) == 2_000
        assert 18_500 < sample.seen < 21_500, "an estimate of the 20,000 different ones"
    assert set(samples[0]) == set(samples[1])
    halves = sum(int(key[2:]) < 10_000 for key in samples[0])
    assert 850 < halves < 1_150
