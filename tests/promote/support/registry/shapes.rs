//! The shapes of the requests that the registry takes, and the check of a request against them.

use serde_json::Value;

/// One shape a line, continued on indented ones: `member=type`, with `!` behind a required member. Types:
/// `text:min-max`, `name`, `ref` (an ARN or name), `token`, `uri`, `digest`, `enum:A|B`, `bool`, `int`, `number`,
/// `map:key lengths:value lengths:most entries`, `metadata`, `[type]min-max`, or a shape.
const SHAPES: &str = "
CreateModelPackage: ModelPackageName=name ModelPackageGroupName=ref ModelPackageDescription=text:0-1024
    ModelPackageRegistrationType=enum:Logged|Registered InferenceSpecification=Inference
    ValidationSpecification=Validation SourceAlgorithmSpecification=Algorithms CertifyForMarketplace=bool
    Tags=[Tag]0-50 ModelApprovalStatus=enum:Approved|Rejected|PendingManualApproval MetadataProperties=Properties
    ModelMetrics=Metrics ClientToken=token Domain=text:0-9999 Task=text:0-9999 SamplePayloadUrl=uri
    CustomerMetadataProperties=metadata DriftCheckBaselines=Baselines
    AdditionalInferenceSpecifications=[Additional]1-15 SkipModelValidation=enum:All|None SourceUri=text:0-1024
    SecurityConfig=Security ModelCard=Card ModelLifeCycle=LifeCycle ManagedStorageType=enum:Restricted
UpdateModelPackage: ModelPackageArn!=text:1-2048 ModelApprovalStatus=enum:Approved|Rejected|PendingManualApproval
    ModelPackageRegistrationType=enum:Logged|Registered ApprovalDescription=text:0-1024
    CustomerMetadataProperties=metadata CustomerMetadataPropertiesToRemove=[text:1-128]0-9999
    AdditionalInferenceSpecificationsToAdd=[Additional]1-15 InferenceSpecification=Inference SourceUri=text:0-1024
    ModelCard=Card ModelLifeCycle=LifeCycle ClientToken=token
DescribeModelPackage: ModelPackageName!=ref IncludedData=enum:AllData|MetadataOnly
DeleteModelPackage: ModelPackageName!=ref
ListModelPackages: CreationTimeAfter=number CreationTimeBefore=number MaxResults=int NameContains=text:0-63
    ModelApprovalStatus=enum:Approved|Rejected|PendingManualApproval ModelPackageGroupName=ref
    ModelPackageType=enum:Versioned|Unversioned|Both NextToken=text:0-8192 SortBy=enum:Name|CreationTime
    SortOrder=enum:Ascending|Descending
CreateModelPackageGroup: ModelPackageGroupName!=name ModelPackageGroupDescription=text:0-1024 Tags=[Tag]0-50
    ManagedConfiguration=Managed
DescribeModelPackageGroup: ModelPackageGroupName!=ref
DeleteModelPackageGroup: ModelPackageGroupName!=ref
ListModelPackageGroups: CreationTimeAfter=number CreationTimeBefore=number MaxResults=int NameContains=text:0-63
    CrossAccountFilterOption=enum:SameAccount|CrossAccount NextToken=text:0-8192 SortBy=enum:Name|CreationTime
    SortOrder=enum:Ascending|Descending
GetModelPackageGroupPolicy: ModelPackageGroupName!=name
ListTags: ResourceArn!=text:1-256 NextToken=text:0-8192 MaxResults=int
AddTags: ResourceArn!=text:1-256 Tags!=[Tag]0-50
Tag: Key!=text:1-128 Value!=text:0-256
Managed: ManagedStorageType=enum:Restricted
Properties: CommitId=text:0-1024 Repository=text:0-1024 GeneratedBy=text:0-1024 ProjectId=text:0-1024
Security: KmsKeyId!=text:0-2048
Card: ModelCardContent=text:0-100000 ModelCardStatus=enum:Draft|PendingReview|Approved|Archived
LifeCycle: Stage!=name StageStatus!=name StageDescription=text:0-1024
Inference: Containers!=[Container]1-15 SupportedTransformInstanceTypes=[text:1-99]1-999
    SupportedRealtimeInferenceInstanceTypes=[text:1-99]0-999 SupportedContentTypes=[text:0-256]0-999
    SupportedResponseMIMETypes=[text:0-1024]0-999
Additional: Name!=name Description=text:0-1024 Containers!=[Container]1-15
    SupportedTransformInstanceTypes=[text:1-99]1-999 SupportedRealtimeInferenceInstanceTypes=[text:1-99]0-999
    SupportedContentTypes=[text:0-256]0-999 SupportedResponseMIMETypes=[text:0-1024]0-999
Container: ContainerHostname=name Image=text:1-255 ImageDigest=digest ModelDataUrl=uri ModelDataSource=DataSource
    ProductId=text:1-256 Environment=map:1-1024:0-1024:100 ModelInput=ModelInput Framework=text:0-9999
    FrameworkVersion=text:3-10 NearestModelName=text:0-9999 AdditionalModelDataSources=[AdditionalSource]0-5
    AdditionalS3DataSource=AdditionalS3 ModelDataETag=text:0-9999 IsCheckpoint=bool BaseModel=BaseModel
