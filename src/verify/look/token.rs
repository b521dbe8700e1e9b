//! Whether clusters take the tokens that their peers have of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::seen::{TokenSeen, text};
use crate::cluster::{Client, Mesh, Survey, bound_cluster, each, live_text, token_of};
use crate::pki::Secret;

/// Shows each token to the server that it is for: once, however many peers have it.
pub async fn tokens(mesh: &Arc<Mesh>, survey: &Survey) -> BTreeMap<(String, String), TokenSeen> {
    let mut held: Vec<(String, Secret<String>, Vec<String>)> = Vec::new();
    for (member, surveyed) in mesh.members.iter().zip(survey) {
        let Ok(surveyed) = surveyed else { continue };
        for desired in &member.wanted.objects {
            let Some(of) = bound_cluster(desired) else { continue };
            let Some(live) = surveyed.live.objects.get(&desired.key) else { continue };
            let Some(token) = live_text(desired, live).and_then(|text| token_of(&text)) else {
                continue;
            };
            let known =
                held.iter_mut().find(|(other, known, _)| other == of && *known.expose() == token);
            match known {
                Some((_, _, at)) => at.push(member.name.clone()),
                None => held.push((of.to_owned(), Secret::new(token), vec![member.name.clone()])),
            }
        }
    }
    // those of clusters that are left out cannot be asked about
    held.retain(|(of, ..)| mesh.members.iter().any(|member| member.name == *of));
    let answers = each(held, |(of, token, at)| {
        let member = mesh.members.iter().find(|member| member.name == of);
        let client = member.map(|member| member.client().clone());
        async move {
            let seen = match client {
                Some(client) => review(&client, &token).await,
                None => TokenSeen::NotLooked(format!("`{of}` is left out")),
            };
            (of, at, seen)
        }
    });
    let mut all = BTreeMap::new();
    for (of, at, seen) in answers.await {
        for at in at {
            all.insert((at, of.clone()), seen.clone());
        }
    }
    all
}

async fn review(client: &Client, token: &Secret<String>) -> TokenSeen {
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token.expose()},
    });
    let hidden = |said: &str| said.replace(token.expose().as_str(), "…");
    match client.create_anyway("/apis/authentication.k8s.io/v1/tokenreviews", &review).await {
        Ok(answer) => {
            let is_taken = answer.pointer("/status/authenticated").and_then(Value::as_bool);
            if is_taken == Some(true) {
                return TokenSeen::Taken;
            }
            let why = text(&answer, "/status/error").unwrap_or("it is not known there");
            TokenSeen::Refused(hidden(why))
        }
        Err(error) => TokenSeen::NotLooked(hidden(&error.to_string())),
    }
}
