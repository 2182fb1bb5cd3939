//! The source and the target account of a promotion: their sessions, and the check of their principals.

use anyhow::{Result, ensure};

use crate::aws::error::CallError;
use crate::aws::images::{SourceImages, TargetImages};
use crate::aws::keys::Keys;
use crate::aws::objects::{SourceObjects, TargetObjects};
use crate::aws::registry::{SourceRegistry, TargetRegistry};
use crate::aws::session::{Access, Identity, SourceSession, TargetSession};
use crate::model::arn::{AccountId, GroupArn, GroupName, GroupRef, KmsKeyArn, Region};
use crate::model::failure::Failure;

/// The source account.
pub struct SourceAccount {
    session: SourceSession,
    access: Access,
    registry: SourceRegistry,
    objects: SourceObjects,
    images: SourceImages,
}

/// The target account.
pub struct TargetAccount {
    session: TargetSession,
    access: Access,
    registry: TargetRegistry,
    objects: TargetObjects,
    images: TargetImages,
}

impl SourceAccount {
    /// Opens a session without calling AWS. The region of an ARN takes precedence.
    pub async fn open(access: Access, region: Option<&Region>) -> Result<Self> {
        let session = SourceSession::open(&access, region.cloned()).await?;
        Ok(Self { registry: session.registry(), objects: session.objects(), images: session.images(), session, access })
    }

    /// The registry.
    pub fn registry(&self) -> &SourceRegistry {
        &self.registry
    }

    /// The buckets.
    pub fn objects(&self) -> &SourceObjects {
        &self.objects
    }

    /// The images.
    pub fn images(&self) -> &SourceImages {
        &self.images
    }

    /// KMS in the region of a key.
    pub fn keys(&self, key: &KmsKeyArn) -> Keys {
        self.session.keys(key.region())
    }

    /// The principal of the session.
    pub async fn identity(&self) -> Result<Identity, CallError> {
        self.session.identity().await
    }

    /// The seconds by which this machine's clock is ahead of AWS's, if [`Self::identity`] has just been called.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.session.clock_ahead()
    }

    /// The ARN of the group. A name needs one call, to learn the account.
    pub async fn group(&self, group: &GroupRef) -> Result<GroupArn> {
        match group {
            GroupRef::Arn(arn) => Ok(arn.clone()),
            GroupRef::Name(name) => Ok(self.session.identity().await?.group(name)),
        }
    }

    /// Checks the principal that reads the source, if a role or a profile is given.
    ///
    /// # Errors
    /// The principal is not in the account of the group.
    pub async fn check(&self, account: &AccountId) -> Result<Option<Identity>> {
        if self.access.profile.is_none() && self.access.role.is_none() {
            return Ok(None);
        }
        let identity = self.session.identity().await?;
        ensure!(
            identity.account == *account,
            Failure::new(format!(
                "the source session is {} of account {}, but the model package group belongs to account {account}",
                identity.arn, identity.account
            ))
            .hint("Check `--source-role-arn` and `--source-profile`")
        );
        Ok(Some(identity))
    }
}

/// The principals that read the source and write to the target. STS is asked once if both are the same.
///
/// # Errors
/// As [`SourceAccount::check`] and [`TargetAccount::check`].
pub async fn callers(
    source: &SourceAccount,
    target: &TargetAccount,
    account: &AccountId,
) -> Result<(Identity, Identity)> {
    let reader = async {
        match source.check(account).await? {
            Some(identity) => Ok(Some(identity)),
            None if target.is_separate_from(source) => Ok(Some(source.session.identity().await?)),
            None => Ok(None),
        }
    };
    let (reader, writer): (Result<Option<Identity>>, _) = tokio::join!(reader, target.check());
    let (reader, writer) = (reader?, writer?);
    Ok((reader.unwrap_or_else(|| writer.clone()), writer))
}

/// The principals of both sessions, before a group is known. STS is asked once if both are the same.
///
/// # Errors
/// As [`TargetAccount::check`], or the source's principal is not known.
pub async fn principals(source: &SourceAccount, target: &TargetAccount) -> Result<(Identity, Identity)> {
    if target.is_separate_from(source) {
        let (reader, writer) = tokio::join!(source.session.identity(), target.check());
        return Ok((reader?, writer?));
    }
    let writer = target.check().await?;
    Ok((Identity { region: source.session.region().clone(), ..writer.clone() }, writer))
}

impl TargetAccount {
    /// Opens a session without calling AWS.
    pub async fn open(access: Access) -> Result<Self> {
        let session = TargetSession::open(&access, None).await?;
        Ok(Self { registry: session.registry(), objects: session.objects(), images: session.images(), session, access })
    }

    /// The registry.
    pub fn registry(&self) -> &TargetRegistry {
        &self.registry
    }

    /// The buckets.
    pub fn objects(&self) -> &TargetObjects {
        &self.objects
    }

    /// The images.
    pub fn images(&self) -> &TargetImages {
        &self.images
    }

    /// KMS in the region of a key.
    pub fn keys(&self, key: &KmsKeyArn) -> Keys {
        self.session.keys(key.region())
    }

    /// The principal of the session.
    pub async fn identity(&self) -> Result<Identity, CallError> {
        self.session.identity().await
    }

    /// The region of the session.
    pub fn region(&self) -> &Region {
        self.session.region()
    }

    /// Whether the source and the target are accessed by different principals.
    pub fn is_separate_from(&self, source: &SourceAccount) -> bool {
        !source.session.same_principal_as(&self.session)
    }

    /// The principal that writes to the target.
    ///
    /// # Errors
    /// A role was given, and the session is in another account.
    pub async fn check(&self) -> Result<Identity> {
        let identity = self.session.identity().await?;
        if let Some(role) = &self.access.role {
            ensure!(
                identity.account == *role.arn.account(),
                Failure::new(format!(
                    "the target session is {} of account {}, but the role is {}",
                    identity.arn, identity.account, role.arn
                ))
                .hint("Check `--target-role-arn`")
            );
        }
        Ok(identity)
    }
}

/// The target group, which must not be the source group.
///
/// # Errors
/// The groups are the same. Each promoted version would trigger another promotion.
pub fn target_group(source: &GroupArn, target: &Identity, name: &GroupName) -> Result<GroupArn> {
    let group = target.group(name);
    ensure!(
        group != *source,
        Failure::new(format!("{group} would be promoted into itself")).hint(
            "Use credentials of the target account (`--target-profile`, `--target-role-arn`) or name another group with \
             `--target-group`"
        )
    );
    Ok(group)
}
