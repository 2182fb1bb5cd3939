"""Who acts in the two accounts, with which keys, and what each may do in S3."""

from dataclasses import dataclass

REGION = "eu-west-1"
SOURCE_ACCOUNT = "444333666777"
TARGET_ACCOUNT = "111222333444"
SOURCE_BUCKETS = ("source-models", "source-metrics")
TARGET_BUCKET = "target-models"


@dataclass(frozen=True)
class Identity:
    """An IAM user, also a profile of that name: its account and its rights by bucket."""

    name: str
    account: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    # May do everything in S3, also create buckets.
    administers: bool = False


@dataclass(frozen=True)
class Principal:
    """An identity with the access key that moto gave it; SeaweedFS is told to know the same key."""

    identity: Identity
    access_key: str
    secret_key: str


IDENTITIES = (
    # Two sides that cannot see each other: bytes must stream through the process.
    Identity("source", SOURCE_ACCOUNT, reads=SOURCE_BUCKETS, writes=SOURCE_BUCKETS),
    Identity("target", TARGET_ACCOUNT, reads=(TARGET_BUCKET,), writes=(TARGET_BUCKET,)),
    # As a bucket policy of the source allows it: one principal that S3 lets copy on its own.
    Identity("pipeline", TARGET_ACCOUNT, reads=(*SOURCE_BUCKETS, TARGET_BUCKET), writes=(TARGET_BUCKET,)),
    Identity("source-admin", SOURCE_ACCOUNT, administers=True),
    Identity("target-admin", TARGET_ACCOUNT, administers=True),
)


def write_profiles(folder, principals):
    """Writes AWS's two files with a profile for each principal, and returns the variables that point to them."""
    config, credentials = folder / "config", folder / "credentials"
    config.write_text("".join(f"[profile {p.identity.name}]\nregion = {REGION}\n" for p in principals))
    credentials.write_text(
        "".join(
            f"[{p.identity.name}]\naws_access_key_id = {p.access_key}\naws_secret_access_key = {p.secret_key}\n"
            for p in principals
        )
    )
    return {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
