// Checks a template with cdk-nag's AwsSolutions rules: its path comes in; findings without a reason in its
// Metadata (cdk_nag, of tests/stack/reasons.yaml) and reasons without a finding go out, with exit code 1.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, CfnResource, Stack, Validations } from "aws-cdk-lib";
import { CfnInclude } from "aws-cdk-lib/cloudformation-include";
import { AwsSolutionsChecks } from "cdk-nag";

const PACK = "AwsSolutions";

const outdir = mkdtempSync(join(tmpdir(), "nag-"));
try {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, "Stack");
  new CfnInclude(stack, "Template", { templateFile: process.argv[2] });
  const findings = new Set(found(app));
  const reasons = new Set(given(stack));
  report("has no reason", [...findings].filter((one) => !reasons.has(one)));
  report("is no finding", [...reasons].filter((one) => !findings.has(one)));
  console.log(`cdk-nag ${PACK}: ${findings.size} findings, each with a reason, unless named above`);
} finally {
  rmSync(outdir, { recursive: true });
}

// "<resource> <rule>" of each finding. The pack prints them as well; only the report says which are whose.
function found(app) {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const write = process.stderr.write;
  process.stderr.write = () => true;
  try {
    app.synth();
  } catch (error) {
    if (!String(error.message).startsWith("Validation failed")) throw error;
  } finally {
    process.stderr.write = write;
  }
  const reports = JSON.parse(readFileSync(join(outdir, "validation-report.json"), "utf8")).pluginReports;
  const violations = reports.filter((one) => one.pluginName === PACK).flatMap((one) => one.violations);
  return violations.flatMap(({ ruleName, violatingConstructs }) =>
    violatingConstructs.map(({ constructPath }) => `${constructPath.split("/").pop()} ${ruleName.split("[")[0]}`),
  );
}

// "<resource> <rule>" of each reason.
function given(stack) {
  const resources = stack.node.findAll().filter((one) => one instanceof CfnResource);
  return resources.flatMap((resource) =>
    (resource.getMetadata("cdk_nag")?.rules_to_suppress ?? [])
      .filter(({ reason }) => reason.trim().length > 20)
      .map(({ id }) => `${resource.node.id} ${id}`),
  );
}

function report(what, lines) {
  for (const line of lines) console.error(`cdk-nag: ${line} ${what}`);
  if (lines.length > 0) process.exitCode = 1;
}
