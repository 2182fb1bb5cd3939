//! How a copy was held against its source, and what a second run takes for the artifact.

use serde_json::json;

use super::*;
use crate::support::Attributes;
use crate::support::s3::Algorithm;

const KEY: [&str; 2] = ["--kms-key-arn", "arn:aws:kms:eu-central-1:111222333444:key/of-the-target"];
const MODES: [[&str; 2]; 2] = [["--copy-mode", "server-side"], ["--copy-mode", "stream"]];

/// A small object with an ETag as of an upload in parts.
fn in_parts() -> Attributes {
    Attributes::default().parts_of(3)
}

#[test]
fn equal_etags_verify_an_ordinary_copy() {
    for mode in MODES {
        let cloud = with("weights", Attributes::default());
        assert_eq!(told(&promote(&cloud, &mode).document()), ("copied", "etag"), "{mode:?}");
        assert_eq!(copy(&cloud).etag, cloud.object(MODELS, "m.tar.gz").expect("the source").etag);
    }
}

#[test]
fn equal_checksums_verify_where_etags_cannot() {
    for mode in MODES {
        let cloud = with("weights", in_parts());
        let document = promote(&cloud, &mode).document();
        assert_eq!(told(&document), ("copied", "checksum"), "{mode:?}");
        let checksum = copy(&cloud).checksum.expect("the copy has one").value;
        assert_eq!(
            artifact(&document, "s3://models/m.tar.gz")["checksum"],
            json!({"algorithm": "CRC64NVME", "value": checksum})
        );
        let cloud = with("weights", Attributes::default());
        let options = [mode[0], mode[1], KEY[0], KEY[1]];
        assert_eq!(told(&promote(&cloud, &options).document()), ("copied", "checksum"), "{options:?}");
    }
}

#[test]
fn a_checksum_of_any_algorithm_verifies_a_copy_in_one_request_or_in_parts() {
    let parts = ["--part-size", "5MiB"];
    for mode in MODES {
        for algorithm in Algorithm::ALL {
            let small = with("weights", in_parts().checksum(algorithm));
            assert_verified(&small, &mode, algorithm);
            if algorithm.joins_parts() {
                let large = with(vec![7; 6 << 20], Attributes::default().parts_of(1 << 20).checksum(algorithm));
                assert_verified(&large, &[mode[0], mode[1], parts[0], parts[1]], algorithm);
            }
        }
    }
}

fn assert_verified(cloud: &Cloud, options: &[&str], algorithm: Algorithm) {
    let checksum = cloud.object(MODELS, "m.tar.gz").expect("the source").checksum.expect("it has one");
    let document = promote(cloud, options).document();
    assert_eq!(told(&document), ("copied", "checksum"), "{options:?} {algorithm:?}");
    let expected = json!({"algorithm": algorithm.name(), "value": checksum.value});
    assert_eq!(artifact(&document, "s3://models/m.tar.gz")["checksum"], expected);
    assert_eq!(copy(cloud).checksum, Some(checksum));
    let version = document["target"]["model_package_arn"].as_str().expect("a version");
    let verified = cloud.promote(Principal::Both).args(["verify", "--model-package", version, "--deep"]).output();
    assert_eq!(Run::of(verified.expect("the binary starts")).code, 0, "{options:?} {algorithm:?}");
}

#[test]
fn a_checksum_that_promote_does_not_compute_verifies_no_bytes_without_the_source() {
    for algorithm in [Algorithm::Xxhash64, Algorithm::Xxhash3, Algorithm::Xxhash128] {
        let cloud = with("weights", in_parts().checksum(algorithm));
        promote(&cloud, &[]).document();
        let expects = |code: i32, sentence: &str| {
            let version = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";
            let run =
                run(&cloud, Principal::Target, &["verify", "--model-package", version, "--deep", "--output", "json"]);
            assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
            assert!(run.stdout.contains(sentence), "{}", run.stdout);
        };
        let name = algorithm.name();
        expects(3, &format!("`promote` cannot compute the recorded {name}, and the source object cannot be read"));
        cloud.put_with(SERVING, &copy_key(), "WEIGHTS", in_parts().checksum(algorithm));
        expects(5, &format!("its {name} is "));
    }
}

#[test]
fn a_large_object_with_a_sha_256_is_copied_by_s3_in_one_request_so_that_it_can_be_compared() {
    let cloud = with(vec![7; (128 << 20) + 1], Attributes::default().parts_of(8 << 20).checksum(Algorithm::Sha256));
    assert_eq!(told(&promote(&cloud, &MODES[0]).document()), ("copied", "checksum"));
    assert_eq!(cloud.calls_of("CopyObject").len(), 1);
}

