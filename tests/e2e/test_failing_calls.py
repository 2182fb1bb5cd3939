"""`make aws` with every one of its calls failing once: nothing that it created is left, or it is named."""

import copy
import os
import signal
import sys
import time
from types import SimpleNamespace

import boto3
import botocore.session
import pytest
from botocore.exceptions import ReadTimeoutError
from test_acceptance import left

from acceptance import __main__ as make_aws
from acceptance import accounts as of_accounts
from acceptance import beliefs
from acceptance.accounts import Accounts
from acceptance.model import IMAGES, Source
from standins.owners import owned
from standins.principals import REGION

PROFILES = {"source_profile": "source-admin", "target_profile": "target-admin"}
BINARY = os.path.abspath(os.environ.get("PROMOTE_BIN", "target/debug/promote"))


class Calls:
    """Counts the calls of boto3, and loses the answer to one of them."""

    def __init__(self):
        self.count, self.fails = 0, None
        self.loader = botocore.session.get_session().get_component("data_loader")

    def session(self, **settings):
        """A session whose calls are counted."""
        botocore_session = botocore.session.get_session()
        # Reading the models of the services takes longer than all calls.
        botocore_session.register_component("data_loader", self.loader)
        session = boto3.session.Session(botocore_session=botocore_session, **settings)
        session.events.register("after-call", self.after)
        return session

    def after(self, **_):
        """The call has taken effect."""
        self.count += 1
        if self.count == self.fails:
            raise ReadTimeoutError(endpoint_url="the answer is lost")


@pytest.fixture
def calls(aws, monkeypatch):
    """The calls of the acceptance in this process, at the stand-ins."""
    calls = Calls()
    monkeypatch.setattr(of_accounts, "boto3", SimpleNamespace(Session=calls.session))
    before = {number: signal.getsignal(number) for number in make_aws.SIGNALS}
    with owned(aws.objects, aws.principals) as s3:
        for name, value in aws.environment(objects=s3).items():
            monkeypatch.setenv(name, value)
        yield calls
    for number, handler in before.items():
        signal.signal(number, handler)


def run(monkeypatch, *flags):
    """Runs it without the beliefs, and returns its exit code."""
    monkeypatch.setattr(beliefs, "BELIEFS", ())
    profiles = ["--source-profile", "source-admin", "--target-profile", "target-admin", "--region", REGION]
    monkeypatch.setattr(sys, "argv", ["acceptance", "--promote", BINARY, *profiles, *flags])
    return make_aws.main()


def counted(monkeypatch, calls, *flags):
    """Runs it without a failure, and returns how many calls precede the removal."""
    before = []
    with monkeypatch.context() as patch:
        remove = make_aws.removed
        patch.setattr(make_aws, "removed", lambda accounts: before.append(calls.count) or remove(accounts))
        calls.count, calls.fails = 0, None
        assert run(patch, *flags) == 0
    return before[0]


def accounts():
    """Both accounts, with names of their own."""
    return Accounts(SimpleNamespace(**PROFILES, region=REGION, remove=None))


def test_a_call_that_fails_before_or_after_a_promotion_leaves_nothing(aws, calls, monkeypatch, capsys):
    steps = make_aws.Promotion.steps
    monkeypatch.setattr(make_aws.Promotion, "steps", lambda self: steps(self)[1:4])
    count = counted(monkeypatch, calls)
    assert count > 15
    # The first two calls ask who is who, before anything is created.
    for fails in range(3, count + 1):
        calls.count, calls.fails = 0, fails
        assert run(monkeypatch) == 1, fails
        assert "FAILED  " in capsys.readouterr().out and left(aws) == [], fails


def test_a_run_of_promote_that_fails_at_any_step_leaves_nothing(aws, calls, monkeypatch, tmp_path, capsys):
    wrapper = tmp_path / "promote"
    for fails in range(1, 9):
        (tmp_path / "runs").write_text("")
        # It fails after it has done its work, as a run does whose last write fails.
        wrapper.write_text(
            f'#!/bin/sh\necho >> {tmp_path}/runs\n"{BINARY}" "$@" || exit\n[ "$(wc -l < {tmp_path}/runs)" -ne {fails} ]\n'
        )
        wrapper.chmod(0o755)
        assert run(monkeypatch, "--promote", str(wrapper)) == 1, fails
        assert "FAILED  `promote" in capsys.readouterr().out and left(aws) == [], fails


def test_a_call_that_fails_while_the_stack_is_tried_leaves_nothing(aws, calls, monkeypatch):
    monkeypatch.setattr(make_aws.Promotion, "steps", lambda _: ())
    # moto deploys a stack at once.
    monkeypatch.setattr(time, "sleep", lambda _: None)
    image = f"{accounts().target.account}.dkr.ecr.{REGION}.amazonaws.com/promote:1"
    for fails in range(3, counted(monkeypatch, calls, "--stack-image", image) + 1):
        calls.count, calls.fails = 0, fails
        assert run(monkeypatch, "--stack-image", image) == 1, fails
        assert left(aws) == [], fails


def test_a_call_of_a_belief_that_fails_ends_no_run_and_leaves_nothing(aws, calls):
    both = accounts()
    tried = beliefs.Tried(both, Source.create(both, IMAGES[REGION]))
    failed = 0
    for belief in beliefs.BELIEFS:
        fails, is_reached = 1, True
        while is_reached:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(beliefs, "BELIEFS", (belief,))
                calls.count, calls.fails = 0, fails
                (found,) = beliefs.beliefs(copy.copy(tried))
            assert found.verdict != "refuted", (found, fails)
            is_reached = calls.count >= fails
            fails, failed = fails + 1, failed + is_reached
    calls.fails = None
    assert failed > 40 and both.remove() == [] and left(aws) == []


def test_a_call_of_the_removal_that_fails_is_named_and_the_next_removal_ends_it(aws, calls):
    fails, named = 1, 0
    while True:
        both = accounts()
        calls.fails = None
        Source.create(both, IMAGES[REGION])
        both.target.registry.create_model_package_group(ModelPackageGroupName=both.target_group)
        calls.count, calls.fails = 0, fails
        remains = both.remove()
        if calls.count < fails:
            break
        named += len(remains)
        assert all(any(name in line for line in remains) for name in left(aws)), (fails, remains)
        calls.fails = None
        assert both.remove() == [] and left(aws) == [], fails
        fails += 1
    assert named > 10
