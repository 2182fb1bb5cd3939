"""What promote and its stack expect of AWS's access control."""

import json
import time

from botocore.exceptions import ClientError

from acceptance.answers import described, seconds_until
from acceptance.model import document

# For how many seconds a new policy may have no effect yet.
GRANTED = 60


def role_trust(tried):
    """CodePipeline assumes a role whose trust policy demands its ARN and its account with IfExists."""
    if tried.stack is None:
        return None, "needs --stack-image"
    if tried.stack.status == "Succeeded":
        return True, "the pipeline's first run: Succeeded"
    failure = tried.stack.failure or "the stack was not deployed"
    return (False if "assume" in failure.lower() else None), failure


def created_by(tried):
    """CreatedBy.IamIdentity.Arn of a version is the principal that registered it."""
    registry, caller = tried.accounts.source.registry, tried.accounts.source.caller["Arn"]
    creator = described(registry, tried.source.version_arn).get("CreatedBy", {})
    found = creator.get("IamIdentity", {}).get("Arn")
    # The third part of the ARN of an assumed role is the session.
    same = found is not None and found.split("/")[:2] == caller.split("/")[:2]
    return same, found or f"CreatedBy is {json.dumps(creator)}"


def explicit_denial(tried):
    """A denial names the permission, the resource and the policy that denies it explicitly."""
    s3, where = tried.accounts.target.s3, {"Bucket": tried.accounts.target_bucket, "Key": "belief/denied"}
    s3.put_object(**where, Body=b"1")
    resource = f"arn:{tried.accounts.target.partition}:s3:::{where['Bucket']}/{where['Key']}"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    s3.put_bucket_policy(Bucket=where["Bucket"], Policy=document([deny]))
    said = []
    seconds_until(time.monotonic(), lambda: said.append(denial(s3.get_object, **where)) or said[-1], GRANTED)
    return says(said[-1], "s3:GetObject", resource, "with an explicit deny in a resource-based policy"), said[-1]


def implicit_denial(tried):
    """A denial names the permission, the resource and the kind of policy that does not allow it."""
    if not tried.accounts.are_two:
        return None, "needs two accounts"
    where = {"Bucket": tried.accounts.source_bucket, "Key": "model.tar.gz"}
    resource = f"arn:{tried.accounts.source.partition}:s3:::{where['Bucket']}/{where['Key']}"
    said = denial(tried.accounts.target.s3.get_object_tagging, **where)
    if said is None:
        return False, "the call succeeded"
    return says(said, "s3:GetObjectTagging", resource, "policy allows the s3:GetObjectTagging action"), said


def bucket_owner(tried):
    """A request that expects another owner of the bucket is denied."""
    where = {"Bucket": tried.accounts.target_bucket}
    tried.accounts.target.s3.list_objects_v2(**where, ExpectedBucketOwner=tried.accounts.target.account)
    said = denial(tried.accounts.target.s3.list_objects_v2, **where, ExpectedBucketOwner="000000000000")
    return said is not None, said or "the call succeeded"


def denial(call, **members):
    """AWS's message if it denies a call; nothing if the call succeeds."""
    try:
        call(**members)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return str(error)
    return None


def says(said, action, resource, policy):
    """Whether a message names the three, as promote reads it."""
    return all(words in said for words in (f"not authorized to perform: {action} on resource: ", resource, policy))
