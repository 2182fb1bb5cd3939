//! Parses and rewrites manifests, which list locations of artifacts. A manifest that cannot be parsed completely is
//! refused, because a part of the model would be missing in the target.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use serde_json::Value;

use crate::model::location::Location;

/// The size limit of manifests, in bytes. A manifest of thousands of objects has a few hundred kilobytes.
pub const MAX_MANIFEST_BYTES: u64 = 16 << 20;

/// A parsed manifest.
#[derive(Debug, Clone, PartialEq)]
pub enum Manifest {
    /// `ManifestS3Uri`: a CSV in which some cells are S3 URLs.
    Csv {
        /// Its lines.
        rows: Vec<csv::StringRecord>,
        /// Whether they end in CR LF.
        crlf: bool,
    },
    /// A transform job's manifest: a prefix and keys below it.
    Json {
        /// The common prefix of all keys.
        prefix: Location,
        /// The rest of each key.
        keys: Vec<String>,
    },
}

/// An entry of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestEntry {
    /// One object.
    Object(Location),
    /// Every object below a prefix that ends in `/`.
    Prefix(Location),
}

impl Manifest {
    /// Parses a CSV file. Its columns are not known, so every cell that is an S3 URL is a location.
    ///
    /// # Errors
    /// The text is not UTF-8, its rows have different lengths, or a row has no S3 URL or another URL.
    pub fn csv(text: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(text).context("it is not UTF-8")?;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let rows = reader
            .records()
            .collect::<Result<Vec<_>, _>>()
            .context("it is not a CSV file with rows of equal length")?;
        ensure!(!rows.is_empty(), "it is empty");
        for (index, row) in rows.iter().enumerate() {
            let named = row.iter().filter(|cell| cell.parse::<Location>().is_ok()).count();
            let claimed = row.iter().filter(|cell| cell.contains("://")).count();
            let heading = index == 0 && claimed == 0 && rows.len() > 1;
            ensure!(claimed == named, "line {} contains a URL that is not an S3 URL", index + 1);
            ensure!(named > 0 || heading, "line {} contains no S3 URL", index + 1);
        }
        Ok(Self::Csv { rows, crlf: text.contains("\r\n") })
    }

    /// Parses `[{"prefix": "s3://…"}, "key", "key", …]`.
    ///
    /// # Errors
    /// The text has another form.
    pub fn json(text: &[u8]) -> Result<Self> {
        let items: Vec<Value> = serde_json::from_slice(text).context("it is not a JSON array")?;
        let Some((Value::Object(head), rest)) = items.split_first() else {
            bail!(r#"its first item is not {{"prefix": "s3://…"}}"#)
        };
        let prefix = match (head.len(), head.get("prefix")) {
            (1, Some(Value::String(prefix))) => prefix.parse()?,
            _ => bail!(r#"its first item is not {{"prefix": "s3://…"}}"#),
        };
        let keys = rest.iter().map(|item| item.as_str().map(str::to_owned).context("an item is not a string"));
        Ok(Self::Json { prefix, keys: keys.collect::<Result<_>>()? })
    }

    /// All entries of the manifest.
    pub fn listed(&self) -> Vec<ManifestEntry> {
        match self {
            Self::Csv { rows, .. } => {
                rows.iter().flatten().filter_map(|cell| cell.parse().ok()).map(ManifestEntry::at).collect()
            }
            Self::Json { prefix, keys } => keys
                .iter()
                .map(|key| ManifestEntry::Object(Location::new(&prefix.bucket, format!("{}{key}", prefix.key))))
                .collect(),
        }
    }

    /// The text of the manifest with every location replaced by the location of its copy.
    ///
    /// # Errors
    /// The manifest cannot be written as CSV or JSON.
    pub fn rewritten(&self, copy_of: impl Fn(&Location) -> Location) -> Result<Bytes> {
        match self {
            Self::Csv { rows, crlf } => {
                let end = if *crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
                let mut writer = csv::WriterBuilder::new().has_headers(false).terminator(end).from_writer(Vec::new());
                for row in rows {
                    let cells = row.iter().map(|cell| match cell.parse::<Location>() {
                        Ok(location) => copy_of(&location).to_string(),
                        Err(_) => cell.to_owned(),
                    });
                    writer.write_record(cells)?;
                }
                Ok(writer.into_inner()?.into())
            }
            Self::Json { prefix, keys } => {
                let head = serde_json::json!({ "prefix": copy_of(prefix).to_string() });
                let items: Vec<Value> =
                    std::iter::once(head).chain(keys.iter().map(|key| key.as_str().into())).collect();
                Ok(serde_json::to_vec(&items)?.into())
            }
        }
    }
}

impl ManifestEntry {
    fn at(location: Location) -> Self {
        let folder = location.key.is_empty() || location.key.ends_with('/');
        if folder { Self::Prefix(location) } else { Self::Object(location) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(location: &Location) -> Location {
        Location::new(&"target".parse().unwrap(), format!("copy/{}", location.key))
    }

    #[test]
    fn a_csv_is_rewritten_cell_by_cell() {
        let manifest = Manifest::csv(b"name,location\nweights,s3://models/w/\n\"a,b\",\"s3://models/a,b\"\n").unwrap();
        assert_eq!(manifest.listed().len(), 2);
        let text = manifest.rewritten(moved).unwrap();
        assert_eq!(text, "name,location\nweights,s3://target/copy/w/\n\"a,b\",\"s3://target/copy/a,b\"\n");
    }

    #[test]
    fn the_line_endings_of_a_csv_are_kept() {
        let text = Manifest::csv(b"s3://models/a\r\ns3://models/b\r\n").unwrap().rewritten(moved).unwrap();
        assert_eq!(text, "s3://target/copy/a\r\ns3://target/copy/b\r\n");
    }

    #[test]
    fn a_csv_with_an_unreadable_row_is_refused() {
        for text in ["", "a,b\nc\n", "name\nno location\n", "s3://models/a\nhttps://example.com/b\n", "s3://B/x\n"] {
            assert!(Manifest::csv(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Manifest::csv(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn a_json_manifest_lists_keys_below_its_prefix() {
        let manifest = Manifest::json(br#"[{"prefix":"s3://models/in/"},"a.csv","b/c.csv"]"#).unwrap();
        assert_eq!(manifest.listed()[1], ManifestEntry::Object("s3://models/in/b/c.csv".parse().unwrap()));
        assert_eq!(manifest.rewritten(moved).unwrap(), r#"[{"prefix":"s3://target/copy/in/"},"a.csv","b/c.csv"]"#);
    }

    #[test]
    fn a_json_manifest_of_another_form_is_refused() {
        for text in
            ["{}", "[]", r#"["a"]"#, r#"[{"prefix":"s3://models/","more":1}]"#, r#"[{"prefix":"s3://models/"},1]"#]
        {
            assert!(Manifest::json(text.as_bytes()).is_err(), "{text}");
        }
    }
}