#[test]
fn where_the_source_has_no_checksum_the_document_says_size() {
    for mode in MODES {
        let cloud = world();
        cloud.default_checksums(false);
        cloud.put_with(MODELS, "m.tar.gz", "weights", in_parts());
        cloud.register(model("s3://models/m.tar.gz"));
        assert_eq!(told(&promote(&cloud, &mode).document()), ("copied", "size"), "{mode:?}");
    }
}

/// A second run takes the copy for what it is, without a single writing call.
fn assert_taken_up(cloud: &Cloud, options: &[&str], verified: &str) {
    copy_artifacts(cloud, Principal::Both, options).document();
    let (before, etag) = (writes(cloud).len(), copy(cloud).etag);
    assert!(before > 0);
    let again = copy_artifacts(cloud, Principal::Both, options).document();
    assert_eq!(again["outcome"], "copied");
    assert_eq!(told(&again), ("already-there", verified), "{options:?}");
    assert_eq!(writes(cloud).len(), before, "{options:?}");
    assert_eq!(copy(cloud).etag, etag);
    let reads = cloud.calls_of("GetObject").iter().filter(|call| call.resource.starts_with(SERVING)).count();
    assert_eq!(reads, usize::from(verified == "bytes"), "{options:?}");
}

#[test]
fn a_second_copy_of_an_ordinary_object_asks_for_no_copy() {
    MODES.iter().for_each(|mode| assert_taken_up(&with("weights", Attributes::default()), mode, "etag"));
}

#[test]
fn a_second_copy_of_an_object_that_was_uploaded_in_parts_asks_for_no_copy() {
    MODES.iter().for_each(|mode| assert_taken_up(&with("weights", in_parts()), mode, "checksum"));
}

#[test]
fn a_second_copy_under_a_kms_key_asks_for_no_copy() {
    for mode in MODES {
        let options = [mode[0], mode[1], KEY[0], KEY[1]];
        assert_taken_up(&with("weights", Attributes::default()), &options, "checksum");
        assert_taken_up(&with("weights", in_parts()), &options, "checksum");
    }
}

#[test]
fn one_look_at_a_source_of_several_parts_is_enough_to_copy_and_to_verify_it() {
    let cloud = with_package();
    cloud.put_with(MODELS, "churn/llm/weights", "weights", in_parts());
    let document = promote(&cloud, &[]).document();
    assert_eq!(artifact(&document, "s3://models/churn/llm/weights")["verified"], "checksum");
    let looks = cloud.calls_of("HeadObject").into_iter().filter(|call| call.resource.ends_with("llm/weights"));
    assert_eq!(looks.count(), 1);
}

#[test]
fn a_second_copy_reads_the_first_where_nothing_else_can_be_compared() {
    for mode in MODES {
        let cloud = world();
        cloud.default_checksums(false);
        cloud.put_with(MODELS, "m.tar.gz", "weights", in_parts());
        cloud.register(model("s3://models/m.tar.gz"));
        let etag = cloud.object(MODELS, "m.tar.gz").expect("the source").etag;
        // The copy has a checksum, its source has none: the mark alone proves nothing.
        assert_taken_up(&cloud, &mode, "bytes");
        assert_eq!(copy(&cloud).metadata("promote-source-etag"), Some(etag.as_str()));
    }
}

#[test]
fn a_second_copy_knows_the_first_where_the_source_is_under_a_kms_key_and_has_no_checksum() {
    for mode in MODES {
        let cloud = world();
        cloud.default_checksums(false);
        let attributes = Attributes::default().kms("arn:aws:kms:eu-central-1:444333666777:key/of-the-source");
        cloud.put_with(MODELS, "m.tar.gz", "weights", attributes);
        cloud.register(model("s3://models/m.tar.gz"));
        assert_taken_up(&cloud, &mode, "bytes");
    }
}

#[test]
fn a_second_copy_knows_the_first_by_its_checksum_where_the_target_bucket_has_a_key_of_its_own() {
    for mode in MODES {
        let cloud = world();
        cloud.default_checksums(false);
        cloud.encrypt_bucket(SERVING, KEY[1]);
        cloud.put_with(MODELS, "m.tar.gz", "weights", Attributes::default().checksum(Algorithm::Crc32));
        cloud.register(model("s3://models/m.tar.gz"));
        assert_taken_up(&cloud, &mode, "checksum");
    }
}

/// A world with a prefix of a small and a large object that no checksum is known of, and whose copies get other ETags.
fn with_incomparable_shards() -> Cloud {
    let cloud = with_package();
    cloud.default_checksums(false);
    cloud.encrypt_bucket(SERVING, KEY[1]);
    cloud.put(MODELS, "churn/llm/large", vec![5; (20 << 20) + 1]);
    cloud.put(MODELS, "churn/llm/small", "weights");
    cloud
}

