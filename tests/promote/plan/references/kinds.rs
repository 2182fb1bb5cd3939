//! Objects, folders, prefixes, manifests, outputs and environment values, each in all its spellings.

use serde_json::{Value, json};

use crate::support::{Cloud, Principal};
use crate::world::*;

const ROLE: [&str; 2] = ["--target-validation-role-arn", "arn:aws:iam::111222333444:role/validation"];

fn copy_of(key: &str) -> String {
    format!("s3://{SERVING}/{FOLDER}models/{key}")
}

/// A world with one object and an approved package that refers to it, and to more.
fn with(more: impl FnOnce(&mut Value)) -> Cloud {
    let cloud = world();
    cloud.put(MODELS, "m.tar.gz", "m");
    let mut package = model("s3://models/m.tar.gz");
    more(&mut package);
    cloud.register(package);
    cloud
}

fn prefix(url: &str) -> Value {
    let source = json!({"S3Uri": url, "S3DataType": "S3Prefix", "CompressionType": "None"});
    json!([{"Name": "llm", "Containers": [{"Image": "i", "ModelDataSource": {"S3DataSource": source}}]}])
}

fn transform(data_type: &str, url: &str, output: &str) -> Value {
    let source = json!({"S3DataSource": {"S3DataType": data_type, "S3Uri": url}});
    let job = json!({
        "TransformInput": {"DataSource": source},
        "TransformOutput": {"S3OutputPath": output},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    });
    json!({
        "ValidationRole": "arn:aws:iam::444333666777:role/validation",
        "ValidationProfiles": [{"ProfileName": "p", "TransformJobDefinition": job}]
    })
}

#[test]
fn every_https_form_is_one_object_and_its_key_is_decoded_once() {
    let forms = [
        "https://models.s3.amazonaws.com/",
        "https://models.s3.eu-central-1.amazonaws.com/",
        "https://models.s3-eu-central-1.amazonaws.com/",
        "https://models.s3.dualstack.eu-central-1.amazonaws.com/",
        "https://models.s3.cn-north-1.amazonaws.com.cn/",
        "https://s3.eu-central-1.amazonaws.com/models/",
        "https://s3-eu-central-1.amazonaws.com/models/",
        "https://s3.amazonaws.com/models/",
        "https://models.s3-fips.dualstack.us-east-1.amazonaws.com/",
        "https://s3-fips.us-gov-west-1.amazonaws.com/models/",
        "https://models.s3.eusc-de-east-1.amazonaws.eu/",
        "https://s3.us-iso-east-1.c2s.ic.gov/models/",
    ];
    let cloud = with(|package| {
        let url = |form: &&str| json!({"Image": "i", "ModelDataUrl": format!("{form}a%20b/c%2520+d.tar.gz")});
        package["InferenceSpecification"]["Containers"] = forms.iter().map(url).collect();
    });
    cloud.put(MODELS, "a b/c%20+d.tar.gz", "weights");
    let document = promote(&cloud, &[]).document();
    assert_eq!(artifact(&document, "s3://models/a b/c%20+d.tar.gz")["fields"].as_array().map(Vec::len), Some(12));
    let request = create_request(&cloud);
    for index in 0..forms.len() {
        let url = &request["InferenceSpecification"]["Containers"][index]["ModelDataUrl"];
        assert_eq!(*url, json!(copy_of("a b/c%20+d.tar.gz")), "{}", forms[index]);
    }
    assert_eq!(cloud.calls_of("CopyObject").len(), 1);
}

#[test]
fn each_kind_of_reference_may_be_an_https_url() {
    let https = "https://models.s3.eu-central-1.amazonaws.com/";
    let cloud = with(|package| {
        package["AdditionalInferenceSpecifications"] = prefix(&format!("{https}llm/"));
        let source = &mut package["AdditionalInferenceSpecifications"][0]["Containers"][0]["ModelDataSource"];
        source["S3DataSource"]["ManifestS3Uri"] = json!(format!("{https}list%20a.csv"));
        let container = &mut package["InferenceSpecification"]["Containers"][0];
        container["Environment"] = json!({"CODE": format!("{https}code%201.py"), "GONE": format!("{https}gone")});
        package["ValidationSpecification"] = transform("S3Prefix", &format!("{https}in"), &format!("{https}out%20put"));
    });
    for key in ["llm/a", "llm/b c", "code 1.py", "input"] {
        cloud.put(MODELS, key, key);
    }
    cloud.put(MODELS, "list a.csv", "https://s3.amazonaws.com/models/llm/b%20c\n");
    let document = promote(&cloud, &ROLE).document();
    let request = create_request(&cloud).to_string();
    for key in ["llm/", "code 1.py", "in"] {
        assert!(request.contains(&format!("\"{}\"", copy_of(key))), "{key} in {request}");
    }
    let output = "churn-model/_outputs/444333666777-eu-central-1-churn-model-v1/models/out put";
    assert!(request.contains(&format!("\"s3://{SERVING}/{output}\"")), "{request}");
    let manifest = format!("{FOLDER}_manifests/models/list a.csv");
    assert!(request.contains(&format!("s3://{SERVING}/{manifest}")));
    let text = cloud.object(SERVING, &manifest).expect("the manifest").body.bytes();
    assert_eq!(text, format!("{}\n", copy_of("llm/b c")));
    let gone = not_carried(&document, "InferenceSpecification.Containers[0].Environment{GONE}");
    assert_eq!(gone["value"], format!("{https}gone"));
}

