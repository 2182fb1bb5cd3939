"""Both accounts, running: where they answer, and clients for who acts in them."""

import os
import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from standins.churn import IMAGE, layers
from standins.ecr import Registries, ecr
from standins.objects import objects
from standins.principals import REGION, SOURCE_ACCOUNT, Principal, write_profiles
from standins.registry import create_principals, registry

LOCAL = Path(__file__).parent.parent / ".local"


@dataclass(frozen=True)
class Cloud:
    """The running stand-ins, and a folder that goes when they do."""

    folder: Path
    registry: str
    objects: str
    images: Registries
    principals: tuple[Principal, ...]
    variables: dict[str, str]

    def client(self, service, profile):
        """A boto3 client of a service for the principal of that name."""
        (principal,) = (p for p in self.principals if p.identity.name == profile)
        session = boto3.Session(principal.access_key, principal.secret_key, region_name=REGION)
        return session.client(service, endpoint_url=self.objects if service == "s3" else self.registry)

    def environment(self, objects=None):
        """The environment of a command that sees these two accounts and nothing else of AWS."""
        endpoints = {
            "AWS_ENDPOINT_URL_SAGEMAKER": self.registry,
            "AWS_ENDPOINT_URL_STS": self.registry,
            "AWS_ENDPOINT_URL_KMS": self.registry,
            "AWS_ENDPOINT_URL_CLOUDFORMATION": self.registry,
            "AWS_ENDPOINT_URL_CODEPIPELINE": self.registry,
            "AWS_ENDPOINT_URL_S3": objects or self.objects,
            "AWS_ENDPOINT_URL_ECR": self.images.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PROMOTE_"))}
        return kept | self.variables | endpoints


@contextmanager
def cloud(where=LOCAL, lag=0.0, tokens=True):
    """Starts both accounts; when the block ends, however it ends, no process, port or file is left.

    `where`: the folder that their own, with all objects in it, is made in. `lag`: for how many seconds the model
    registry does not show what is new; `tokens`: whether a client token creates one version only.
    """
    where.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="standins-", dir=where))
    # A SIGTERM becomes an exception, so that the clean-up below runs then as well.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with registry(folder, lag, tokens) as registry_url:
            principals = create_principals(registry_url)
            with objects(folder, principals) as objects_url, ecr(principals) as images:
                images.push(SOURCE_ACCOUNT, *IMAGE.rpartition("/")[2].split(":"), *layers())
                variables = write_profiles(folder, principals)
                yield Cloud(folder, registry_url, objects_url, images, tuple(principals), variables)
    finally:
        signal.signal(signal.SIGTERM, before)
        shutil.rmtree(folder, ignore_errors=True)
