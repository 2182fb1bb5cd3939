// Checks a template with cdk-nag's AwsSolutions rules: its path comes in; findings without a reason in the template
// (Metadata, cdk_nag) and reasons without a finding go out, with exit code 1.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, CfnResource, Stack, Validations } from "aws-cdk-lib";
import { CfnInclude } from "aws-cdk-lib/cloudformation-include";
import { AwsSolutionsChecks } from "cdk-nag";

const outdir = mkdtempSync(join(tmpdir(), "nag-"));
try {
  const app = new App({ outdir });
  const stack = new Stack(app, "Promote");
  new CfnInclude(stack, "Template", { templateFile: process.argv[2] });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  for (const resource of stack.node.findAll().filter((one) => one instanceof CfnResource)) {
    console.log(resource.node.path, JSON.stringify(resource.getMetadata("cdk_nag")));
  }
  app.synth();
} catch (e) { console.log("ERR", e.message.slice(0,300)); } finally {
  console.log(readFileSync(join(outdir,"validation-report.json"),"utf8").slice(0,3500));
  rmSync(outdir, { recursive: true });
}