#[test]
fn a_prefix_is_copied_with_markers_and_empty_objects_over_all_pages() {
    let cloud = with(|package| package["AdditionalInferenceSpecifications"] = prefix("s3://models/llm/"));
    cloud.put(MODELS, "llm/", "");
    cloud.put(MODELS, "llm/sub/", "");
    cloud.put(MODELS, "llm/sub/empty", "");
    for part in 0..50 {
        cloud.put(MODELS, &format!("llm/part-{part:03}"), format!("{part}"));
    }
    cloud.put(MODELS, "llm-other", "not below the prefix");
    cloud.page_size(7);
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(54));
    let copies = cloud.keys(SERVING).iter().filter(|key| key.starts_with(&format!("{FOLDER}models/llm/"))).count();
    assert_eq!(copies, 53);
    let lists = cloud.calls_of("ListObjectsV2").into_iter().filter(|call| call.resource == MODELS).count();
    assert_eq!(lists, 8);
    for key in ["llm/", "llm/sub/", "llm/sub/empty"] {
        assert_eq!(cloud.object(SERVING, &format!("{FOLDER}models/{key}")).map(|copy| copy.body.len()), Some(0));
    }
}

#[test]
fn a_prefix_without_a_slash_at_its_end_is_a_prefix_of_keys_and_not_a_folder() {
    let cloud =
        with(|package| package["ValidationSpecification"] = transform("S3Prefix", "s3://models/in", "s3://models/o/"));
    for key in ["in/a.csv", "in-2/b.csv", "in.csv", "i"] {
        cloud.put(MODELS, key, key);
    }
    let document = promote(&cloud, &ROLE).document();
    let sources: Vec<&Value> =
        document["artifacts"].as_array().into_iter().flatten().map(|one| &one["source"]).collect();
    assert_eq!(
        sources,
        ["s3://models/in-2/b.csv", "s3://models/in.csv", "s3://models/in/a.csv", "s3://models/m.tar.gz"]
    );
}

#[test]
fn a_csv_manifest_is_followed_and_rewritten_cell_by_cell() {
    let cloud = with(|package| {
        package["AdditionalInferenceSpecifications"] = prefix("s3://models/llm/");
        let source = &mut package["AdditionalInferenceSpecifications"][0]["Containers"][0]["ModelDataSource"];
        source["S3DataSource"]["ManifestS3Uri"] = json!("s3://models/lists/all.csv");
    });
    cloud.create_bucket("other-models", crate::support::SOURCE_ACCOUNT);
    cloud.put("other-models", "far/x", "far");
    for key in ["llm/a", "w/1", "w/2", "odd,\"name\""] {
        cloud.put(MODELS, key, key);
    }
    let rows =
        "name,place\nweights,s3://models/w/\nfar,s3://other-models/far/x\nodd,\"s3://models/odd,\"\"name\"\"\"\n";
    cloud.put(MODELS, "lists/all.csv", rows);
    promote(&cloud, &[]).document();
    let key = format!("{FOLDER}_manifests/models/lists/all.csv");
    let expected = rows
        .replace("s3://models/", &copy_of(""))
        .replace("s3://other-models/", &format!("s3://{SERVING}/{FOLDER}other-models/"));
    assert_eq!(cloud.object(SERVING, &key).expect("the manifest").body.bytes(), expected);
    for copy in ["models/w/1", "models/w/2", "other-models/far/x", "models/odd,\"name\""] {
        assert!(cloud.object(SERVING, &format!("{FOLDER}{copy}")).is_some(), "{copy}");
    }
    assert!(cloud.object(SERVING, &format!("{FOLDER}models/lists/all.csv")).is_none());
}