#[test]
fn objects_that_nothing_else_can_compare_are_compared_byte_by_byte() {
    let cloud = with_incomparable_shards();
    copy_artifacts(&cloud, Principal::Both, &[]).document();
    let before = writes(&cloud).len();
    let again = copy_artifacts(&cloud, Principal::Both, &[]).document();
    for key in ["large", "small"] {
        let artifact = artifact(&again, &format!("s3://models/churn/llm/{key}"));
        assert_eq!((&artifact["result"], &artifact["verified"]), (&"already-there".into(), &"bytes".into()));
    }
    assert_eq!(writes(&cloud).len(), before);
}

#[test]
fn one_byte_that_differs_at_the_end_of_such_an_object_is_found() {
    let cloud = with_incomparable_shards();
    copy_artifacts(&cloud, Principal::Both, &[]).document();
    let mut other = vec![5; (20 << 20) + 1];
    other[20 << 20] = 6;
    cloud.put(SERVING, &format!("{FOLDER}models/churn/llm/large"), other);
    let run = copy_artifacts(&cloud, Principal::Both, &[]);
    run.fails(1, &["refusing to overwrite s3://serving/", "churn/llm/large", "they differ"]);
}

#[test]
fn metadata_that_fills_its_limit_arrives_without_a_mark() {
    for mode in MODES {
        let cloud = with("weights", in_parts().metadata("all", &"x".repeat(2045)));
        assert_taken_up(&cloud, &mode, "checksum");
        assert_eq!(copy(&cloud).attributes.metadata, cloud.object(MODELS, "m.tar.gz").expect("it").attributes.metadata);
    }
}

#[test]
fn markers_and_empty_objects_are_reused() {
    let cloud = with_package();
    cloud.put(MODELS, "churn/llm/", "");
    cloud.put_with(MODELS, "churn/llm/empty", "", in_parts());
    cloud.page_size(2);
    for mode in MODES {
        let document = copy_artifacts(&cloud, Principal::Both, &mode).document();
        assert_eq!(document["artifacts"].as_array().map(Vec::len), Some(6));
    }
    assert_eq!(writes(&cloud).len(), 6);
}

#[test]
fn another_object_at_the_target_is_never_overwritten_and_both_are_named() {
    for mode in MODES {
        for other in ["WEIGHTS", "longer weights", ""] {
            let cloud = with("weights", Attributes::default());
            cloud.put(SERVING, &copy_key(), other);
            let run = promote(&cloud, &mode);
            run.fails(1, &["refusing to overwrite s3://serving/", "with s3://models/m.tar.gz (7 bytes", "they differ"]);
            assert_eq!(copy(&cloud).body.bytes(), other);
            assert_eq!((writes(&cloud).len(), promoted(&cloud).len()), (0, 0));
        }
    }
}

#[test]
fn metadata_does_not_make_another_object_of_the_same_size_the_copy() {
    let sources = [Attributes::default(), in_parts(), in_parts().checksum(Algorithm::Crc32)];
    for (mode, attributes) in MODES.into_iter().flat_map(|mode| sources.clone().map(|attributes| (mode, attributes))) {
        let cloud = with("weights", attributes);
        let etag = cloud.object(MODELS, "m.tar.gz").expect("the source").etag;
        let marked = Attributes::default().metadata("promote-source-etag", &etag).checksum(Algorithm::Sha256);
        cloud.put_with(SERVING, &copy_key(), "WEIGHTS", marked);
        let run = promote(&cloud, &mode);
        run.fails(1, &["refusing to overwrite s3://serving/", "with s3://models/m.tar.gz (7 bytes", "they differ"]);
        assert_eq!((copy(&cloud).body.bytes(), promoted(&cloud).len()), ("WEIGHTS".into(), 0));
    }
}

#[test]
fn an_object_that_appears_at_the_target_meanwhile_is_compared_and_not_overwritten() {
    use crate::support::Moment;
    for (other, ends) in [("weights", 0), ("WEIGHTS", 1)] {
        for (mode, operation) in MODES.into_iter().zip(["CopyObject", "PutObject"]) {
            let cloud = with("weights", Attributes::default());
            let put = move |cloud: &Cloud| cloud.put(SERVING, &copy_key(), other);
            cloud.hook(Moment::on(operation, 1).at("m.tar.gz"), put);
            let run = promote(&cloud, &mode);
            assert_eq!(run.code, ends, "{}", run.stderr);
            assert_eq!(run.stderr.contains("refusing to overwrite"), ends == 1, "{}", run.stderr);
            assert_eq!((copy(&cloud).body.bytes(), promoted(&cloud).len()), (other.into(), 1 - ends as usize));
        }
    }
}
