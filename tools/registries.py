"""Writes src/plan/aws_registries.json: where AWS provides container images, by repository and region.

Source: the image configuration that the SageMaker Python SDK carries in its package `sagemaker-core`. Download it with
`pip download --no-deps sagemaker-core`, and give this script the file.
"""

import json
import sys
import textwrap
import zipfile
from collections import defaultdict
from pathlib import Path

OUT = Path(__file__).parent.parent / "src/plan/aws_registries.json"


def main():
    package = Path(sys.argv[1])
    accounts = accounts_by_repository(package)
    alike = defaultdict(list)
    for repository, regions in sorted(accounts.items()):
        alike[json.dumps(regions, sort_keys=True)].append(repository)
    name, version = package.name.split("-")[:2]
    source = {"package": f"{name.replace('_', '-')} {version}", "date": date_of(package)}
    tables = ",\n".join(written(repositories, json.loads(regions)) for regions, repositories in alike.items())
    OUT.write_text(f'{json.dumps(source)[:-1]}, "tables": [\n{tables}\n]}}\n')
    pairs = {(region, account) for regions in accounts.values() for region, account in regions.items()}
    print(f"{OUT.name}: {len(accounts)} repositories, {len(pairs)} pairs of region and account", file=sys.stderr)


def accounts_by_repository(package):
    found = defaultdict(dict)
    with zipfile.ZipFile(package) as files:
        for name in files.namelist():
            if "/image_uri_config/" in name and name.endswith(".json"):
                for repository, region, account in entries(json.loads(files.read(name))):
                    if found[repository].setdefault(region, account) != account:
                        sys.exit(f"{repository} has two accounts in {region}")
    return found


def entries(value):
    """The repositories, regions and accounts of a configuration, at any depth."""
    if not isinstance(value, dict):
        return
    registries = value.get("registries")
    repository = value.get("repository")
    if isinstance(registries, dict) and isinstance(repository, str):
        for region, account in registries.items():
            yield repository, region, account
    for member in value.values():
        yield from entries(member)


def date_of(package):
    """The day on which the package was built."""
    with zipfile.ZipFile(package) as files:
        year, month, day = max(entry.date_time for entry in files.infolist())[:3]
    return f"{year}-{month:02}-{day:02}"


def written(repositories, accounts):
    """A table as lines of JSON."""
    members = {"repositories": repositories, "accounts": accounts}.items()
    return "{" + ",\n".join(wrapped(json.dumps({name: value})[1:-1]) for name, value in members) + "}"


def wrapped(text):
    return textwrap.fill(text, 120, break_on_hyphens=False, break_long_words=False)


if __name__ == "__main__":
    main()
