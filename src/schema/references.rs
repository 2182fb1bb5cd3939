//! What a package refers to: a described package comes in, its references to S3 come out, each with its field.
//!
//! The table names the S3 members of the service model (35, each a text of at most 1024 characters). A walk over
//! all texts would take provenance for references and miss what a sibling member decides.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::arn::Malformed;
use crate::model::field::{Document, Field, each_leaf, is_map};
use crate::model::location::Location;

/// What a reference points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One object; a metrics report that is a folder is found as one.
    Object,
    /// Every object whose key begins with this one.
    Prefix,
    /// A CSV that lists where artifacts are (`ManifestS3Uri`).
    CsvManifest,
    /// A JSON list of keys below a prefix (a transform job's `ManifestFile`).
    JsonManifest,
    /// A place that jobs write to: rewritten, never copied.
    Output,
    /// A free text that is wholly one S3 URL: copied when something exists there.
    Environment,
}

impl Kind {
    /// Whether this is a list of locations, which are rewritten too.
    pub fn is_manifest(self) -> bool {
        match self {
            Self::CsvManifest | Self::JsonManifest => true,
            Self::Object | Self::Prefix | Self::Output | Self::Environment => false,
        }
    }
}

/// One member that refers to S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The member that holds the URL.
    pub field: Field,
    /// The URL, parsed.
    pub location: Location,
    /// What it points to.
    pub kind: Kind,
    /// The ETag of the object when the package was registered, if the package has kept it.
    pub etag: Option<String>,
}

/// How the kind of a leaf is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Object,
    /// The sibling `S3DataType` says whether it is an object, a prefix or a manifest.
    ByDataType,
    Csv,
    Output,
}

/// The S3 members of the service model.
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

/// The members that hold the ETag of a sibling: compared with the source object, then left out.
const ETAGS: [(&str, &str); 3] =
    [("ModelDataETag", "ModelDataUrl"), ("ETag", "S3Uri"), ("ManifestEtag", "ManifestS3Uri")];

/// Every reference to S3 in a described package, in the order of its members.
///
/// # Errors
/// A URL that is not one of S3, or a data type that cannot be promoted; both by their field.
pub fn references(package: &Document) -> Result<Vec<Reference>, Unusable> {
    let mut found = Ok(Vec::new());
    each_leaf(package, &mut |field, value| {
        let (Ok(references), Value::String(text)) = (&mut found, value) else { return };
        match reference(package, field, text) {
            Ok(reference) => references.extend(reference),
            Err(error) => found = Err(error),
        }
    });
    found
}

/// The members of a package that hold ETags of its source objects.
pub fn etags(package: &Document) -> Vec<Field> {
    let mut found = Vec::new();
    each_leaf(package, &mut |field, _| {
        let name = field.name().unwrap_or_default();
        // `ETag` as a key of an environment is somebody's variable.
        let structural = !is_map(&field.parent());
        if structural && ETAGS.iter().any(|(etag, _)| *etag == name) {
            found.push(field.clone());
        }
    });
    found
}

/// Why a reference cannot be promoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The member.
    pub field: Field,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

impl std::error::Error for Unusable {}

impl From<(Field, Malformed)> for Unusable {
    fn from((field, malformed): (Field, Malformed)) -> Self {
        Self { field, reason: format!("{malformed}. Correct it in the source, or register a package without it") }
    }
}

fn reference(package: &Document, field: &Field, text: &str) -> Result<Option<Reference>, Unusable> {
    let pattern = field.pattern();
    let kind = match LEAVES.iter().find(|(leaf, _)| *leaf == pattern) {
        Some((_, leaf)) => kind(package, field, *leaf)?,
        None if pattern.ends_with(".Environment{}") && is_one_url(text) => Kind::Environment,
        None => return Ok(None),
    };
    let location = match text.parse::<Location>() {
        // A variable that names a bucket is for writing there or for a library's own use: nobody serves a whole bucket.
        Ok(location) if kind == Kind::Environment && location.key.is_empty() => return Ok(None),
        Ok(location) => location,
        Err(_) if kind == Kind::Environment => return Ok(None),
        Err(malformed) => return Err((field.clone(), malformed).into()),
    };
    Ok(Some(Reference {
        field: field.clone(),
        kind: settle(kind, &location),
        location,
        etag: sibling_etag(package, field),
    }))
}

