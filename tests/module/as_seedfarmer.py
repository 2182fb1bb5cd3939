"""What SeedFarmer would hand to CodeBuild for this module, as JSON. Runs in SeedFarmer's own environment.

SeedFarmer's code reads the manifest and the deployspec, filters the bundle, names the variables and writes the
buildspec. Only its start of CodeBuild is replaced, and the session with which it would ask for its account.
"""

import json
import sys
from pathlib import Path
from unittest import mock

import seedfarmer.commands  # noqa: F401  the deployment cannot be imported before it
import yaml
from seedfarmer.deployment.deploy_remote import DeployRemoteModule
from seedfarmer.models._deploy_spec import DeploySpec
from seedfarmer.models.manifests import DeploymentManifest, ModuleManifest
from seedfarmer.models.transfer import ModuleDeployObject

GROUP = "models"


def main(verb, manifest_file, account, region):
    """Deploys or destroys the module of a manifest; the working folder is the root of a SeedFarmer project."""
    module = ModuleManifest(**read(manifest_file))
    module.deploy_spec = DeploySpec(**read(Path(module.path, "deployspec.yaml")))
    module.target_region = region
    module.set_target_account_id(account)
    with (
        mock.patch("seedfarmer.deployment.codebuild_remote.run") as codebuild,
        mock.patch("seedfarmer.deployment.deploy_remote.SessionManager"),
        mock.patch("seedfarmer.deployment.deploy_base.generate_session_hash", return_value="0a1b2c3d"),
    ):
        codebuild.return_value = mock.Mock(build_id="seedkit:1", logs=None)
        getattr(DeployRemoteModule(deployed(module, account, region)), f"{verb}_module")()
    called = codebuild.call_args.kwargs
    spec = getattr(module.deploy_spec, verb).phases.model_dump()
    variables = {one["name"]: one["value"] for one in called["overrides"]["environmentVariablesOverride"]}
    phases = {name: phase["commands"] for name, phase in called["buildspec"]["phases"].items()}
    own = {name: phase["commands"] for name, phase in spec.items()}
    print(json.dumps({"bundle": called["bundle_path"], "variables": variables, "phases": phases, "own": own}))


def read(path):
    """A YAML file."""
    return yaml.safe_load(Path(path).read_text())


def deployed(module, account, region):
    """The module in a deployment of one account and region."""
    mapping = {"region": region, "default": True, "seedkit_metadata": {"CodeBuildProject": "seedkit"}}
    accounts = [
        {"alias": module.target_account, "account_id": account, "default": True, "region_mappings": [mapping]},
    ]
    groups = [{"name": GROUP, "path": "models.yaml"}]
    deployment = DeploymentManifest(
        name="mlops", toolchain_region=region, groups=groups, target_account_mappings=accounts
    )
    # Past the manifest's own model: a copy would lose what is known about the module by now.
    deployment.groups[0].modules = [module]
    deployment._module_index[GROUP, module.name] = module
    return ModuleDeployObject(
        deployment_manifest=deployment, group_name=GROUP, module_name=module.name, parameters=module.parameters
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