#[test]
fn a_json_manifest_is_followed_and_rewritten() {
    let cloud = with(|package| {
        package["ValidationSpecification"] = transform("ManifestFile", "s3://models/in.manifest", "s3://models/out");
    });
    cloud.put(MODELS, "in.manifest", r#"[{"prefix": "s3://models/in/"}, "a.csv", "b c/%20.csv"]"#);
    for key in ["in/a.csv", "in/b c/%20.csv", "in/unlisted.csv"] {
        cloud.put(MODELS, key, key);
    }
    promote(&cloud, &ROLE).document();
    let manifest = cloud.object(SERVING, &format!("{FOLDER}_manifests/models/in.manifest")).expect("the manifest");
    let text: Value = serde_json::from_slice(&manifest.body.bytes()).expect("the manifest is JSON");
    assert_eq!(text, json!([{"prefix": copy_of("in/")}, "a.csv", "b c/%20.csv"]));
    let there = |key: &str| cloud.object(SERVING, &format!("{FOLDER}models/{key}")).is_some();
    assert!(there("in/a.csv") && there("in/b c/%20.csv") && !there("in/unlisted.csv"));
}

#[test]
fn a_report_that_is_a_folder_is_copied_whole() {
    let cloud = with(|package| {
        let report = json!({"ContentType": "application/json", "S3Uri": "s3://models/report"});
        package["ModelMetrics"] = json!({"Explainability": {"Report": report}});
    });
    cloud.put(MODELS, "report/analysis.json", "{}");
    cloud.put(MODELS, "report/plots/1.png", "png");
    cloud.put(MODELS, "report-2", "another report");
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(3));
    let url = &create_request(&cloud)["ModelMetrics"]["Explainability"]["Report"]["S3Uri"];
    assert_eq!(*url, json!(copy_of("report")));
    assert!(cloud.object(SERVING, &format!("{FOLDER}models/report/plots/1.png")).is_some());
}

#[test]
fn model_data_that_ends_in_a_slash_is_a_folder_of_models() {
    let cloud = with(|package| {
        let containers = json!([{"Image": "i", "ModelDataUrl": "s3://models/many/"}]);
        package["AdditionalInferenceSpecifications"] = json!([{"Name": "many", "Containers": containers}]);
    });
    cloud.put(MODELS, "many/a.tar.gz", "a");
    cloud.put(MODELS, "many/b.tar.gz", "b");
    promote(&cloud, &[]).document();
    let url = &create_request(&cloud)["AdditionalInferenceSpecifications"][0]["Containers"][0]["ModelDataUrl"];
    assert_eq!(*url, json!(copy_of("many/")));
    assert!(cloud.object(SERVING, &format!("{FOLDER}models/many/b.tar.gz")).is_some());
}

#[test]
fn an_object_that_two_members_refer_to_is_one_artifact_with_both_fields() {
    let cloud = with(|package| {
        let report = json!({"ContentType": "text/plain", "S3Uri": "s3://models/m.tar.gz"});
        package["ModelMetrics"] = json!({"ModelQuality": {"Statistics": report}});
    });
    let document = promote(&cloud, &[]).document();
    let fields = &artifact(&document, "s3://models/m.tar.gz")["fields"];
    let (data, report) =
        ("InferenceSpecification.Containers[0].ModelDataUrl", "ModelMetrics.ModelQuality.Statistics.S3Uri");
    assert_eq!(*fields, json!([data, report]));
    assert_eq!(cloud.calls_of("CopyObject").len(), 1);
    assert_eq!(create_request(&cloud)["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"], copy_of("m.tar.gz"));
}

#[test]
fn what_a_validation_writes_does_not_change_the_promotion() {
    let cloud = with(|package| {
        package["ValidationSpecification"] = transform("S3Prefix", "s3://models/in/", "s3://models/out");
    });
    cloud.put(MODELS, "in/a.csv", "a");
    let document = promote(&cloud, &ROLE).document();
    let job = &create_request(&cloud)["ValidationSpecification"]["ValidationProfiles"][0]["TransformJobDefinition"];
    let output = job["TransformOutput"]["S3OutputPath"].as_str().expect("a URL").to_owned();
    let key = output.strip_prefix(&format!("s3://{SERVING}/")).expect("it is in the target bucket");
    assert!(!key.starts_with(FOLDER), "{output}");
    cloud.put(SERVING, &format!("{key}/a.csv.out"), "predictions");
    let arn = document["target"]["model_package_arn"].as_str().expect("an ARN");
    let verified = run(&cloud, Principal::Both, &["verify", "--model-package", arn]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
}