/// A model data URL that ends in `/` names a folder of models (the multi-model layout).
fn settle(kind: Kind, location: &Location) -> Kind {
    let folder = location.key.is_empty() || location.key.ends_with('/');
    if kind == Kind::Object && folder { Kind::Prefix } else { kind }
}

fn kind(package: &Document, field: &Field, leaf: Leaf) -> Result<Kind, Unusable> {
    match leaf {
        Leaf::Object => Ok(Kind::Object),
        Leaf::Csv => Ok(Kind::CsvManifest),
        Leaf::Output => Ok(Kind::Output),
        Leaf::ByDataType => {
            let sibling = field.parent().member("S3DataType");
            match sibling.get(package).and_then(Value::as_str) {
                Some("S3Object") => Ok(Kind::Object),
                Some("S3Prefix") => Ok(Kind::Prefix),
                Some("ManifestFile") => Ok(Kind::JsonManifest),
                other => Err(Unusable {
                    field: sibling,
                    reason: format!(
                        "'{}' cannot be promoted: the data lies in places it does not name. Register a package with an \
                         S3Object or S3Prefix",
                        other.unwrap_or("")
                    ),
                }),
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

/// Whether the text is an S3 URL and nothing else (an s3:// key may hold spaces, a list of URLs may not pass).
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
    fn the_data_type_beside_a_url_says_what_it_points_to() {
        for (data_type, kind) in
            [("S3Object", Kind::Object), ("S3Prefix", Kind::Prefix), ("ManifestFile", Kind::JsonManifest)]
        {
            let text = format!(
                r#"{{"InferenceSpecification":{{"Containers":[{{"ModelDataSource":{{"S3DataSource":{{"S3Uri":"s3://models/x","S3DataType":"{data_type}","ETag":"\"abc\""}}}}}}]}}}}"#
            );
            let found = references(&package(&text)).unwrap();
            assert_eq!((found[0].kind, found[0].etag.as_deref()), (kind, Some("abc")));
        }
    }

    #[test]
    fn an_augmented_manifest_is_refused_by_its_field() {
        let package = package(
            r#"{"InferenceSpecification":{"Containers":[{"AdditionalS3DataSource":{"S3Uri":"s3://models/x","S3DataType":"AugmentedManifestFile"}}]}}"#,
        );
        let error = references(&package).unwrap_err();
        assert!(error.field.to_string().ends_with("AdditionalS3DataSource.S3DataType"));
    }

    #[test]
    fn only_an_environment_value_that_is_wholly_one_url_is_a_reference() {
        let package = package(
            r#"{"InferenceSpecification":{"Containers":[{"Environment":{"A":"s3://models/code.tar.gz","B":"see s3://models/x","C":"s3://models/a,s3://models/b","D":"text"}}]}}"#,
        );
        let found = references(&package).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, Kind::Environment);
    }

    #[test]
    fn an_environment_value_that_names_a_whole_bucket_is_no_reference() {
        let environment =
            r#"{"InferenceSpecification":{"Containers":[{"Environment":{"A":"s3://models","B":"s3://models/"}}]}}"#;
        assert_eq!(references(&package(environment)).unwrap(), []);
    }

    #[test]
    fn a_model_data_url_that_ends_in_a_slash_is_a_prefix() {
        let found =
            references(&package(r#"{"InferenceSpecification":{"Containers":[{"ModelDataUrl":"s3://models/many/"}]}}"#));
        assert_eq!(found.unwrap()[0].kind, Kind::Prefix);
    }

    #[test]
    fn a_url_of_another_host_is_refused_by_its_field() {
        let error = references(&package(r#"{"SamplePayloadUrl":"https://example.com/x"}"#)).unwrap_err();
        assert_eq!(error.field.to_string(), "SamplePayloadUrl");
    }
}
