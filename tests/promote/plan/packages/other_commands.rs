//! The commands that come before a promotion, and those that come after it.

use super::*;

impl Package<'_> {
    /// Doctor finds nothing that is denied or missing.
    pub(super) fn examined(&self) -> Result<()> {
        let doctor = ["doctor", "--group", &self.group(), "--target-bucket", SERVING, "--target-group", "by-full"];
        let run = run(&self.cloud, Principal::Both, &[&doctor[..], &self.arguments(), &["--output", "json"]].concat());
        let document: Value = serde_json::from_str(&run.stdout).with_context(|| run.stderr.clone())?;
        let plan = document["checks"].as_array().into_iter().flatten().find(|check| check["action"] == "plan");
        // Whether the target may create a repository cannot be tested.
        let code = if document["result"] == "not-testable" { 3 } else { 0 };
        ensure!(run.code == code && plan.is_some_and(|plan| plan["result"] == "ok"), "{document:#}");
        Ok(())
    }

    /// The source rejects the version while the group is held, and approves it again. A second version is rolled back.
    pub(super) fn withdrawn_and_rolled_back(&self) -> Result<()> {
        let on_group = |verb, more: &[&str]| {
            let to = [verb, "--target-group", "by-full", "--target-bucket", SERVING];
            self.document(&[&to[..], more].concat())
        };
        ensure!(on_group("hold", &["--reason", "Audit"])?["outcome"] == "held");
        self.decide("Rejected");
        let withdraw = ["withdraw", "--group", &self.group(), "--target-bucket", SERVING, "--target-group", "by-full"];
        let withdrawn = self.document(&withdraw)?;
        ensure!(withdrawn["outcome"] == "withdrawn" && self.statuses() == ["Rejected"], "{withdrawn:#}");
        ensure!(on_group("release", &[])?["outcome"] == "released");
        self.decide("Approved");
        let again = self.full(&[])?;
        ensure!(again["outcome"] == "approved-again" && self.statuses() == ["Approved"], "{again:#}");
        self.cloud.register(self.case["package"].clone());
        let second = self.full(&[])?;
        ensure!(second["outcome"] == "promoted", "{second:#}");
        let back = on_group("rollback", &["--reason", "Latency", "--settle-seconds", "0"])?;
        ensure!(back["outcome"] == "rolled-back" && self.statuses() == ["Approved", "Rejected"], "{back:#}");
        Ok(())
    }

    /// A file describes the promotion. It has no member for most of the arguments of a single one.
    pub(super) fn promoted_by_a_file(&self) -> Result<()> {
        if !self.arguments().is_empty() {
            return Ok(());
        }
        let text = format!(
            "promotions:\n  it:\n    source: {{group: '{}'}}\n    targets:\n      there: {{bucket: {SERVING}, group: by-file}}\n",
            self.group()
        );
        let file = self.cloud.home().join("promotions.yaml");
        fs::write(&file, text)?;
        let file = file.display().to_string();
        let planned = self.document(&["plan", "--file", &file])?;
        ensure!(planned["summary"]["outcomes"] == json!({"planned": 1}), "{planned:#}");
        ensure!(self.versions("by-file").is_empty(), "a plan writes nothing");
        let applied = self.document(&["apply", "--file", &file])?;
        ensure!(applied["summary"]["outcomes"] == json!({"promoted": 1}), "{applied:#}");
        let document = &applied["targets"][0]["groups"][0]["document"];
        self.is_the_source(document, "by-file")?;
        self.verified("by-file")
    }

    fn decide(&self, approval: &str) {
        self.cloud.change(&self.arn, json!({"ModelApprovalStatus": approval}));
    }

    fn statuses(&self) -> Vec<String> {
        let text = |one: &Value| one["ModelApprovalStatus"].as_str().unwrap_or_default().to_owned();
        self.versions("by-full").iter().map(text).collect()
    }
}
