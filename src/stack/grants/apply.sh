#!/usr/bin/env bash
# Lets a pipeline of promote read models. `promote stack source-grants` wrote this file and the policies beside it.
#
# Run it with credentials of the account that it names below. It needs the AWS CLI version 2 and Python 3, and can be run
# again. Policies are merged: the statements of others stay, and those with the same Sid are replaced. The policies that
# were there are kept in the folder `before`. A step that fails does not stop the others; all that failed are named at the
# end.
set -uo pipefail
cd "$(dirname "$0")"
before=before/$(date +%Y%m%dT%H%M%S)-$$
mkdir -p "$before" merged
number=0
skipped=()
failed=()

of_account() {
  local account
  account=$(aws sts get-caller-identity --query Account --output text)
  [ "$account" = "$1" ] || { echo "error: these credentials are for account $account, not for $1" >&2; exit 1; }
}

step() {
  title=$1
  printf '\n%s\n' "$title"
}

# ended STATUS [RESOURCE]: notes a step that has failed. The commands of a step run in a subshell that ends at the first
# error.
ended() { [ "$1" = 0 ] || failed+=("$title${2:+ ($2)}"); }

# finish: names the steps that were skipped or have failed.
finish() {
  local one
  printf '\n'
  for one in ${skipped[@]+"${skipped[@]}"}; do echo "skipped: $one"; done
  [ ${#failed[@]} = 0 ] && return
  for one in "${failed[@]}"; do echo "error: not done: $one" >&2; done
  echo "hint: The messages above say why. Fix the causes, then run this script again. Give the file of a bucket or repository of another account to its owner" >&2
  exit 1
}

# merge FILE ABSENT COMMAND...: writes merged/FILE, which is the policy that COMMAND prints with the statements of FILE.
# ABSENT is the error that means that there is no policy. Any other error ends the step: nothing is replaced unread.
merge() {
  local file=$1 absent=$2 current
  shift 2
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

# not_shared ARN: whether the resource is in no resource share of AWS RAM, which writes the resource's policy itself.
not_shared() {
  local shares region
  region=$(cut -d: -f4 <<< "$1")
  if ! shares=$(aws ram list-resources --region "$region" --resource-owner SELF --resource-arns "$1" \
    --query 'resources[].resourceShareArn' --output text 2> "$before/error"); then
    echo "warning: resource shares could not be listed, so it is unknown whether $1 is shared:" >&2
    cat "$before/error" >&2
  elif [ -n "$shares" ] && [ "$shares" != None ] && [ -z "${REPLACE_SHARE_POLICY:-}" ]; then
    echo "$1 is in a resource share of AWS RAM: $shares"
    echo "If the share lets the target account in, no policy is needed. To write one all the same, set REPLACE_SHARE_POLICY=1"
    skipped+=("$title")
    return 1
  fi
}
