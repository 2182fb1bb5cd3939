"""Two AWS accounts on this machine: moto answers for SageMaker, STS and IAM, SeaweedFS for S3, and
a small server for ECR.

`with cloud() as aws:` starts them on free ports of 127.0.0.1 and leaves nothing behind when the block ends.
"""

from standins.cloud import Cloud, cloud

__all__ = ["Cloud", "cloud"]
