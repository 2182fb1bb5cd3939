"""Writes src/plan/aws_registries.txt, the accounts whose container images AWS provides.

Source: the image configuration of the SageMaker Python SDK 2. Download the package with
`pip download --no-deps 'sagemaker<3'`, and give this script the file.
"""

import re
import sys
import zipfile
from pathlib import Path

ACCOUNT = re.compile(r'"(\d{12})"')
PER_LINE = 8


def main():
    accounts = set()
    with zipfile.ZipFile(sys.argv[1]) as package:
        for name in package.namelist():
            if "/image_uri_config/" in name and name.endswith(".json"):
                accounts.update(ACCOUNT.findall(package.read(name).decode()))
    listed = sorted(accounts)
    lines = [" ".join(listed[start : start + PER_LINE]) for start in range(0, len(listed), PER_LINE)]
    out = Path(__file__).parent.parent / "src/plan/aws_registries.txt"
    out.write_text("\n".join(lines) + "\n")
    print(f"{out.name}: {len(listed)} accounts from {Path(sys.argv[1]).name}", file=sys.stderr)


if __name__ == "__main__":
    main()
