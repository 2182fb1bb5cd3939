"""A sample of `make races`, at a registry that shows everything late and does not know client tokens."""

import pytest

from races import LAG, kill, race, trials
from standins import cloud


@pytest.fixture(scope="module")
def late():
    """Stand-ins of its own."""
    with cloud(lag=LAG, tokens=False) as aws:
        yield aws


@pytest.mark.parametrize("kind", [race, kill])
def test_a_clean_run_leaves_one_whole_promotion_after_a(late, kind):
    assert [trial.text() for trial in trials(late, kind, range(1, 4), 3) if trial.wrong] == []
