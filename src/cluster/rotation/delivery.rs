//! A token on its way to all readers.

use std::sync::Arc;

use serde_json::Value;

use super::account::KEPT;
use super::proof::counts;
use super::run::Work;
use super::state::{ACCOUNT, Held, REPLACES, RETIRED, Reader, State, Token, annotation, path};
use super::told::{TOLD, Told, Which};
use crate::cluster::apply::{ApplyError, doing};
use crate::cluster::client::{ApplyOptions, RequestError};
use crate::cluster::observe::each;
use crate::cluster::plan::uid;
use crate::cluster::survey::Mesh;
use crate::pki::Wiped;
use crate::tree::stage_name::{REMOTE_SECRETS, TOKENS};

impl Work<'_> {
    /// Gives a token to all readers that do not have it, and waits until their istiods took it.
    pub(super) async fn hand_out(&mut self, which: Which, from: &Held) -> Result<(), ApplyError> {
        let (rotation, subject) = (self.rotation, self.subject);
        let Some(token) = from.token.clone() else {
            return Err(ApplyError::Moved("a token is gone again".to_owned()));
        };
        let state = State::read(&rotation.mesh, subject).await.map_err(doing("looking again"))?;
        let key = subject.second();
        let second = state.second.as_ref();
        let second = second.ok_or_else(|| ApplyError::Moved(format!("somebody deleted {key}")))?;
        let mut told = Told::of(&second.live, which);
        let (mut all, mut waiting) = (Vec::new(), Vec::new());
        for (reader, live, has) in state.readers(subject) {
            all.push(reader.clone());
            if !has.is_some_and(|has| has.is(&token)) {
                waiting.push((reader.clone(), live.clone()));
                self.count(reader, &mut told).await?;
            }
        }
        // noted before the first is written: whoever goes on from here knows what came after
        if annotation(&second.live, TOLD) != Some(&told.to_text()) {
            let notes = [REPLACES, ACCOUNT, KEPT, RETIRED].into_iter().filter_map(|name| {
                annotation(&second.live, name).map(|value| (name, value.to_owned()))
            });
            self.put_second(Some(second), notes.collect(), &told).await?;
            self.did(subject.at, TOKENS, "change", &key);
        }
        self.write(waiting, &token).await?;
        rotation.proven(subject, all.clone(), &told).await?;
        if all.is_empty() {
            return Ok(());
        }
        let key = if which == Which::Own { &subject.own.key } else { &key };
        Ok(rotation.used(subject.at, key, &from.uid).await?)
    }

    /// Notes what a reader's istiods have been told of.
    pub(super) async fn count(&self, reader: &Reader, told: &mut Told) -> Result<(), ApplyError> {
        if self.rotation.unseen.is_some() {
            return Ok(());
        }
        let member = &self.rotation.mesh.members[reader.at];
        let now = counts(member).await;
        told.note(&member.name, &now.map_err(doing(format!("asking istiods of {}", member.name)))?);
        Ok(())
    }

    /// Writes remote secrets: the object of the tree with another token.
    async fn write(
        &mut self,
        readers: Vec<(Reader, Value)>,
        token: &Token,
    ) -> Result<(), ApplyError> {
        let mesh = &self.rotation.mesh;
        let written = each(readers, |(reader, live)| {
            let (mesh, token) = (mesh.clone(), token.clone());
            async move {
                let key = reader.desired.key.clone();
                let name = mesh.members[reader.at].name.clone();
                let written = write_one(&mesh, &reader, &live, &token).await;
                (reader.at, key, written.map_err(|error| (name, error)))
            }
        });
        let mut first = None;
        for (at, key, written) in written.await {
            match written {
                Ok(()) => self.did(at, REMOTE_SECRETS, "change", &key),
                Err((name, error)) => {
                    let what = format!("changing {key} in `{name}`");
                    first = first.or(Some(ApplyError::Request { doing: what, error }));
                }
            }
        }
        first.map_or(Ok(()), Err)
    }
}

/// Writes the remote secret of one reader, and no other object of its name.
async fn write_one(
    mesh: &Arc<Mesh>,
    reader: &Reader,
    live: &Value,
    token: &Token,
) -> Result<(), RequestError> {
    let filled = mesh.vault.fill(&reader.desired, token);
    let filled = filled.map_err(|error| RequestError::Unreachable(error.to_string()))?;
    let mut sent = Wiped(filled.value().clone());
    sent.0["metadata"]["uid"] = Value::from(uid(live).unwrap_or_default());
    let client = mesh.members[reader.at].client();
    let path = path(&reader.desired.key);
    client.apply(&path, &sent.0, ApplyOptions::default()).await.map(|_| ())
}
