//! Builds on Lambda run as another user than root, and may write below `/tmp` only.

use std::fs::{Permissions, copy, set_permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use crate::support::Principal;
use crate::world::*;

/// A user and a group that own nothing.
const NOBODY: u32 = 65534;

#[test]
fn a_user_without_rights_promotes_with_nothing_but_a_temporary_folder_to_write_to() {
    let cloud = with_package();
    let folder = tempfile::tempdir().expect("a folder");
    let (program, authority) = (folder.path().join("promote"), folder.path().join("authority.pem"));
    let like = cloud.process(Principal::Both);
    copy(like.get_program(), &program).expect("the program");
    let given = like.get_envs().find(|(name, _)| *name == "SSL_CERT_FILE").and_then(|(_, value)| value);
    copy(given.expect("an authority"), &authority).expect("the authority");
    let temporary = folder.path().join("tmp");
    std::fs::create_dir(&temporary).expect("a folder");
    for (path, mode) in [(folder.path(), 0o755), (&program, 0o755), (&authority, 0o644), (&temporary, 0o777)] {
        set_permissions(path, Permissions::from_mode(mode)).expect("permissions");
    }
    let mut command = cloud.program(&program, Principal::Both);
    command.env("HOME", "/nonexistent").env("AWS_CONFIG_FILE", "/nonexistent/config").env("SSL_CERT_FILE", &authority);
    command.env("TMPDIR", &temporary).current_dir(&temporary);
    // Whoever is not root may not become another user, and has few rights already.
    if folder.path().metadata().expect("the folder").uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    let record = temporary.join("promotion.json");
    command.args(full()).arg("--record").arg(&record).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = ended(command.spawn().expect("the program starts"));
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
    assert_ne!(record.metadata().expect("the record").uid(), 0, "the run was not root's");
    let left = std::fs::read_dir(&temporary).expect("the folder").count();
    assert_eq!(left, 1, "only the record is left in the temporary folder");
}
