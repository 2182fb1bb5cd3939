//! Hashes the folder that the image is built from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::model::failure::Failure;

/// Folders that are not part of an image: output of Cargo, npm and the CDK. Hidden entries are left out as well.
const LEFT_OUT: [&str; 3] = ["target", "node_modules", "cdk.out"];

/// A folder with a Dockerfile, and the hash of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSource {
    /// The absolute path of the folder.
    pub folder: PathBuf,
    /// The SHA-256 of all names and contents in hexadecimal.
    pub hash: String,
}

impl ImageSource {
    /// Reads the folder. Leaves out `output` if it is inside the folder.
    ///
    /// # Errors
    /// The folder cannot be read, or has no Dockerfile.
    pub fn read(folder: &Path, output: &Path) -> Result<Self> {
        let folder = folder.canonicalize().with_context(|| format!("reading {}", folder.display()))?;
        if !folder.join("Dockerfile").is_file() {
            bail!(
                Failure::new(format!("{} has no Dockerfile", folder.display()))
                    .hint("Pass the folder of the Dockerfile with `--image-dir`")
            );
        }
        let mut files = Vec::new();
        let output = output.canonicalize().unwrap_or_else(|_| output.to_owned());
        collect(&folder, &output, &mut files).with_context(|| format!("reading {}", folder.display()))?;
        files.sort();
        let mut hash = Sha256::new();
        for file in &files {
            add(&mut hash, &folder, file).with_context(|| format!("reading {}", file.display()))?;
        }
        Ok(Self { folder, hash: hex::encode(hash.finalize()) })
    }
}

fn collect(folder: &Path, output: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') || LEFT_OUT.contains(&name.as_ref()) || path == output {
            continue;
        }
        // Links are not followed: they could lead out of the folder.
        if entry.file_type()?.is_dir() { collect(&path, output, files)? } else { files.push(path) }
    }
    Ok(())
}

/// Adds a file to the hash. Each part is preceded by its length, so that different folders have different hashes.
fn add(hash: &mut Sha256, folder: &Path, file: &Path) -> io::Result<()> {
    let name = file.strip_prefix(folder).unwrap_or(file).as_os_str().as_encoded_bytes();
    let content = match file.is_symlink() {
        true => fs::read_link(file)?.as_os_str().as_encoded_bytes().to_vec(),
        false => fs::read(file)?,
    };
    for part in [name, &content] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    Ok(())
}
