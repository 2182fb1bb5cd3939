"""`promote full` against moto and SeaweedFS, both behind the proxy with its delay."""

from dataclasses import asdict

from bench.registry import inference
from bench.runs import timed, turns
from bench.trips import DELAY, seen
from bench.workloads import RATE_STUB
from standins.churn import register
from standins.principals import REGION, SOURCE_ACCOUNT, TARGET_BUCKET
from standins.proxy import counting

GROUP = "Bench"


def measure(bench, promotes, workload, count):
    """First and repeated promotions of one workload, by each promote in turns."""
    sagemaker = bench.aws.client("sagemaker", "source")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP, ModelPackageGroupDescription="Measured")
    register(sagemaker, {"InferenceSpecification": inference(workload.slug)}, "Approved", "Good enough", group=GROUP)
    taken = {ours.name: [] for ours in promotes}
    for index in range(count):
        for at in turns(range(len(promotes)), index):
            ours, group = promotes[at], f"Far-{at}-{index}"
            bench.target.renew()
            taken[ours.name].append([asdict(once(bench, ours, group)) for _ in range(2)])
    return [
        {"name": f"{name}, {which}", "runs": [pair[at] for pair in pairs]}
        for name, pairs in taken.items()
        for at, which in enumerate(("the first run", "the same run again"))
    ]


def once(bench, promote, group):
    """One promotion through two proxies."""
    aws = bench.aws
    with counting(aws.objects, DELAY) as (s3, s3_calls), counting(aws.registry, DELAY) as (registry, registry_calls):
        endpoints = {"AWS_ENDPOINT_URL_SAGEMAKER": registry, "AWS_ENDPOINT_URL_STS": registry}
        arn = f"arn:aws:sagemaker:{REGION}:{SOURCE_ACCOUNT}:model-package-group/{GROUP}"
        command = [str(promote.program), "full", "--group", arn, "--source-profile=source", "--target-profile=pipeline"]
        # With default parts: promote's flags for the stub, not those for SeaweedFS.
        command += ["--target-bucket", TARGET_BUCKET, "--target-group", group, *promote.flags[RATE_STUB]]
        run = timed(command, aws.environment(objects=s3) | endpoints, aws.folder)
        return seen(run.wall, [*s3_calls, *registry_calls])
