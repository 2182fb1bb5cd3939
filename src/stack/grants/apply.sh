#!/usr/bin/env bash
# Lets a pipeline of promote read models. `promote stack source-grants` wrote this file and the policies beside it.
#
# Run it with credentials of the account that it names below. It needs the AWS CLI version 2 and Python 3, and can be run
# again. Policies are merged: the statements of others stay, and those with the same Sid are replaced. The policies that
# were there are kept in the folder `before`.
set -euo pipefail
cd "$(dirname "$0")"
before=before/$(date +%Y%m%dT%H%M%S)-$$
mkdir -p "$before" merged
number=0

of_account() {
  local account
  account=$(aws sts get-caller-identity --query Account --output text)
  [ "$account" = "$1" ] || { echo "error: these credentials are for account $account, not for $1" >&2; exit 1; }
}

step() { printf '\n%s\n' "$1"; }

# merge FILE ABSENT COMMAND...: writes merged/FILE, which is the policy that COMMAND prints with the statements of FILE.
# ABSENT is the error that means that there is no policy. Any other error stops the script: nothing is replaced unread.
merge() {
  local file=$1 absent=$2 current
  shift 2
  number=$((number + 1))
  current=$before/$number-$file
  if ! "$@" > "$current" 2> "$before/error"; then
    if [ -z "$absent" ] || ! grep -q "$absent" "$before/error"; then
      cat "$before/error" >&2
      exit 1
    fi
    : > "$current"
  fi
  python3 - "$current" "$file" "merged/$file" <<'PYTHON'
import json
import sys

current, added, merged = sys.argv[1:]
text = open(current).read().strip()
policy = json.loads(text) if text not in ("", "None", "null") else {"Version": "2012-10-17"}
statements = policy.get("Statement", [])
statements = statements if isinstance(statements, list) else [statements]
new = json.load(open(added))["Statement"]
sids = {statement["Sid"] for statement in new}
policy["Statement"] = [statement for statement in statements if statement.get("Sid") not in sids] + new
with open(merged, "w") as file:
    json.dump(policy, file, indent=2)
PYTHON
}

# not_shared ARN: stops if the resource is in a resource share of AWS RAM, which writes the resource's policy itself.
not_shared() {
  local shares region
  region=$(cut -d: -f4 <<< "$1")
  if ! shares=$(aws ram list-resources --region "$region" --resource-owner SELF --resource-arns "$1" \
    --query 'resources[].resourceShareArn' --output text 2> "$before/error"); then
    echo "warning: resource shares could not be listed, so it is unknown whether $1 is shared:" >&2
    cat "$before/error" >&2
  elif [ -n "$shares" ] && [ "$shares" != None ] && [ -z "${REPLACE_SHARE_POLICY:-}" ]; then
    echo "error: $1 is in a resource share of AWS RAM: $shares" >&2
    echo "hint: If the share lets the target account in, no policy is needed. To write one all the same, set REPLACE_SHARE_POLICY=1" >&2
    exit 1
  fi
}
