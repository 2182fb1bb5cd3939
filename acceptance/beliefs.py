"""What promote expects of AWS, each tried on AWS itself: confirmed, refuted, or not tested."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from acceptance import about_access, about_registry, about_storage
from acceptance.accounts import Accounts
from acceptance.answers import Late
from acceptance.model import Source

CONFIRMED, REFUTED, NOT_TESTED = "confirmed", "refuted", "not tested"
BELIEFS = (
    about_registry.spelling,
    about_registry.lower_case_names,
    about_registry.added_members,
    about_registry.absent_version,
    about_registry.taken_group_name,
    about_registry.client_token,
    about_registry.version_numbers,
    about_registry.new_version_lag,
    about_registry.update_lag,
    about_registry.merged_metadata,
    about_registry.group_policy,
    about_storage.conditional_put,
    about_storage.conditional_copy,
    about_storage.conditional_completion,
    about_storage.copied_checksum,
    about_storage.customer_key,
    about_access.created_by,
    about_access.explicit_denial,
    about_access.implicit_denial,
    about_access.bucket_owner,
    about_access.role_trust,
)


@dataclass
class Tried:
    """What the run has created, where beliefs are tried."""

    accounts: Accounts
    source: Source
    # The stack, if it was asked for.
    stack: Any = None


@dataclass
class Belief:
    """One expectation, what was seen, and whether they agree."""

    name: str
    what: str
    verdict: str
    seen: str


def beliefs(tried):
    """All beliefs, one after the other. What AWS does not allow here is not tested."""
    for belief in BELIEFS:
        name, what = belief.__name__.replace("_", "-"), belief.__doc__.rstrip(".")
        try:
            agrees, seen = belief(tried)
            verdict = NOT_TESTED if agrees is None else CONFIRMED if agrees else REFUTED
        except Late as error:
            verdict, seen = REFUTED, str(error)
        except (BotoCoreError, ClientError) as error:
            verdict, seen = NOT_TESTED, str(error)
        yield Belief(name, what, verdict, seen)
