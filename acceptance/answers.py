"""Calls AWS once, or until the response meets a condition."""

import time

from botocore.exceptions import ClientError

# For how long a new version may stay invisible or unfinished.
PATIENCE = 300


class Late(Exception):
    """What was waited for has not happened."""


def seconds_until(began, holds, patience=PATIENCE):
    """The seconds from `began` until something holds."""
    while not holds():
        if time.monotonic() - began > patience:
            raise Late(f"not within {patience} s")
        time.sleep(0.2)
    return time.monotonic() - began


def described(registry, arn):
    """A version."""
    return registry.describe_model_package(ModelPackageName=arn)


def describes(registry, arn):
    """Whether Describe shows the version, completed."""
    try:
        return described(registry, arn)["ModelPackageStatus"] == "Completed"
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise


def lists(registry, group, arn):
    """Whether List shows the version."""
    number = arn.rpartition("/")[2]
    listed = registry.list_model_packages(ModelPackageGroupName=group, ModelPackageType="Versioned")
    return any(one["ModelPackageArn"].rpartition("/")[2] == number for one in listed["ModelPackageSummaryList"])


def refusal(call, words, **members):
    """Whether AWS refuses a call with these words, and what it answers."""
    try:
        call(**members)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # A permission that is missing tells nothing.
        if code.startswith("AccessDenied") and words != code:
            raise
        return words in str(error) or words == code, str(error)
    return False, "the call succeeded"
