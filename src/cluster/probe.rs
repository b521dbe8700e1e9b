//! Asks the server, by dry runs, what an apply would give; only where that is not certain without.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::bind::Missing;
use super::client::{ApplyOptions, Client, MANAGER, RequestError, Status};
use super::desired::{Bindings, Desired, FillError, Vault, Wanted};
use super::field;
use super::inventory::Inventory;
use super::key::Key;
use super::observe::{Kinds, Live, together};
use super::payload::Payload;
use super::plan::{Answer, Options, is_leaving, owns};
use crate::pki::Wiped;

/// What is asked about.
pub struct Subject<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// The way to it.
    pub client: &'a Client,
    /// Its kinds.
    pub kinds: &'a Kinds,
    /// What the tree wants.
    pub wanted: &'a Wanted,
    /// What is there.
    pub live: &'a Live,
    /// What meshgen owns.
    pub inventory: &'a Inventory,
    /// What was allowed.
    pub options: &'a Options,
}

/// Answers for the objects that may differ. An object without an answer is as the tree wants it, or
/// is not there and cannot be asked about yet.
pub async fn probe(
    subject: &Subject<'_>,
    vault: &Vault,
    bindings: &dyn Bindings,
) -> Result<BTreeMap<Key, Answer>, RequestError> {
    let mut answers = BTreeMap::new();
    let mut questions = Vec::new();
    for desired in &subject.wanted.objects {
        if subject.live.unreadable.contains_key(&desired.key) {
            continue;
        }
        let live = subject.live.objects.get(&desired.key);
        match question(subject, vault, bindings, desired, live) {
            Question::No => {}
            Question::Answered(answer) => {
                answers.insert(desired.key.clone(), answer);
            }
            Question::Ask(payload, force) => {
                questions.push((desired.clone(), payload, live.cloned(), force));
            }
        }
    }
    let asked = together(questions, |(desired, payload, live, force)| {
        let (client, kinds) = (subject.client.clone(), subject.kinds.clone());
        async move {
            let answer = ask(&client, &kinds, &desired, &payload, live.as_ref(), force).await?;
            Ok(answer.map(|answer| (desired.key.clone(), answer)))
        }
    });
    answers.extend(asked.await?.into_iter().flatten());
    Ok(answers)
}

enum Question {
    No,
    Answered(Answer),
    Ask(Arc<Payload>, bool),
}

fn question(
    subject: &Subject<'_>,
    vault: &Vault,
    bindings: &dyn Bindings,
    desired: &Desired,
    live: Option<&Value>,
) -> Question {
    let key = &desired.key;
    let live = live.filter(|live| !is_leaving(live));
    let owned = live.is_some_and(|live| owns(subject.inventory, key, live));
    let payload = match vault.fill(desired, bindings) {
        Ok(payload) => payload,
        Err(FillError::NoToken(cluster)) => {
            return Question::Answered(match bindings.why(&cluster) {
                Missing::Later => Answer::Later,
                Missing::Held(why, hint) => Answer::Unbound(why, hint),
            });
        }
        Err(FillError::NoIdentity(_))
            if owned && live.is_some_and(|live| Vault::is_same_sealed(desired, live)) =>
        {
            return Question::No;
        }
        Err(error) => return Question::Answered(Answer::Sealed(error.to_string())),
    };
    let Some(live) = live else {
        let namespace = key.namespace.as_deref().map(Key::namespace);
        let is_there = namespace
            .is_none_or(|key| subject.live.objects.get(&key).is_some_and(|live| !is_leaving(live)));
        let known = !subject.live.unknown_kinds.contains(&(key.group.clone(), key.kind.clone()));
        return if is_there && known { Question::Ask(payload, false) } else { Question::No };
    };
    let wanted = Wiped(field::hand_over(payload.value(), Some(live), &desired.handover, MANAGER));
    if field::settled(&wanted.0, live, MANAGER) {
        return Question::No;
    }
    let force =
        subject.options.force.contains(subject.cluster, key) || (!owned && !key.is_namespace());
    Question::Ask(payload, force)
}

/// Asks about one object; `None` where its namespace or kind turns out not to be there.
pub async fn ask(
    client: &Client,
    kinds: &Kinds,
    desired: &Desired,
    payload: &Payload,
    live: Option<&Value>,
    force: bool,
) -> Result<Option<Answer>, RequestError> {
    let Some(resource) = kinds.resource(client, &desired.identity, false).await? else {
        return Ok(None);
    };
    let sent = Wiped(field::hand_over(payload.value(), live, &desired.handover, MANAGER));
    let options = ApplyOptions { dry_run: true, force };
    match client.apply(&resource.path(&desired.key), &sent.0, options).await {
        Ok(object) => Ok(Some(Answer::Object(object))),
        Err(RequestError::Status(status)) => Ok(refusal(&status)),
        Err(error) => Err(error),
    }
}

/// What a refused dry run means.
fn refusal(status: &Status) -> Option<Answer> {
    let message = status.message.clone();
    match status.code {
        404 => None,
        409 if !status.causes.is_empty() => Some(Answer::Conflicts(status.causes.clone())),
        422 => Some(match immutable(status) {
            Some(field) => Answer::Immutable { field, message },
            None => Answer::Refused(message),
        }),
        403 if message.contains("attempting to grant") => Some(Answer::Refused(message)),
        403 => Some(Answer::Unasked("the right to patch is missing".to_owned())),
        _ if status.is_webhook() => {
            Some(Answer::Unasked(format!("a webhook does not answer: {}", short(&message))))
        }
        _ => Some(Answer::Refused(message)),
    }
}

fn short(message: &str) -> String {
    let start = message.find("failed calling webhook").unwrap_or(0);
    message[start..].chars().take(160).collect()
}

/// The field that cannot change, if that is what the server says.
///
/// Source: `ValidateImmutableField` of apimachinery ("field is immutable"), `ValidateRoleBindingUpdate`
/// ("cannot change roleRef"), and the validations of Services, Jobs, `StatefulSet`s, Secrets.
pub fn immutable(status: &Status) -> Option<String> {
    const SIGNS: [&str; 6] = [
        "field is immutable",
        "cannot change roleRef",
        "may not change once set",
        "may not be changed",
        "updates to statefulset spec",
        "is immutable when",
    ];
    let says = |text: &str| SIGNS.iter().any(|sign| text.contains(sign));
    let cause = status.causes.iter().find(|cause| says(&cause.message));
    match cause {
        Some(cause) => Some(cause.field.clone()),
        None => says(&status.message).then(|| "a field".to_owned()),
    }
}
