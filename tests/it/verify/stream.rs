//! Commands and connections through an API server into a pod.

use std::sync::atomic::Ordering;
use std::time::Duration;

use meshgen::cluster::{Pod, RequestError};

use super::sim::World;
use crate::testbed::{End, Exec};

const WITHIN: Duration = Duration::from_secs(60);

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("threads").block_on(work)
}

async fn a_pod(world: &World, app: &str) -> (meshgen::cluster::Client, Pod) {
    let client = world.client("c1").await;
    let path = format!("/api/v1/pods?labelSelector=app%3D{app}");
    let found = client.list(&path).await.expect("pods");
    let text = |pointer: &str| found[0].pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let pod = Pod { namespace: text("/metadata/namespace"), name: text("/metadata/name") };
    (client, pod)
}

fn unreachable(error: Result<impl std::fmt::Debug, RequestError>) -> String {
    match error {
        Err(RequestError::Unreachable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_command_gives_its_output_and_its_exit_code() {
    let world = World::new(3);
    run(async {
        let (client, pod) = a_pod(&world, "sleep").await;
        let exec = |end: End| Exec { stdout: b"out\xff".to_vec(), stderr: b"err".to_vec(), end };
        for (end, code) in
            [(End::Done, Some(0)), (End::Code(7), Some(7)), (End::Code(137), Some(137))]
        {
            world.answer("c1", exec(end));
            let output = client.exec(&pod, "sleep", &["true"], WITHIN).await.expect("an output");
            assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\u{fffd}", "err"));
            assert_eq!(output.code, code);
        }
        world.answer("c1", exec(End::NotBegun("no such file".to_owned())));
        let output = client.exec(&pod, "sleep", &["no"], WITHIN).await.expect("an output");
        assert_eq!((output.code, output.stderr.as_str()), (None, "errno such file"));

        // both at once, and far more than a pipe holds
        let (out, err) = (vec![b'o'; 20 << 20], vec![b'e'; 5 << 20]);
        world.answer("c1", Exec { stdout: out, stderr: err, end: End::Done });
        let output = client.exec(&pod, "sleep", &["true"], WITHIN).await.expect("an output");
        assert_eq!((output.stdout.len(), output.stderr.len()), (20 << 20, 5 << 20));
        assert_eq!(output.code, Some(0));
    });
}

#[test]
fn a_command_that_cannot_be_run_says_why() {
    let world = World::new(3);
    run(async {
        let (client, pod) = a_pod(&world, "sleep").await;
        world.answer("c1", Exec { stdout: b"half".to_vec(), end: End::Breaks, ..Exec::default() });
        let why = unreachable(client.exec(&pod, "sleep", &["true"], WITHIN).await);
        assert_eq!(why, format!("the connection to {} broke", pod.name));

        let refused = client.exec(&pod, "nobody", &["true"], WITHIN).await;
        let error = refused.expect_err("there is no such container");
        assert!(error.to_string().contains("container nobody is not valid"), "{error}");
        let gone = Pod { name: "gone".to_owned(), ..pod.clone() };
        let error = client.exec(&gone, "sleep", &["true"], WITHIN).await.expect_err("it is gone");
        assert!(error.to_string().contains("\"gone\" not found"), "{error}");

        world.change("c1", |c1| c1.dead = true);
        unreachable(client.exec(&pod, "sleep", &["true"], WITHIN).await);
    });
}

#[test]
fn a_connection_that_breaks_is_made_again() {
    let world = World::new(3);
    run(async {
        let (client, pod) = a_pod(&world, "istiod").await;
        let cut = |times| world.change("c1", |c1| c1.breaks.store(times, Ordering::Relaxed));
        cut(2);
        let (status, body) = client.ask(&pod, 8080, "/debug/clusterz").await.expect("an answer");
        assert!(status == 200 && body.ends_with(']'), "{body}");
        cut(3);
        assert_eq!(unreachable(client.ask(&pod, 8080, "/").await), "the answer broke off");
        cut(2);
        let chain = client.served(&pod, 15012, "istiod.istio-system.svc").await.expect("a chain");
        assert_eq!(chain.len(), 3);
    });
}

#[test]
fn a_port_is_asked_by_http_and_by_tls() {
    let world = World::new(3);
    run(async {
        let (client, pod) = a_pod(&world, "istiod").await;
        let (status, body) = client.ask(&pod, 8080, "/debug/clusterz").await.expect("an answer");
        let clusters: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((status, clusters.as_array().map(Vec::len)), (200, Some(3)));
        let (status, body) = client.ask(&pod, 8080, "/debug/none").await.expect("an answer");
        assert_eq!((status, body.as_str()), (404, "404 page not found\n"));

        let chain = client.served(&pod, 15012, "istiod.istio-system.svc").await.expect("a chain");
        assert_eq!(chain.len(), 3);
        assert!(chain[0].check_issuer(&chain[1]).is_ok() && chain[2].is_self_issued());

        for port in [8080, 15012] {
            let (client, pod) = a_pod(&world, "sleep").await;
            let why = match port {
                8080 => unreachable(client.ask(&pod, port, "/").await),
                _ => unreachable(client.served(&pod, port, "x").await),
            };
            assert!(why.contains(&format!("localhost:{port} inside namespace")), "{why}");
        }
        let why = unreachable(client.served(&pod, 15012, "no host").await);
        assert_eq!(why, "`no host` is no host name");
    });
}