DataSource: S3DataSource=S3Model
S3Model: S3Uri!=uri S3DataType!=enum:S3Prefix|S3Object CompressionType!=enum:None|Gzip ModelAccessConfig=Access
    HubAccessConfig=Hub ManifestS3Uri=uri ETag=text:0-9999 ManifestEtag=text:0-9999
Access: AcceptEula!=bool
Hub: HubContentArn!=text:0-255
ModelInput: DataInputConfig!=text:1-16384
AdditionalSource: ChannelName!=text:1-64 S3DataSource!=S3Model
AdditionalS3: S3DataType!=enum:S3Object|S3Prefix S3Uri!=uri CompressionType=enum:None|Gzip ETag=text:0-9999
BaseModel: HubContentName=name HubContentVersion=text:5-14 RecipeName=text:0-255
Algorithms: SourceAlgorithms!=[Algorithm]1-1
Algorithm: ModelDataUrl=uri ModelDataSource=DataSource ModelDataETag=text:0-9999 AlgorithmName!=ref
Metrics: ModelQuality=Quality ModelDataQuality=Quality Bias=Bias Explainability=Explainability
Quality: Statistics=Metric Constraints=Metric
Bias: Report=Metric PreTrainingReport=Metric PostTrainingReport=Metric
Explainability: Report=Metric
Metric: ContentType!=text:0-256 ContentDigest=digest S3Uri!=uri
File: ContentType=text:0-256 ContentDigest=digest S3Uri!=uri
Baselines: Bias=DriftBias Explainability=DriftExplainability ModelQuality=Quality ModelDataQuality=Quality
DriftBias: ConfigFile=File PreTrainingConstraints=Metric PostTrainingConstraints=Metric
DriftExplainability: Constraints=Metric ConfigFile=File
Validation: ValidationRole!=text:20-2048 ValidationProfiles!=[Profile]0-1
Profile: ProfileName!=name TransformJobDefinition!=Job
Job: MaxConcurrentTransforms=int MaxPayloadInMB=int BatchStrategy=enum:MultiRecord|SingleRecord
    Environment=map:1-1024:0-10240:16 TransformInput!=Input TransformOutput!=Output TransformResources!=Resources
Input: DataSource!=JobSource ContentType=text:0-256 CompressionType=enum:None|Gzip
    SplitType=enum:None|Line|RecordIO|TFRecord
JobSource: S3DataSource!=JobS3
JobS3: S3DataType!=enum:ManifestFile|S3Prefix|AugmentedManifestFile|Converse S3Uri!=uri
Output: S3OutputPath!=uri Accept=text:0-256 AssembleWith=enum:None|Line KmsKeyId=text:0-2048
Resources: InstanceType!=text:1-99 InstanceCount!=int VolumeKmsKeyId=text:0-2048 TransformAmiVersion=text:1-63
";

/// Whether there is such an operation (or shape).
pub fn knows(shape: &str) -> bool {
    SHAPES.contains(&format!("\n{shape}:"))
}

/// What is wrong with a value that should have this shape, and where.
pub fn check(shape: &str, value: &Value) -> Result<(), String> {
    of_type(shape, value, "").map_err(|problem| format!("1 validation error detected: {problem}"))
}

fn of_type(kind: &str, value: &Value, at: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("Value {value} at '{at}' failed to satisfy constraint: {why}"));
    let (word, rest) = kind.split_once(':').unwrap_or((kind, ""));
    match (word, value) {
        _ if kind.starts_with('[') => list(kind, value, at),
        ("bool", Value::Bool(_)) => Ok(()),
        ("int", Value::Number(number)) if number.is_u64() => Ok(()),
        ("number", Value::Number(_)) => Ok(()),
        ("map", Value::Object(members)) => map(rest, members, at),
        ("metadata", Value::Object(members)) => metadata(members, at),
        ("text", Value::String(text)) => match length(rest, text) {
            true => Ok(()),
            false => wrong(&format!("Member must have length {rest}")),
        },
        ("enum", Value::String(text)) if rest.split('|').any(|one| one == text) => Ok(()),
        ("enum", _) => wrong(&format!("Member must satisfy enum value set: [{rest}]")),
        ("name", Value::String(text)) if is_name(text) => Ok(()),
        ("ref", Value::String(text)) if is_reference(text) => Ok(()),
        ("token", Value::String(text))
            if length("1-36", text) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') =>
        {
            Ok(())
        }
        ("uri", Value::String(text)) if is_uri(text) => Ok(()),
        ("digest", Value::String(text)) if is_digest(text) => Ok(()),
        ("name" | "ref" | "token" | "uri" | "digest", Value::String(_)) => {
            wrong(&format!("Member must satisfy the pattern of a {word}"))
        }
        (shape, Value::Object(members)) if shape.starts_with(char::is_uppercase) => structure(shape, members, at),
        _ => Err(format!("SerializationException at '{at}': {value} is not a {kind}")),
    }
}

