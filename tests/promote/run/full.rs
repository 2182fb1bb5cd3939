//! `promote full`.

use crate::world::*;

#[test]
fn the_latest_approved_version_is_promoted_with_its_artifacts() {
    let cloud = with_package();
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["outcome"], "promoted", "{document:#}");
    let versions = promoted(&cloud);
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0]["ModelApprovalStatus"], "Approved");
    assert_eq!(versions[0]["ApprovalDescription"], "Reviewed by the risk board");
    for key in ["churn/model.tar.gz", "churn/report.json", "churn/llm/config.json", "churn/llm/shard/1.bin"] {
        let copy = cloud.object(SERVING, &format!("{FOLDER}models/{key}")).expect(key);
        assert_eq!(copy.body, cloud.object(MODELS, key).expect(key).body);
    }
}

#[test]
fn a_second_run_registers_nothing_and_says_so() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let again = promote(&cloud, &[]).document();
    assert_eq!(again["outcome"], "already-promoted");
    assert_eq!(promoted(&cloud).len(), 1);
    assert_eq!(again["artifacts"].as_array().map(Vec::len), Some(4));
}
