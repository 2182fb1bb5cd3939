"""`promote full` against moto and SeaweedFS behind the proxy: how many of its calls wait for another one."""

from bench.registry import inference
from bench.runs import timed
from bench.trips import DELAY, seen
from standins.churn import register
from standins.principals import REGION, SOURCE_ACCOUNT, TARGET_BUCKET
from standins.proxy import counting

GROUP = "Bench"


def measure(bench, promote, workload, number):
    """First and repeated promotions, with the delay and without."""
    sagemaker = bench.aws.client("sagemaker", "source")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP, ModelPackageGroupDescription="Measured")
    register(sagemaker, {"InferenceSpecification": inference(workload.slug)}, "Approved", "Good enough", group=GROUP)
    near, far = [], []
    for index in range(number):
        near.append(pair(bench, promote, f"Near-{index}", 0.0))
        far.append(pair(bench, promote, f"Far-{index}", DELAY))
    return {
        name: {
            "walls": [run[which].wall for run in far],
            "added": [late[which].wall - early[which].wall for early, late in zip(near, far, strict=True)],
            "chain": min(run[which].chain for run in far),
            "requests": near[0][which].requests,
        }
        for which, name in enumerate(("the first one", "the same again"))
    }


def pair(bench, promote, group, delay):
    """A promotion into a group that is not there yet, and the same once more."""
    bench.target.renew()
    return [once(bench, promote, group, delay) for _ in range(2)]


def once(bench, promote, group, delay):
    """One promotion through two proxies."""
    aws = bench.aws
    with counting(aws.objects, delay) as (s3, s3_calls), counting(aws.registry, delay) as (registry, registry_calls):
        endpoints = {"AWS_ENDPOINT_URL_SAGEMAKER": registry, "AWS_ENDPOINT_URL_STS": registry}
        arn = f"arn:aws:sagemaker:{REGION}:{SOURCE_ACCOUNT}:model-package-group/{GROUP}"
        command = [str(promote.program), "full", "--group", arn, "--source-profile=source", "--target-profile=pipeline"]
        command += ["--target-bucket", TARGET_BUCKET, "--target-group", group, "--copy-mode=server-side"]
        run = timed(command, aws.environment(objects=s3) | endpoints, aws.folder)
        return seen(run.wall, [*s3_calls, *registry_calls])
