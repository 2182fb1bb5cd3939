"""`make aws`: promotes a small model in real AWS accounts, tells what AWS does, and removes everything it created."""

import argparse
import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from acceptance.accounts import Accounts, Refused
from acceptance.answers import Late
from acceptance.beliefs import REFUTED, Tried, beliefs
from acceptance.model import IMAGES, Source
from acceptance.promotion import Failed, Promotion
from acceptance.stack import Stack

FAILED, BELIEF_REFUTED = 1, 3
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
# Seconds for which AWS may still carry out a call of the promote that was interrupted too.
SETTLING = 2
FAILURES = Failed, Late, Refused, BotoCoreError, ClientError


def main():
    """Runs everything and removes it again, also after a failure or an interruption."""
    options, began = arguments(), time.monotonic()
    accounts = Accounts(options)
    say(f"Source account {accounts.source.account}, target account {accounts.target.account}, {accounts.region}.")
    if options.remove:
        ignore_signals()
        return FAILED if removed(accounts) else 0
    say(f"Everything is named {accounts.name}. If this run is killed: --remove {accounts.name}")
    found, failure = [], None
    for number in SIGNALS:
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        failure = accepted(accounts, options, found)
    except SystemExit:
        failure = "interrupted"
        say("FAILED  interrupted")
    except FAILURES as error:
        failure = failed(error)
    finally:
        ignore_signals()
        if failure == "interrupted":
            time.sleep(SETTLING)
        left = removed(accounts)
    refuted = [belief for belief in found if belief.verdict == REFUTED]
    if options.report:
        report = {"failure": failure, "left": left, "beliefs": [asdict(belief) for belief in found]}
        options.report.write_text(json.dumps(report, indent=1) + "\n")
    said = "failed" if failure or left else "passed"
    say(f"\n{said} in {time.monotonic() - began:.0f} s: {len(found)} beliefs about AWS, {len(refuted)} refuted")
    return FAILED if failure or left else BELIEF_REFUTED if refuted else 0


def accepted(accounts, options, found):
    """Creates the model, promotes it through its whole life, and adds what AWS did to `found`. Returns the failure of
    a step, if any: what AWS does is tried all the same, because it may be the cause."""
    source = Source.create(accounts, options.image or IMAGES.get(accounts.region))
    tried, failure = Tried(accounts, source), None
    if options.stack_image:
        tried.stack = Stack(accounts, source, options)
    try:
        for step in Promotion(accounts, source, options.promote).steps():
            began = time.monotonic()
            step()
            say(f"ok  {time.monotonic() - began:5.1f} s  {step.__doc__.rstrip('.')}")
        if tried.stack:
            tried.stack.run(say)
    except FAILURES as error:
        failure = failed(error)
    say("\nWhat AWS does, and what promote expects of it:")
    for belief in beliefs(tried):
        found.append(belief)
        say(f"{belief.verdict:>10}  {belief.what}: {belief.seen}")
    return failure


def failed(error):
    """Says what failed, and returns it."""
    say(f"FAILED  {error}")
    return str(error)


def ignore_signals():
    """A second signal must not leave half of it behind."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def removed(accounts):
    """Removes everything that was created, and returns what could not be removed."""
    say("\nRemoving everything.")
    left = accounts.remove()
    for what in left:
        say(f"LEFT    {what}")
    return left


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="make aws ARGS=…", description=__doc__)
    parser.add_argument("--source-profile", help="profile of the source account (default: the default credentials)")
    parser.add_argument("--target-profile", help="profile of the target account (default: the source's: one account)")
    parser.add_argument("--region", help="region (default: the source profile's)")
    parser.add_argument("--image", help="container image of the model (default: AWS's scikit-learn image)")
    parser.add_argument("--stack-image", help="image of promote in the target's ECR: also deploy and delete the stack")
    parser.add_argument("--report", type=Path, help="write what was found to this file, as JSON")
    parser.add_argument("--remove", metavar="NAME", help="only remove what a killed run has left")
    binary = os.environ.get("PROMOTE_BIN", "target/debug/promote")
    parser.add_argument("--promote", type=Path, default=Path(binary).resolve(), help="the binary")
    options = parser.parse_args()
    options.target_profile = options.target_profile or options.source_profile
    return options


def say(text):
    """One place that prints."""
    print(text, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as error:
        sys.exit(f"make aws: {error}")
