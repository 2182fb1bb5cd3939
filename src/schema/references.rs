//! Finds the S3 references of a model package.
//!
//! A table lists the 35 S3 fields of the service model. A search for S3 URLs in all strings would mistake provenance
//! for references, and could not take the sibling field `S3DataType` into account.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::field::{Document, Field, each_leaf, is_map};
use crate::model::location::Location;
use crate::schema::environment::is_loaded_from;
use crate::schema::shapes::Violation;

/// What a reference points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// One object, or a folder of this name if no such object exists, for example a metrics report.
    Object,
    /// Every object below a key prefix.
    Prefix,
    /// A CSV file that lists locations of artifacts (`ManifestS3Uri`).
    CsvManifest,
    /// A JSON list of keys below a prefix (data type `ManifestFile` of a transform job).
    JsonManifest,
    /// A location that jobs write to: rewritten, never copied.
    Output,
    /// An environment variable whose value is one S3 URL: an object or a folder.
    Environment,
}

impl ReferenceKind {
    /// Whether the object lists further locations, which are rewritten too.
    pub fn is_manifest(self) -> bool {
        match self {
            Self::CsvManifest | Self::JsonManifest => true,
            Self::Object | Self::Prefix | Self::Output | Self::Environment => false,
        }
    }
}

/// A field that refers to S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The field that holds the URL.
    pub field: Field,
    /// The URL, parsed.
    pub location: Location,
    /// What the URL points to.
    pub kind: ReferenceKind,
    /// The ETag of the object at the time of the registration, if the package states it.
    pub etag: Option<String>,
}

impl Reference {
    /// Whether the field names a report about the model: a metric or a drift baseline, which no container loads.
    pub fn is_report(&self) -> bool {
        matches!(self.field.root(), "ModelMetrics" | "DriftCheckBaselines")
    }

    /// Whether the field is an environment variable that SageMaker's containers load from.
    pub fn is_loaded(&self) -> bool {
        self.kind == ReferenceKind::Environment && names_loaded(&self.field)
    }

    /// Whether the field names a whole bucket where one object is meant.
    pub fn is_bucket_without_object(&self) -> bool {
        self.location.key.is_empty() && (self.is_report() || self.field.root() == "SamplePayloadUrl")
    }
}

/// How the kind of an S3 field is determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Object,
    /// The sibling field `S3DataType` distinguishes objects, prefixes and manifests.
    ByDataType,
    Csv,
    Output,
}

/// The S3 fields of the service model, as [`Field::pattern`] writes them.
const LEAVES: [(&str, Leaf); 35] = [
    (
        "AdditionalInferenceSpecifications[].Containers[].AdditionalModelDataSources[].S3DataSource.ManifestS3Uri",
        Leaf::Csv,
    ),
    (
        "AdditionalInferenceSpecifications[].Containers[].AdditionalModelDataSources[].S3DataSource.S3Uri",
        Leaf::ByDataType,
    ),
    ("AdditionalInferenceSpecifications[].Containers[].AdditionalS3DataSource.S3Uri", Leaf::ByDataType),
    ("AdditionalInferenceSpecifications[].Containers[].ModelDataSource.S3DataSource.ManifestS3Uri", Leaf::Csv),
    ("AdditionalInferenceSpecifications[].Containers[].ModelDataSource.S3DataSource.S3Uri", Leaf::ByDataType),
    ("AdditionalInferenceSpecifications[].Containers[].ModelDataUrl", Leaf::Object),
    ("DriftCheckBaselines.Bias.ConfigFile.S3Uri", Leaf::Object),
    ("DriftCheckBaselines.Bias.PostTrainingConstraints.S3Uri", Leaf::Object),
    ("DriftCheckBaselines.Bias.PreTrainingConstraints.S3Uri", Leaf::Object),
    ("DriftCheckBaselines.Explainability.ConfigFile.S3Uri", Leaf::Object),
    ("DriftCheckBaselines.Explainability.Constraints.S3Uri", Leaf::Object),
    ("DriftCheckBaselines.ModelDataQuality.Constraints.S3Uri", Leaf::Object),
    ("DriftCheckBaselines.ModelDataQuality.Statistics.S3Uri", Leaf::Object),
    ("DriftCheckBaselines.ModelQuality.Constraints.S3Uri", Leaf::Object),
    ("DriftCheckBaselines.ModelQuality.Statistics.S3Uri", Leaf::Object),
    ("InferenceSpecification.Containers[].AdditionalModelDataSources[].S3DataSource.ManifestS3Uri", Leaf::Csv),
    ("InferenceSpecification.Containers[].AdditionalModelDataSources[].S3DataSource.S3Uri", Leaf::ByDataType),
    ("InferenceSpecification.Containers[].AdditionalS3DataSource.S3Uri", Leaf::ByDataType),
    ("InferenceSpecification.Containers[].ModelDataSource.S3DataSource.ManifestS3Uri", Leaf::Csv),
    ("InferenceSpecification.Containers[].ModelDataSource.S3DataSource.S3Uri", Leaf::ByDataType),
    ("InferenceSpecification.Containers[].ModelDataUrl", Leaf::Object),
    ("ModelMetrics.Bias.PostTrainingReport.S3Uri", Leaf::Object),
    ("ModelMetrics.Bias.PreTrainingReport.S3Uri", Leaf::Object),
    ("ModelMetrics.Bias.Report.S3Uri", Leaf::Object),
    ("ModelMetrics.Explainability.Report.S3Uri", Leaf::Object),
    ("ModelMetrics.ModelDataQuality.Constraints.S3Uri", Leaf::Object),
    ("ModelMetrics.ModelDataQuality.Statistics.S3Uri", Leaf::Object),
    ("ModelMetrics.ModelQuality.Constraints.S3Uri", Leaf::Object),
    ("ModelMetrics.ModelQuality.Statistics.S3Uri", Leaf::Object),
    ("SamplePayloadUrl", Leaf::Object),
    ("SourceAlgorithmSpecification.SourceAlgorithms[].ModelDataSource.S3DataSource.ManifestS3Uri", Leaf::Csv),
    ("SourceAlgorithmSpecification.SourceAlgorithms[].ModelDataSource.S3DataSource.S3Uri", Leaf::ByDataType),
    ("SourceAlgorithmSpecification.SourceAlgorithms[].ModelDataUrl", Leaf::Object),
    (
        "ValidationSpecification.ValidationProfiles[].TransformJobDefinition.TransformInput.DataSource.S3DataSource.S3Uri",
        Leaf::ByDataType,
    ),
    ("ValidationSpecification.ValidationProfiles[].TransformJobDefinition.TransformOutput.S3OutputPath", Leaf::Output),
];

