//! The source and the target account of a promotion: their sessions, and the check of who acts in each.

use anyhow::{Result, ensure};

use crate::aws::keys::SigningKeys;
use crate::aws::objects::{SourceObjects, TargetObjects};
use crate::aws::registry::{SourceRegistry, TargetRegistry};
use crate::aws::session::{Access, Identity, SourceSession, TargetSession};
use crate::model::arn::{AccountId, GroupArn, GroupName, GroupRef, KmsKeyArn, Region};
use crate::model::failure::Failure;

/// The account that is promoted from.
pub struct SourceAccount {
    session: SourceSession,
    access: Access,
    registry: SourceRegistry,
    objects: SourceObjects,
}

/// The account that is promoted to.
pub struct TargetAccount {
    session: TargetSession,
    access: Access,
    registry: TargetRegistry,
    objects: TargetObjects,
}

impl SourceAccount {
    /// Opens a session without calling AWS; the region of an ARN wins over all others.
    pub async fn open(access: Access, region: Option<&Region>) -> Result<Self> {
        let session = SourceSession::open(&access, region.cloned()).await?;
        Ok(Self { registry: session.registry(), objects: session.objects(), session, access })
    }

    /// The registry.
    pub fn registry(&self) -> &SourceRegistry {
        &self.registry
    }

    /// The buckets.
    pub fn objects(&self) -> &SourceObjects {
        &self.objects
    }

    /// The group's ARN; a name needs one call, for the account.
    pub async fn group(&self, group: &GroupRef) -> Result<GroupArn> {
        match group {
            GroupRef::Arn(arn) => Ok(arn.clone()),
            GroupRef::Name(name) => Ok(self.session.identity().await?.group(name)),
        }
    }

    /// Checks who reads the source, where a role or a profile says who should.
    ///
    /// # Errors
    /// It is a principal of another account than the group.
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
            .hint("Check --source-role-arn and --source-profile")
        );
        Ok(Some(identity))
    }
}

/// Who reads the source and who writes the target; where both are one principal it is asked once.
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

impl TargetAccount {
    /// Opens a session without calling AWS.
    pub async fn open(access: Access) -> Result<Self> {
        let session = TargetSession::open(&access, None).await?;
        Ok(Self { registry: session.registry(), objects: session.objects(), session, access })
    }

    /// The registry.
    pub fn registry(&self) -> &TargetRegistry {
        &self.registry
    }

    /// The buckets.
    pub fn objects(&self) -> &TargetObjects {
        &self.objects
    }

    /// KMS, where a key is.
    pub fn keys(&self, key: &KmsKeyArn) -> SigningKeys {
        self.session.keys(key.region())
    }

    /// Whether the source is read by a principal of its own.
    pub fn is_separate_from(&self, source: &SourceAccount) -> bool {
        !source.session.same_principal_as(&self.session)
    }

    /// Who writes the target.
    ///
    /// # Errors
    /// A role was asked for, and the session is of another account.
    pub async fn check(&self) -> Result<Identity> {
        let identity = self.session.identity().await?;
        if let Some(role) = &self.access.role {
            ensure!(
                identity.account == *role.arn.account(),
                Failure::new(format!(
                    "the target session is {} of account {}, not of the account of {}",
                    identity.arn, identity.account, role.arn
                ))
                .hint("Check --target-role-arn")
            );
        }
        Ok(identity)
    }
}

/// Checks that the target group is another one than the source group.
///
/// # Errors
/// They are the same: the registry would announce the copy as a new version to promote, without end.
pub fn target_group(source: &GroupArn, target: &Identity, name: &GroupName) -> Result<GroupArn> {
    let group = target.group(name);
    let same_place = group.account() == source.account() && group.region() == source.region();
    ensure!(
        !(same_place && group.name().is(source.name().as_str())),
        Failure::new(format!("{group} would be promoted into itself")).hint(
            "Use credentials of the target account (--target-profile, --target-role-arn) or name another group with \
             --target-group"
        )
    );
    Ok(group)
}
