//! Requests from the client of a cluster to the sample's service.

use std::time::Duration;

use super::super::seen::{ClusterSeen, Counted, Host, Look};
use super::client::hosts;
use super::sample::{CLIENT, PORT, SERVER};
use crate::cluster::{Client, Pod};

/// Seconds that one request may take.
const REQUEST: u64 = 5;

/// Sends requests one after the other: of each what was answered, then a line `@ STATUS CODE` with the
/// HTTP status and curl's exit code. Gives up after ten that got no answer at all: where packets
/// vanish, each takes its whole time.
///
/// Not several at the same time: a proxy prefers endpoints with fewer requests under way, so what is
/// far would get less than its share.
const SCRIPT: &str = r#"
i=0
lost=0
while [ $i -lt "$2" ] && [ $lost -lt 10 ]; do
  curl -sS --max-time "$3" -w '\n@ %{http_code}' "$1" 2>&1
  code=$?
  echo " $code"
  [ $code = 0 ] || lost=$((lost + 1))
  i=$((i + 1))
done
"#;

/// How long a fault is in a report.
const SAID: usize = 200;

/// Sends the requests of one client and counts what came back. What its proxy says of its endpoints
/// is read again afterwards: which were used, and which failed.
pub async fn traffic(kube: &Client, seen: &mut ClusterSeen, requests: u32) {
    let Some(sample) = &mut seen.sample else { return };
    let pod = match sample.client() {
        Ok(pod) => pod.clone(),
        Err(why) => {
            sample.traffic = Some(Err(why));
            return;
        }
    };
    let mut counted = send(kube, &pod, requests).await;
    if let Ok(counted) = &mut counted
        && let Ok(proxy) = &mut sample.proxy
    {
        let after = hosts(kube, &pod).await;
        if let (Ok(before), Ok(after)) = (&proxy.hosts, &after) {
            let opened = |hosts: &[Host]| hosts.iter().map(|host| host.opened).sum::<u64>();
            counted.opened = Some(opened(after).saturating_sub(opened(before)));
        }
        proxy.hosts = after;
    }
    if counted.as_ref().is_ok_and(|counted| counted.unresolved) {
        sample.lookup = Some(lookup(kube, &pod).await);
    }
    sample.traffic = Some(counted);
}

async fn send(kube: &Client, pod: &Pod, requests: u32) -> Look<Counted> {
    let url = format!("http://{}/hello", target(&pod.namespace));
    let (count, seconds) = (requests.to_string(), REQUEST.to_string());
    let command = ["sh", "-c", SCRIPT, "sh", &url, &count, &seconds];
    let within = Duration::from_secs(60 + u64::from(requests) * 2);
    let output = kube.exec(pod, CLIENT, &command, within).await.map_err(|e| e.to_string())?;
    let counted = count_answers(&output.stdout);
    if counted.sent == 0 {
        let why = output.stderr.lines().last().unwrap_or("it has no curl").trim().to_owned();
        return Err(format!("the client {} sends nothing: {why}", pod.name));
    }
    Ok(counted)
}

/// What is asked: `helloworld.sample:5000`.
pub fn target(namespace: &str) -> String {
    format!("{SERVER}.{namespace}:{PORT}")
}

fn count_answers(output: &str) -> Counted {
    let mut counted = Counted::default();
    let mut said = String::new();
    for line in output.lines() {
        let mut words = line.strip_prefix("@ ").into_iter().flat_map(str::split_whitespace);
        let codes = words.next().zip(words.next());
        let Some((status, code)) = codes else {
            said.push_str(line);
            said.push(' ');
            continue;
        };
        counted.sent += 1;
        if let Some(who) = answer(&said).filter(|_| status == "200" && code == "0") {
            *counted.answers.entry(who).or_default() += 1;
        } else {
            counted.unresolved |= code == "6";
            *counted.failures.entry(fault(status, said.trim())).or_default() += 1;
        }
        said.clear();
    }
    counted
}

/// `Hello version: v1, instance: helloworld-v1-5d4b` as version and instance.
fn answer(said: &str) -> Option<(String, String)> {
    let (version, instance) =
        said.trim().strip_prefix("Hello version: ")?.split_once(", instance: ")?;
    Some((version.to_owned(), instance.trim().to_owned()))
}

fn fault(status: &str, said: &str) -> String {
    // `after 5001 milliseconds`: the same fault, however long it took
    let words = said.split_whitespace().map(|word| {
        let is_number = word.len() > 2 && word.chars().all(|c| c.is_ascii_digit());
        if is_number { "…" } else { word }
    });
    let said = words.collect::<Vec<_>>().join(" ");
    let said: String = said.chars().filter(|c| !c.is_control()).take(SAID).collect();
    match status {
        "000" => said,
        status if said.is_empty() => format!("HTTP {status}"),
        status => format!("HTTP {status}: {said}"),
    }
}

/// What the client's own resolver says of the service's name.
async fn lookup(kube: &Client, pod: &Pod) -> String {
    let name = format!("{SERVER}.{}.svc.cluster.local", pod.namespace);
    let command = ["nslookup", name.as_str()];
    match kube.exec(pod, CLIENT, &command, Duration::from_secs(20)).await {
        Ok(output) => {
            let all = format!("{} {}", output.stdout, output.stderr);
            let words: Vec<&str> = all.split_whitespace().collect();
            words.join(" ").chars().take(SAID).collect()
        }
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_faults_are_counted() {
        let output = "\
Hello version: v1, instance: helloworld-v1-a

@ 200 0
Hello version: v2, instance: helloworld-v2-b
@ 200 0
upstream connect error or disconnect/reset before headers. reset reason: connection timeout
@ 503 0
curl: (28) Operation timed out after 5000 milliseconds with 0 bytes received

@ 000 28
curl: (28) Operation timed out after 5004 milliseconds with 0 bytes received

@ 000 28
";
        let counted = count_answers(output);
        assert_eq!(counted.sent, 5);
        assert_eq!(counted.answers.values().sum::<u32>(), 2);
        let faults: Vec<&str> = counted.failures.keys().map(String::as_str).collect();
        assert!(faults[0].starts_with("HTTP 503: upstream connect error"), "{faults:?}");
        assert!(faults[1].starts_with("curl: (28) Operation timed out after …"), "{faults:?}");
    }
}