/// Fields that hold the ETag of a sibling's object: compared with the source object, then omitted from the request.
const ETAGS: [(&str, &str); 3] =
    [("ModelDataETag", "ModelDataUrl"), ("ETag", "S3Uri"), ("ManifestEtag", "ManifestS3Uri")];

/// Lists the S3 references of a described package in document order.
///
/// # Errors
/// Every field with a URL that is not an S3 URL, or with a data type that cannot be promoted.
pub fn references(package: &Document) -> Result<Vec<Reference>, Vec<Violation>> {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    each_leaf(package, &mut |field, value| {
        let Value::String(text) = value else { return };
        match reference(package, field, text) {
            Ok(reference) => found.extend(reference),
            Err(violation) => refused.push(violation),
        }
    });
    if refused.is_empty() { Ok(found) } else { Err(refused) }
}

/// Lists the fields of a package that hold ETags of source objects.
pub fn etags(package: &Document) -> Vec<Field> {
    let mut found = Vec::new();
    each_leaf(package, &mut |field, _| {
        let name = field.name().unwrap_or_default();
        // An entry named `ETag` of an environment is a variable of the container.
        let in_structure = !is_map(&field.parent());
        if in_structure && ETAGS.iter().any(|(etag, _)| *etag == name) {
            found.push(field.clone());
        }
    });
    found
}

/// Whether a hub serves the object of this S3 data source. Its location is the hub's, and nobody can be granted access
/// to it (InferenceHubAccessConfig).
pub(crate) fn is_served_by_hub(package: &Document, field: &Field) -> bool {
    field.parent().member("HubAccessConfig").get(package).is_some()
}

fn reference(package: &Document, field: &Field, text: &str) -> Result<Option<Reference>, Violation> {
    let pattern = field.pattern();
    let kind = match LEAVES.iter().find(|(leaf, _)| *leaf == pattern) {
        Some(_) if is_served_by_hub(package, field) => return Ok(None),
        Some((_, leaf)) => kind(package, field, *leaf)?,
        None if pattern.ends_with(".Environment{}") && is_one_url(text) => ReferenceKind::Environment,
        None => return Ok(None),
    };
    let location = match text.parse::<Location>() {
        // A variable that names a whole bucket tells the container where to write, unless a container loads from it.
        Ok(location) if kind == ReferenceKind::Environment && location.key.is_empty() && !names_loaded(field) => {
            return Ok(None);
        }
        Ok(location) => location,
        Err(_) if kind == ReferenceKind::Environment && !names_loaded(field) => return Ok(None),
        Err(malformed) => return Err(Violation::new(field.clone(), format!("is malformed: {malformed}"))),
    };
    Ok(Some(Reference {
        field: field.clone(),
        kind: kind_at(&location, kind),
        location,
        etag: sibling_etag(package, field),
    }))
}

fn names_loaded(variable: &Field) -> bool {
    variable.name().is_some_and(is_loaded_from)
}

