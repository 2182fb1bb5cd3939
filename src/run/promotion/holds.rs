//! The holds of the target group: at the destination, and at the other places that versions of the group name.

use anyhow::Result;

use super::Promotion;
use super::other_places::OtherPlaces;
use super::target_group::versions;
use crate::aws::error::{CallError, Kind};
use crate::copy::Holds;
use crate::model::approval::ApprovalStatus;
use crate::model::destination::Destination;
use crate::model::hold::{Hold, HoldState};
use crate::model::location::Location;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;
use crate::register::existing::ExistingPromotions;

impl Promotion<'_> {
    /// The holds at a place.
    pub fn holds_in(&self, promotions: Location) -> Holds<'_> {
        Holds {
            target: self.target.objects(),
            group: &self.destination.group,
            promotions,
            encryption: self.encryption(),
        }
    }

    /// The holds at the destination.
    pub fn holds(&self) -> Holds<'_> {
        self.holds_in(self.destination.promotions())
    }

    /// The holds at the destination, and at the other places that are known.
    pub fn all_holds(&self) -> Vec<Holds<'_>> {
        let mut all = vec![self.holds()];
        all.extend(self.holds_elsewhere());
        all
    }

    fn holds_elsewhere(&self) -> Vec<Holds<'_>> {
        let folders = self.elsewhere.as_deref().map(OtherPlaces::folders).unwrap_or_default();
        folders.into_iter().map(|folder| self.holds_in(folder)).collect()
    }

    /// The hold of the group, by the state at the destination, and otherwise at the other places that are known.
    pub async fn hold(&self, state: HoldState) -> Result<Option<Hold>, CallError> {
        match self.holds().read(state).await? {
            Some(hold) => Ok(Some(hold)),
            None => Holds::first(&self.holds_elsewhere()).await,
        }
    }

    /// Looks for a hold right before a promoted version is approved: at the destination, where the version was promoted to,
    /// and at each place that another version of the group names. A hold may be at one of them only. Returns warnings as
    /// [`Promotion::refuse_held_elsewhere`].
    ///
    /// # Errors
    /// The group is held, or a place cannot be listed.
    pub async fn refuse_held(&self, promoted_to: Location) -> Result<Vec<Warning>> {
        // Taken before the first await: this approval also looks at places that another one of this run adds meanwhile.
        let places = self.elsewhere.as_deref().map(OtherPlaces::folders).unwrap_or_default();
        let mut known = self.all_holds();
        if known.iter().all(|holds| holds.promotions != promoted_to) {
            known.push(self.holds_in(promoted_to));
        }
        let elsewhere = async { self.look_elsewhere(self.named().await?, &places).await };
        let (hold, warnings) = tokio::join!(Holds::first(&known), elsewhere);
        match hold? {
            Some(hold) => Err(hold.refusal()),
            None => warnings,
        }
    }

    /// The folders of all promotions that versions of the group name. The versions are described once in a run.
    async fn named(&self) -> Result<Vec<Location>> {
        let Some(elsewhere) = &self.elsewhere else { return Ok(Vec::new()) };
        let name = self.destination.group.name();
        let describe = async { Ok(Destination::promotions_of(name, &versions(self.target, name).await?)) };
        elsewhere.named.get_or_try_init(|| describe).await.cloned()
    }

    /// Looks for a hold at the other places that versions of the group name: a run that promotes to a new bucket or prefix
    /// finds the hold there. Does nothing if the run promotes nothing. Returns warnings of places that may not be listed.
    ///
    /// # Errors
    /// The group is held, or a place cannot be listed for another reason.
    pub async fn refuse_held_elsewhere(&self, folders: Vec<Location>) -> Result<Vec<Warning>> {
        let known = self.elsewhere.as_deref().map(OtherPlaces::folders).unwrap_or_default();
        self.look_elsewhere(folders, &known).await
    }

    /// As [`Promotion::refuse_held_elsewhere`], at each place that any version of the group names, if the promotion is
    /// registered and not approved: the run completes it.
    ///
    /// # Errors
    /// As those of [`Promotion::refuse_held_elsewhere`].
    pub async fn refuse_held_completion(&self, existing: &ExistingPromotions) -> Result<Vec<Warning>> {
        let is_due = |version: &PromotedVersion| version.approval() != ApprovalStatus::Approved;
        if self.dry_run || !existing.current().is_some_and(is_due) {
            return Ok(Vec::new());
        }
        self.refuse_held_elsewhere(self.named().await?).await
    }

    /// Looks for a hold in these folders, except those that are known.
    async fn look_elsewhere(&self, folders: Vec<Location>, known: &[Location]) -> Result<Vec<Warning>> {
        let Some(elsewhere) = &self.elsewhere else { return Ok(Vec::new()) };
        let mut unlisted = elsewhere.unlisted.lock().await;
        let own = self.destination.promotions();
        let mut warnings = Vec::new();
        for folder in folders.into_iter().filter(|folder| *folder != own && !known.contains(folder)) {
            let field = folder.to_string();
            if let Some(warning) = unlisted.iter().find(|warning| warning.field == field) {
                warnings.push(warning.clone());
                continue;
            }
            match self.holds_in(folder.clone()).now().await {
                Ok(hold) => {
                    elsewhere.add(folder);
                    if let Some(hold) = hold {
                        return Err(hold.refusal());
                    }
                }
                // Nothing can be promoted to a bucket that was deleted.
                Err(error) if error.kind == Kind::NotFound => {}
                // A bucket of another region is answered with a redirection: its name is used anew.
                Err(error) if matches!(error.kind, Kind::Denied | Kind::Invalid) => {
                    let remark = format!(
                        "versions were also promoted to this location, which cannot be searched for a hold: {error}"
                    );
                    unlisted.push(Warning { field, remark });
                    warnings.extend(unlisted.last().cloned());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(warnings)
    }
}
