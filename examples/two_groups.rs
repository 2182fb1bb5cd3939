//! Promotes two groups side by side: `cargo run --example two_groups -- BUCKET GROUP_ARN GROUP_ARN`.
//!
//! The source is read, and the target written, with the AWS credentials of the environment.

use promote::aws::session::Access;
use promote::model::arn::GroupArn;
use promote::run::settings::FullSettings;
use promote::run::{Context, full};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints its result")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bucket, first, second] = arguments.as_slice() else { anyhow::bail!("expected BUCKET GROUP_ARN GROUP_ARN") };
    let region = first.parse::<GroupArn>()?.region().clone();
    let context = Context::new(Access { region: Some(region), ..Access::default() }, Access::default());
    let settings = |group: &str| -> anyhow::Result<FullSettings> {
        Ok(serde_json::from_value(serde_json::json!({
            "selection": { "group": group },
            "destination": { "bucket": bucket },
        }))?)
    };
    let settings = [settings(first)?, settings(second)?];
    let (first, second) = tokio::join!(full(&context, &settings[0]), full(&context, &settings[1]));
    for report in [first?, second?] {
        match report.promoted() {
            Some(version) => println!("{version}"),
            None => println!("no version of {} is approved", report.document.source.group),
        }
    }
    Ok(())
}
