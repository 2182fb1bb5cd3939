//! The source and the target account of a promotion: their sessions, and the check of their principals.

use anyhow::{Result, ensure};

use crate::aws::error::{CallError, Side};
use crate::aws::images::{SourceImages, TargetImages};
use crate::aws::keys::Keys;
use crate::aws::objects::{BucketHeaders, SourceObjects, TargetObjects};
use crate::aws::registry::{SourceRegistry, TargetRegistry};
use crate::aws::session::{Access, Identity, Session};
use crate::model::arn::{AccountId, GroupArn, GroupName, GroupRef, KmsKeyArn, Region};
use crate::model::failure::Failure;

/// The source account. Its registry, buckets and images have no method that writes.
pub type SourceAccount = Account<SourceRegistry, SourceObjects, SourceImages>;

/// The target account.
pub type TargetAccount = Account<TargetRegistry, TargetObjects, TargetImages>;

/// An account: its session, and the clients that it is accessed with.
pub struct Account<Registry, Objects, Images> {
    session: Session,
    registry: Registry,
    objects: Objects,
    images: Images,
}

impl<Registry, Objects, Images> Account<Registry, Objects, Images> {
    /// The registry.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The buckets.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The images.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// KMS in the region of a key.
    pub fn keys(&self, key: &KmsKeyArn) -> Keys {
        self.session.keys(key.region())
    }

    /// The principal of the session (STS GetCallerIdentity).
    pub async fn identity(&self) -> Result<Identity, CallError> {
        self.session.principal.identity().await.cloned()
    }

    /// The region of the session.
    pub fn region(&self) -> &Region {
        &self.session.principal.region
    }

    /// The seconds by which this machine's clock is ahead of AWS's, if [`Self::identity`] has just been called.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.session.principal.clock_ahead()
    }
}

impl SourceAccount {
    /// Opens a session without calling AWS.
    ///
    /// # Errors
    /// There is no region, or the configuration is invalid.
    pub async fn open(access: Access) -> Result<Self> {
        let session = Session::open(Side::Source, access).await?;
        let caller = &session.principal.caller;
        let headers = BucketHeaders::source(&session.access.buckets);
        Ok(Self {
            registry: SourceRegistry::new(session.sagemaker(), caller.clone()),
            objects: SourceObjects::following(session.s3(), caller.clone(), headers),
            images: SourceImages::new(session.ecr(), session.downloads()),
            session,
        })
    }

    /// The ARN of the group. A name needs one call, to learn the account.
    pub async fn group(&self, group: &GroupRef) -> Result<GroupArn> {
        match group {
            GroupRef::Arn(arn) => Ok(arn.clone()),
            GroupRef::Name(name) => Ok(self.identity().await?.group(name)),
        }
    }

    /// Checks the principal that reads the source, if a role or a profile is given.
    ///
    /// # Errors
    /// The principal is not in the account of the group.
    pub async fn check(&self, account: &AccountId) -> Result<Option<Identity>> {
        let Access { profile, role, .. } = &self.session.access;
        if profile.is_none() && role.is_none() {
            return Ok(None);
        }
        let identity = self.identity().await?;
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
            None if target.is_separate_from(source) => Ok(Some(source.identity().await?)),
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
        let (reader, writer) = tokio::join!(source.identity(), target.check());
        return Ok((reader?, writer?));
    }
    let writer = target.check().await?;
    Ok((Identity { region: source.region().clone(), ..writer.clone() }, writer))
}

impl TargetAccount {
    /// Opens a session without calling AWS. The account of the session has to own the buckets, unless `access` names
    /// another one.
    ///
    /// # Errors
    /// There is no region, or the configuration is invalid.
    pub async fn open(access: Access) -> Result<Self> {
        let session = Session::open(Side::Target, access).await?;
        let principal = &session.principal;
        let headers = BucketHeaders::target(&session.access.buckets, principal.clone());
        Ok(Self {
            registry: TargetRegistry::new(session.sagemaker(), principal.clone()),
            objects: TargetObjects::new(session.s3(), principal.caller.clone(), headers),
            images: TargetImages::new(session.ecr()),
            session,
        })
    }

    /// Whether the source and the target are accessed by different principals: with another profile, role or external ID.
    pub fn is_separate_from(&self, source: &SourceAccount) -> bool {
        self.session.access.principal() != source.session.access.principal()
    }

    /// The principal that writes to the target.
    ///
    /// # Errors
    /// A role was given, and the session is in another account.
    pub async fn check(&self) -> Result<Identity> {
        let identity = self.identity().await?;
        if let Some(role) = &self.session.access.role {
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