fn structure(shape: &str, members: &serde_json::Map<String, Value>, at: &str) -> Result<(), String> {
    let (_, text) = SHAPES.split_once(&format!("\n{shape}:")).unwrap_or_default();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let lines = std::iter::once(first).chain(rest.lines().take_while(|line| line.starts_with(' ')));
    let known: Vec<(&str, &str)> =
        lines.flat_map(str::split_whitespace).filter_map(|member| member.split_once('=')).collect();
    for (name, _) in &known {
        if let Some(name) = name.strip_suffix('!')
            && !members.contains_key(name)
        {
            return Err(format!("Value null at '{at}.{name}' failed to satisfy constraint: Member must not be null"));
        }
    }
    for (name, value) in members {
        let Some((_, kind)) = known.iter().find(|(known, _)| known.trim_end_matches('!') == name) else {
            return Err(format!("'{at}.{name}' is not a member of {shape}"));
        };
        of_type(kind, value, &format!("{at}.{name}"))?;
    }
    Ok(())
}

/// `[type]min-max`
fn list(kind: &str, value: &Value, at: &str) -> Result<(), String> {
    let (inner, bounds) = kind[1..].rsplit_once(']').unwrap_or((kind, "0-0"));
    let Some(items) = value.as_array() else { return Err(format!("SerializationException at '{at}'")) };
    if !within(bounds, items.len()) {
        return Err(format!("Value at '{at}' failed to satisfy constraint: Member must have length {bounds}"));
    }
    for (index, item) in items.iter().enumerate() {
        of_type(inner, item, &format!("{at}.{}.member", index + 1))?;
    }
    Ok(())
}

/// CustomerMetadataProperties.
fn metadata(members: &serde_json::Map<String, Value>, at: &str) -> Result<(), String> {
    if members.is_empty() {
        return Err(format!("Value at '{at}' failed to satisfy constraint: Member must have length greater than 0"));
    }
    map("1-128:1-256:50", members, at)?;
    let texts = members.iter().flat_map(|(key, value)| [key.as_str(), value.as_str().unwrap_or("")]);
    match texts.into_iter().find(|text| !text.chars().all(in_metadata)) {
        Some(text) => Err(format!(
            "Value '{text}' at '{at}' failed to satisfy constraint: Member must satisfy regular expression \
            pattern: ([\\p{{L}}\\p{{Z}}\\p{{N}}_.:\\/=+\\-@]*)"
        )),
        None => Ok(()),
    }
}

/// `kmin-kmax:vmin-vmax:max`
fn map(rules: &str, members: &serde_json::Map<String, Value>, at: &str) -> Result<(), String> {
    let mut rules = rules.split(':');
    let (keys, values, max) = (rules.next(), rules.next(), rules.next());
    if members.len() > max.and_then(|max| max.parse().ok()).unwrap_or(0) {
        return Err(format!("Value at '{at}' failed to satisfy constraint: Member must have at most {max:?} entries"));
    }
    for (key, value) in members {
        let fits =
            length(keys.unwrap_or(""), key) && value.as_str().is_some_and(|text| length(values.unwrap_or(""), text));
        if !fits {
            return Err(format!(
                "Map entry '{key}': {value} at '{at}' failed to satisfy constraint: keys {keys:?}, values {values:?}"
            ));
        }
    }
    Ok(())
}

fn within(bounds: &str, number: usize) -> bool {
    let bounds = bounds.split_once('-').and_then(|(min, max)| Some((min.parse().ok()?, max.parse().ok()?)));
    bounds.is_some_and(|(min, max): (usize, usize)| (min..=max).contains(&number))
}

fn length(bounds: &str, text: &str) -> bool {
    within(bounds, text.chars().count())
}

fn in_metadata(c: char) -> bool {
    c.is_alphabetic() || c.is_numeric() || c == ' ' || c == '\u{a0}' || c == '\u{3000}' || "_.:/=+-@".contains(c)
}

fn is_name(text: &str) -> bool {
    length("1-63", text)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// An ARN or a name, with a version or without.
fn is_reference(text: &str) -> bool {
    let tail = match text.strip_prefix("arn:aws") {
        Some(rest) => match rest.split_once('/') {
            Some((_, tail)) if text.len() <= 176 => tail,
            _ => return false,
        },
        None => text,
    };
    let (name, version) = tail.split_once('/').unwrap_or((tail, "1"));
    is_name(name) && length("1-9", version) && version.chars().all(|c| c.is_ascii_digit())
}

fn is_uri(text: &str) -> bool {
    let rest = text.strip_prefix("s3://").or(text.strip_prefix("https://"));
    length("1-1024", text) && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

fn is_digest(text: &str) -> bool {
    let hash = text.get(..7).filter(|start| start.eq_ignore_ascii_case("sha256:")).map(|_| &text[7..]);
    hash.is_some_and(|hash| hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit()))
}
