//! The image's sources: a folder comes in, a hash of all that can end up in the image goes out.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// What never belongs to an image: what Cargo, npm and the CDK make. Hidden entries do not, either.
const LEFT_OUT: [&str; 3] = ["target", "node_modules", "cdk.out"];

/// A folder with a Dockerfile, and the hash of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSource {
    /// The folder, absolute.
    pub folder: PathBuf,
    /// SHA-256 over names and contents, in hexadecimal.
    pub hash: String,
}

impl ImageSource {
    /// Reads the folder; `output` is left out if it lies in it.
    ///
    /// # Errors
    /// The folder cannot be read, or has no Dockerfile.
    pub fn read(folder: &Path, output: &Path) -> Result<Self> {
        let folder = folder.canonicalize().with_context(|| format!("reading {}", folder.display()))?;
        if !folder.join("Dockerfile").is_file() {
            bail!("there is no Dockerfile in {}; --image-dir names the folder that has it", folder.display());
        }
        let mut files = Vec::new();
        let output = output.canonicalize().unwrap_or_else(|_| output.to_owned());
        collect(&folder, &output, &mut files).with_context(|| format!("reading {}", folder.display()))?;
        files.sort();
        let mut hash = Sha256::new();
        for file in &files {
            add(&mut hash, &folder, file).with_context(|| format!("reading {}", file.display()))?;
        }
        let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { folder, hash })
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
        // A link is what it points to by name: following it could lead out of the folder.
        if entry.file_type()?.is_dir() { collect(&path, output, files)? } else { files.push(path) }
    }
    Ok(())
}

/// Lengths before texts, so that no two folders read the same.
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
