//! The CDK cloud assembly: three files, and an image whose tag is the hash of its sources.

use std::fs;
use std::path::Path;

use super::*;

fn assembly(folder: &Path, more: &[&str]) -> Run {
    let output = folder.join("out");
    let output = output.to_str().expect("a path");
    let arguments = [&["--stack-name", "mlops", "--output-dir", output], more].concat();
    stack(&with("assembly", &arguments), &[])
}

fn read(folder: &Path, name: &str) -> Value {
    let text = fs::read_to_string(folder.join("out").join(name)).expect(name);
    serde_json::from_str(&text).expect("JSON")
}

/// A folder with a Dockerfile and the given further files.
fn image_folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files.iter().chain(&[("Dockerfile", "FROM scratch\n")]) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

/// The tag of the image of a folder.
fn tag(folder: &Path) -> String {
    let run = assembly(folder, &["--image-dir", folder.to_str().expect("a path")]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    read(folder, "manifest.json")["artifacts"]["mlops"]["properties"]["parameters"]["ImageTag"]
        .as_str()
        .expect("a tag")
        .to_owned()
}

#[test]
fn the_assembly_is_a_manifest_a_template_and_the_assets() {
    let folder = image_folder(&[("src/main.rs", "fn main() {}")]);
    let tag = tag(folder.path());
    let files = ["manifest.json", "mlops.assets.json"].map(|name| format!("{:#}\n", read(folder.path(), name)));
    let home = folder.path().canonicalize().expect("a path");
    let text = files.concat().replace(home.to_str().expect("a path"), "FOLDER").replace(&tag, "TAG");
    let hash = read(folder.path(), "mlops.assets.json")["files"].as_object().expect("files").keys().next().cloned();
    assert_snapshot("stack-assembly", &text.replace(&hash.expect("a hash"), "HASH"));
    let template = read(folder.path(), "mlops.template.json");
    assert_eq!(template["Resources"]["Pipeline"]["Type"], "AWS::CodePipeline::Pipeline");
}

#[test]
fn the_template_has_every_input_as_the_default_of_its_parameter() {
    let folder = image_folder(&[]);
    tag(folder.path());
    let manifest = read(folder.path(), "manifest.json");
    let given = manifest["artifacts"]["mlops"]["properties"]["parameters"].as_object().expect("parameters");
    let template = read(folder.path(), "mlops.template.json");
    for (name, value) in given {
        assert_eq!(&template["Parameters"][name]["Default"], value, "{name}");
    }
    assert!(given.contains_key("SourceModelPackageGroupArn"));
}

#[test]
fn the_image_s_tag_changes_with_its_sources_and_with_nothing_else() {
    let folder = image_folder(&[("src/main.rs", "fn main() {}")]);
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    let first = tag(folder.path());
    for name in ["target/debug/promote", ".git/HEAD", ".local/x", "node_modules/x/y", "cdk.out/manifest.json"] {
        write(name, "built");
    }
    assert_eq!(tag(folder.path()), first, "what is built or hidden does not count, nor does the assembly itself");
    write("src/main.rs", "fn main() { }");
    let second = tag(folder.path());
    assert_ne!(second, first);
    write("src/more.rs", "");
    assert_ne!(tag(folder.path()), second);
}

#[test]
fn an_image_that_is_pushed_already_needs_no_sources() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = assembly(folder.path(), &IMAGE);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let properties = &read(folder.path(), "manifest.json")["artifacts"]["mlops"]["properties"];
    assert_eq!(properties["parameters"]["ImageRepositoryName"], "promote");
    assert_eq!(properties["parameters"]["ImageTag"], "1.0");
    assert_eq!(read(folder.path(), "mlops.assets.json")["dockerImages"], serde_json::json!({}));
}

#[test]
fn the_stack_is_called_what_seedfarmer_looks_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("out");
    let arguments = with("assembly", &["--output-dir", output.to_str().expect("a path"), IMAGE[0], IMAGE[1]]);
    let names = [
        ("SEEDFARMER_PROJECT_NAME", "mlops"),
        ("SEEDFARMER_DEPLOYMENT_NAME", "prod"),
        ("SEEDFARMER_MODULE_NAME", "models-promote"),
    ];
    assert_eq!(stack(&arguments, &names).code, 0);
    let manifest = read(folder.path(), "manifest.json");
    assert_eq!(
        manifest["artifacts"]["mlops-prod-models-promote"]["properties"]["stackName"],
        "mlops-prod-models-promote"
    );
    stack(&arguments, &names[..2]).fails(2, &["--stack-name"]);
    let long = "m".repeat(91);
    stack(&arguments, &[names[0], names[1], ("SEEDFARMER_MODULE_NAME", &long)])
        .fails(2, &["--stack-name", "91 at most"]);
}

#[test]
fn a_folder_without_a_dockerfile_fails_and_names_the_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = assembly(folder.path(), &["--image-dir", folder.path().to_str().expect("a path")]);
    run.fails(1, &["no Dockerfile", "--image-dir"]);
    assert!(!folder.path().join("out").exists(), "nothing is written");
    assembly(folder.path(), &["--image-dir", "/nowhere"]).fails(1, &["/nowhere"]);
}
