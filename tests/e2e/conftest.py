"""Both accounts, started once for all tests, and a group of its own for each test."""

import itertools

import pytest

from stage import Stage
from standins import cloud
from standins.churn import GROUP, seed_churn

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def aws():
    """The running stand-ins."""
    with cloud() as running:
        yield running


@pytest.fixture(scope="session")
def churn(aws):
    """What the source account holds in the demo as well."""
    return seed_churn(aws)


@pytest.fixture
def churn_stage(aws, churn):
    """The demo's group, on its way into a target group that no other test uses."""
    return Stage(aws, GROUP, target_group=f"Churn-{next(numbers)}")


@pytest.fixture
def stage(aws):
    """A source group that no other test uses, still empty."""
    stage = Stage(aws, f"Group-{next(numbers)}")
    stage.source_registry.create_model_package_group(ModelPackageGroupName=stage.group)
    return stage
