//! Renders the images of a record.

use indicatif::HumanBytes;

use crate::model::words::counted;
use crate::record::{ImageFacts, ImageOutcome};
use crate::run::status::named_images::NamedImage;

/// One line about all images.
pub(super) fn summary(images: &[ImageFacts]) -> String {
    let mut parts = [
        (ImageOutcome::Copied, "copied", 0),
        (ImageOutcome::AlreadyThere, "already copied", 0),
        (ImageOutcome::Recorded, "recorded", 0),
        (ImageOutcome::Planned, "to be copied", 0),
        (ImageOutcome::ReRegioned, "provided by AWS in the target's region", 0),
        (ImageOutcome::Kept, "kept", 0),
    ];
    for image in images {
        parts.iter_mut().filter(|(outcome, ..)| *outcome == image.result).for_each(|(.., count)| *count += 1);
    }
    let parts = parts.into_iter().filter(|(.., count)| *count > 0);
    let parts: Vec<String> = parts.map(|(_, name, count)| format!("{count} {name}")).collect();
    let bytes: u64 = images.iter().filter_map(|image| image.bytes).sum();
    let size = if bytes == 0 { String::new() } else { format!(", {}", HumanBytes(bytes)) };
    format!("{}{size}: {}", counted(images.len(), "image"), parts.join(", "))
}

/// One line about an image.
pub(super) fn line(image: &ImageFacts) -> String {
    let size = image.bytes.map(|bytes| HumanBytes(bytes).to_string()).unwrap_or_default();
    format!("{size:>10}  {:<30}  {}", result(image), image.source)
}

/// One line about an image of a promoted version.
pub(super) fn of_version(image: &NamedImage) -> String {
    let (name, digest) = (&image.image, image.digest.as_ref().filter(|digest| !image.image.contains(*digest)));
    let digest = digest.map(|digest| format!(" ({digest})")).unwrap_or_default();
    let result = image.result.map_or("no record", outcome);
    let source = image.source.as_ref().filter(|source| *source != name);
    let source = source.map(|source| format!(" from {source}")).unwrap_or_default();
    format!("{name}{digest}, {result}{source}")
}

/// What became of an image, in words.
pub(super) fn outcome(outcome: ImageOutcome) -> &'static str {
    match outcome {
        ImageOutcome::Planned => "to be copied",
        ImageOutcome::Copied => "copied",
        ImageOutcome::AlreadyThere => "already copied",
        ImageOutcome::Recorded => "recorded",
        ImageOutcome::ReRegioned => "provided by AWS",
        ImageOutcome::Kept => "kept",
    }
}

fn result(image: &ImageFacts) -> String {
    let missing = match (image.missing_layers, image.layers) {
        (Some(missing), Some(layers)) => {
            format!("{missing} of {layers} layers, {}", HumanBytes(image.missing_bytes.unwrap_or_default()))
        }
        _ => String::new(),
    };
    match image.result {
        ImageOutcome::Planned => format!("to be copied ({missing})"),
        ImageOutcome::Copied => format!("copied ({missing})"),
        ImageOutcome::AlreadyThere => "already copied".into(),
        ImageOutcome::Recorded => "recorded".into(),
        ImageOutcome::ReRegioned => format!("AWS provides {}", image.target),
        ImageOutcome::Kept if image.target != image.source => format!("kept as {}", image.target),
        ImageOutcome::Kept => "kept".into(),
    }
}