/// A model data URL that ends in `/` names a folder of models (multi-model endpoints).
fn kind_at(location: &Location, kind: ReferenceKind) -> ReferenceKind {
    let folder = location.key.is_empty() || location.key.ends_with('/');
    if kind == ReferenceKind::Object && folder { ReferenceKind::Prefix } else { kind }
}

fn kind(package: &Document, field: &Field, leaf: Leaf) -> Result<ReferenceKind, Violation> {
    match leaf {
        Leaf::Object => Ok(ReferenceKind::Object),
        Leaf::Csv => Ok(ReferenceKind::CsvManifest),
        Leaf::Output => Ok(ReferenceKind::Output),
        Leaf::ByDataType => {
            let sibling = field.parent().member("S3DataType");
            match sibling.get(package).and_then(Value::as_str) {
                Some("S3Object") => Ok(ReferenceKind::Object),
                Some("S3Prefix") => Ok(ReferenceKind::Prefix),
                // Only transform jobs accept manifests (TransformS3DataSource; S3ModelDataSource has two data types).
                Some("ManifestFile") if field.root() == "ValidationSpecification" => Ok(ReferenceKind::JsonManifest),
                other => {
                    let other = other.unwrap_or("");
                    Err(Violation::new(sibling, format!("is the data type '{other}', which cannot be promoted")))
                }
            }
        }
    }
}

fn sibling_etag(package: &Document, field: &Field) -> Option<String> {
    let name = field.name()?;
    let (etag, _) = ETAGS.iter().find(|(_, of)| *of == name)?;
    let text = field.parent().member(etag).get(package)?.as_str()?.trim_matches('"');
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether the text is exactly one S3 URL. A key may contain spaces; a list of URLs is not one URL.
pub(crate) fn is_one_url(text: &str) -> bool {
    Location::is_claimed_by(text) && !text.contains(['\n', ',']) && text.matches("://").count() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(text: &str) -> Document {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_data_type_determines_the_kind_of_a_reference() {
        for (data_type, kind) in [("S3Object", ReferenceKind::Object), ("S3Prefix", ReferenceKind::Prefix)] {
            let text = format!(
                r#"{{"InferenceSpecification":{{"Containers":[{{"ModelDataSource":{{"S3DataSource":{{"S3Uri":"s3://models/x","S3DataType":"{data_type}","ETag":"\"abc\""}}}}}}]}}}}"#
            );
            let found = references(&package(&text)).unwrap();
            assert_eq!((found[0].kind, found[0].etag.as_deref()), (kind, Some("abc")));
        }
    }

    #[test]
    fn an_augmented_manifest_is_refused() {
        let package = package(
            r#"{"InferenceSpecification":{"Containers":[{"AdditionalS3DataSource":{"S3Uri":"s3://models/x","S3DataType":"AugmentedManifestFile"}}]}}"#,
        );
        let refused: Vec<String> = references(&package).unwrap_err().iter().map(Violation::to_string).collect();
        let expected =
            "AdditionalS3DataSource.S3DataType is the data type 'AugmentedManifestFile', which cannot be promoted";
        assert!(refused.len() == 1 && refused[0].ends_with(expected), "{refused:?}");
    }

    #[test]
    fn an_environment_value_is_a_reference_only_if_it_is_exactly_one_url() {
        let package = package(
            r#"{"InferenceSpecification":{"Containers":[{"Environment":{"A":"s3://models/code.tar.gz","B":"see s3://models/x","C":"s3://models/a,s3://models/b","D":"text"}}]}}"#,
        );
        let found = references(&package).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, ReferenceKind::Environment);
    }

    #[test]
    fn an_environment_value_that_names_a_whole_bucket_is_not_a_reference() {
        let environment =
            r#"{"InferenceSpecification":{"Containers":[{"Environment":{"A":"s3://models","B":"s3://models/"}}]}}"#;
        assert_eq!(references(&package(environment)).unwrap(), []);
        let loaded = r#"{"InferenceSpecification":{"Containers":[{"Environment":{"HF_MODEL_ID":"s3://models"}}]}}"#;
        assert!(references(&package(loaded)).unwrap()[0].is_loaded());
    }

    #[test]
    fn a_model_data_url_that_ends_in_a_slash_is_a_prefix() {
        let found =
            references(&package(r#"{"InferenceSpecification":{"Containers":[{"ModelDataUrl":"s3://models/many/"}]}}"#));
        assert_eq!(found.unwrap()[0].kind, ReferenceKind::Prefix);
    }

    #[test]
    fn a_url_of_another_host_is_refused() {
        let refused = references(&package(r#"{"SamplePayloadUrl":"https://example.com/x"}"#)).unwrap_err();
        assert!(refused[0].to_string().starts_with("SamplePayloadUrl is malformed: "), "{refused:?}");
    }
}
