//! Objects in the folder of a promotion that are not part of it.

use anyhow::Result;

use crate::aws::objects::Listed;
use crate::copy::Folder;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::record::Record;
use crate::record::verification::{Findings, Subject, Verdict};

/// Reports objects in the folder that are not part of the promotion. Below a model's prefix, such an object would be
/// deployed with the model.
pub(super) fn unexpected_objects(
    layout: &Layout,
    record: &Record,
    there: &Folder,
    findings: &mut Findings,
) -> Result<()> {
    for location in record.other_objects.iter() {
        let location = location?;
        if there.at(&location)?.is_some() {
            there.expect(&location.key)?;
            let detail = "the object is not part of the promotion, and the record says so";
            findings.add(Subject::Artifact, &location.to_string(), (Verdict::Kept, detail.into()))?;
        }
    }
    for listed in there.unexpected() {
        let Listed { key, .. } = listed?;
        if !layout.is_own(&key) {
            let location = Location::new(&layout.folder().bucket, key).to_string();
            let detail = "the object is not part of the promotion";
            findings.add(Subject::Artifact, &location, (Verdict::Changed, detail.into()))?;
        }
    }
    Ok(())
}
