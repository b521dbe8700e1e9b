//! Carries rotations out, one cluster after the other, under the Leases of all.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Rotation;
use super::account::{KEPT, Kept, bindings, stand_ins};
use super::check::{Found, examine};
use super::state::{
    ACCOUNT, Held, OF, Phase, REPLACES, RETIRED, State, Subject, annotation, api_version, path,
};
use super::told::{TOLD, Told, Which};
use crate::cluster::apply::{ApplyError, doing};
use crate::cluster::client::{ApplyOptions, Client, RequestError};
use crate::cluster::desired::Desired;
use crate::cluster::field;
use crate::cluster::inventory::{Entry, Inventory};
use crate::cluster::key::Key;
use crate::cluster::lease::{Lease, LeaseError};
use crate::cluster::observe::{each, records};
use crate::cluster::record::write_inventory;
use crate::cluster::report::{Event, Outcome, Report};
use crate::cluster::wait::Look;
use crate::cluster::write::is_maker;
use crate::tree::stage_name::TOKENS;

/// Makes the tokens anew that were found, one after the other. The first that fails ends it. In the
/// order of what was found.
pub async fn rotate(rotation: &Rotation, all: &[Found]) -> Vec<Report> {
    let report = |found: &Found, outcome: Outcome| Report {
        cluster: found.subject.name.clone(),
        outcome,
        done: 0,
        left: Vec::new(),
        held: Vec::new(),
    };
    let (leases, failed) = leases(rotation).await;
    let mut reports = Vec::new();
    let mut ended = failed.map(|(name, error)| format!("{name}: {error}"));
    for found in all {
        if let Some(why) = &ended {
            reports.push(report(found, Outcome::NotBegun(why.clone())));
            continue;
        }
        let mut work = Work { rotation, subject: &found.subject, done: 0 };
        let outcome = match work.all().await {
            Ok(()) => Outcome::Done,
            Err(error) => {
                ended = Some(format!("`{}` failed", found.subject.name));
                let hint = matches!(error, ApplyError::Moved(_))
                    .then(|| "look at it again: `meshgen plan`".to_owned());
                Outcome::Failed(error.to_string(), hint)
            }
        };
        reports.push(Report { done: work.done, ..report(found, outcome) });
    }
    each(leases, Lease::give_back).await;
    reports
}

/// The Leases of all that take part, or the first that could not be had.
async fn leases(rotation: &Rotation) -> (Vec<Lease>, Option<(String, LeaseError)>) {
    let taken = each(rotation.members.clone(), |at| {
        let (member, me) = (rotation.mesh.members[at].clone(), rotation.me.clone());
        let tell = rotation.tell.clone();
        async move {
            let cluster = member.name.clone();
            let waiting = |text: &str| {
                tell(Event::Waiting { cluster: cluster.clone(), what: text.to_owned() });
            };
            let lease = Lease::take(member.client(), &me, &waiting).await;
            lease.map_err(|error| (member.name.clone(), error))
        }
    });
    let (mut leases, mut failed) = (Vec::new(), None);
    for lease in taken.await {
        match lease {
            Ok(lease) => leases.push(lease),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    (leases, failed)
}

/// The rotation of one token while it goes on.
pub(super) struct Work<'a> {
    pub(super) rotation: &'a Rotation,
    pub(super) subject: &'a Subject,
    done: usize,
}

impl Work<'_> {
    async fn all(&mut self) -> Result<(), ApplyError> {
        let mut distrusts = self.rotation.distrusts;
        loop {
            let (state, mut inventory) = self.read().await?;
            let second = state.second.as_ref();
            let retired = second.and_then(|held| annotation(&held.live, RETIRED));
            let is_other =
                self.rotation.retired.is_some() && retired != self.rotation.retired.as_deref();
            let again = second.is_some() && (distrusts || is_other);
            let resumed = second.is_some();
            self.once(&state, &mut inventory).await?;
            if !again {
                if resumed && !distrusts {
                    let text =
                        "a rotation that was stopped is done; another makes the token anew again";
                    (self.rotation.tell)(Event::Note {
                        cluster: self.subject.name.clone(),
                        text: text.to_owned(),
                    });
                }
                return Ok(());
            }
            distrusts = false;
        }
    }

    /// What is there under the Lease, which must be as it was when people said yes.
    async fn read(&self) -> Result<(State, Inventory), ApplyError> {
        let (mesh, subject) = (&self.rotation.mesh, self.subject);
        let member = &mesh.members[subject.at];
        let state = State::read(mesh, subject).await.map_err(doing("looking again"))?;
        let found = records(member.client()).await;
        let found = found.map_err(|error| ApplyError::Moved(format!("looking again: {error}")))?;
        let Some(inventory) = found.inventory else {
            return Err(ApplyError::Moved("its inventory is gone".to_owned()));
        };
        let inventories = BTreeMap::from([(subject.at, inventory)]);
        if let Some((at, refusal)) = examine(self.rotation, &inventories, subject, &state).first() {
            let of = refusal.key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
            let name = &mesh.members[*at].name;
            return Err(ApplyError::Moved(format!("{name}: {of}{}", refusal.message)));
        }
        let inventory = inventories.into_values().next().expect("it was put there");
        Ok((state, inventory))
    }

    /// One rotation, from wherever it stands to its end.
    async fn once(&mut self, state: &State, inventory: &mut Inventory) -> Result<(), ApplyError> {
        let subject = self.subject;
        let second = match &state.second {
            Some(second) => second.clone(),
            None => self.begin(state, inventory).await?,
        };
        let second = self.filled(&subject.second(), &second.uid).await?;
        if state.phase() != Phase::Return {
            self.hand_out(Which::Second, &second).await?;
            self.renew(&second).await?;
        }
        let key = &subject.own.key;
        let own = self.get(key).await?;
        let own = own.ok_or_else(|| ApplyError::Moved(format!("somebody deleted {key}")))?;
        let own = self.filled(key, &own.uid).await?;
        let mut made = vec![(key.clone(), Some(own.uid.clone()))];
        if self.wanted_account().is_some() {
            made.push((subject.account(), own.account().map(str::to_owned)));
        }
        let is_known = |(key, uid): &(Key, Option<String>)| {
            inventory.entries.get(key).is_some_and(|entry| entry.uid == *uid)
        };
        if !made.iter().all(is_known) {
            self.record(inventory, made).await?;
        }
        self.hand_out(Which::Own, &own).await?;
        let old = state.own.as_ref().filter(|_| state.phase() != Phase::Return);
        self.is_new(&second, old).await?;
        self.end(&second, inventory).await
    }

    /// The second Secret, its account and that one's bindings: into the inventory, then into the
    /// cluster. The Secret is last: with it, all that it needs is there.
    async fn begin(
        &mut self,
        state: &State,
        inventory: &mut Inventory,
    ) -> Result<Held, ApplyError> {
        let (Some(own), Some(account)) = (&state.own, &state.account) else {
            return Err(ApplyError::Moved(format!("{} is not there", self.subject.own.key)));
        };
        let client = self.client();
        let found = bindings(&client, &self.subject.account(), false).await;
        let found = found.map_err(doing("reading bindings"))?;
        let all = stand_ins(self.subject, &account.live, &found);
        let key = self.subject.second();
        let mut told = Told::new(Which::Second);
        for (reader, _, _) in state.readers(self.subject) {
            self.count(reader, &mut told).await?;
        }
        let mut intended: Vec<_> = all.iter().map(|(key, _)| (key.clone(), None)).collect();
        intended.push((key.clone(), None));
        self.record(inventory, intended).await?;
        let mut made = self.put_stand_ins(&all).await?;
        let mut notes = vec![
            (REPLACES, own.uid.clone()),
            (ACCOUNT, account.uid.clone()),
            (KEPT, Kept::of(&account.live).to_text()),
        ];
        notes.extend(self.rotation.retired.clone().map(|retired| (RETIRED, retired)));
        let second = self.put_second(None, notes, &told).await?;
        self.did(self.subject.at, TOKENS, "create", &key);
        made.push((key, Some(second.uid.clone())));
        self.record(inventory, made).await?;
        Ok(second)
    }

    /// Writes the second Secret with what is noted on it: a new one, or the one of this UID.
    pub(super) async fn put_second(
        &self,
        known: Option<&Held>,
        notes: Vec<(&'static str, String)>,
        told: &Told,
    ) -> Result<Held, ApplyError> {
        let (subject, key) = (self.subject, self.subject.second());
        let mut object = (*subject.own.rendered).clone();
        object["metadata"]["name"] = Value::from(key.name.as_str());
        let mut put = |map: &str, name: &str, value: String| {
            let map = &mut object["metadata"][map];
            if !map.is_object() {
                *map = Value::Object(Map::new());
            }
            map[name] = Value::from(value);
        };
        put("labels", "app.kubernetes.io/managed-by", "meshgen".to_owned());
        put("annotations", OF, subject.second_account().name);
        put("annotations", TOLD, told.to_text());
        for (name, value) in notes {
            put("annotations", name, value);
        }
        if let Some(known) = known {
            object["metadata"]["uid"] = Value::from(known.uid.as_str());
        }
        let client = self.rotation.mesh.members[subject.at].client();
        let written = client.apply(&path(&key), &object, ApplyOptions::default()).await;
        let written = written.map_err(doing(format!("writing {key}")))?;
        if known.is_none() && !field::foreign_in(&written, &is_maker).is_empty() {
            return Err(ApplyError::Foreign(key));
        }
        Held::of(written).ok_or_else(|| ApplyError::Moved(format!("somebody deletes {key}")))
    }

    /// Records objects: by their UIDs, or as intended.
    async fn record(
        &self,
        inventory: &mut Inventory,
        made: Vec<(Key, Option<String>)>,
    ) -> Result<(), ApplyError> {
        for (key, uid) in made {
            let api_version = api_version(&key);
            let entry = inventory.entries.entry(key).or_insert_with(|| Entry {
                api_version,
                stage: TOKENS.to_owned(),
                cluster: None,
                digest: None,
                uid: None,
                joined: false,
            });
            entry.uid = uid;
        }
        self.write_down(inventory).await
    }

    pub(super) async fn write_down(&self, inventory: &mut Inventory) -> Result<(), ApplyError> {
        let written = write_inventory(&self.client(), inventory, false).await;
        written.map_err(doing("writing the inventory"))
    }

    /// The way to the cluster.
    pub(super) fn client(&self) -> Client {
        self.rotation.mesh.members[self.subject.at].client().clone()
    }

    /// The account in the tree; nothing where another brings it.
    pub(super) fn wanted_account(&self) -> Option<Arc<Desired>> {
        let wanted = &self.rotation.mesh.members[self.subject.at].wanted;
        wanted.get(&self.subject.account()).cloned()
    }

    /// Waits until the cluster has written a token into a Secret.
    async fn filled(&self, key: &Key, uid: &str) -> Result<Held, ApplyError> {
        let waiter = self.rotation.waiter(self.subject.at);
        let client = &waiter.client;
        let path = path(key);
        let path = &path;
        let look = |_| async move {
            let held = client.get(path).await?.and_then(Held::of);
            Ok(match held.filter(|held| held.uid == uid) {
                Some(held) if held.token.is_some() => Look::There(held),
                Some(_) => Look::NotYet("the token controller has not written it".to_owned()),
                None => Look::Never("it is gone: is its ServiceAccount there?".to_owned()),
            })
        };
        Ok(waiter.until(&format!("the token in {key}"), look).await?)
    }

    async fn get(&self, key: &Key) -> Result<Option<Held>, ApplyError> {
        let client = self.rotation.mesh.members[self.subject.at].client();
        let found = client.get(&path(key)).await;
        Ok(found.map_err(doing(format!("reading {key}")))?.and_then(Held::of))
    }

    /// Before a token is taken away: nobody may have been stopped, because others could write then.
    pub(super) fn go_on(&self) -> Result<(), ApplyError> {
        for at in &self.rotation.members {
            let member = &self.rotation.mesh.members[*at];
            let going = member.client().stop().check().map_err(RequestError::Stopped);
            going.map_err(doing(format!("`{}`", member.name)))?;
        }
        Ok(())
    }

    pub(super) fn did(&mut self, at: usize, stage: &str, action: &'static str, key: &Key) {
        self.done += 1;
        (self.rotation.tell)(Event::Did {
            cluster: self.rotation.mesh.members[at].name.clone(),
            stage: stage.to_owned(),
            action,
            key: key.clone(),
        });
    }
}
