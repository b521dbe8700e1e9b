//! `meshgen facts import`: what it takes, what it drops, and that nothing secret comes through.

use std::fs;
use std::process::{Command, Output};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::project::Project;
use crate::tool;

/// In every value of these tests that must not come through.
const CANARY: &str = "CANARY";

const MESH: &str = "\
apiVersion: meshgen.dev/v1alpha1
kind: Mesh
name: test
unrelated: problem
clusters:
  c1: {}
  c2: {}
  syd-3: {}
";

fn project() -> Project {
    Project::new(MESH)
}

fn import(project: &Project, arguments: &[&str], stdin: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.arg("-C").arg(project.path()).args(["facts", "import"]).args(arguments);
    let output = tool::output(&mut command, stdin);
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(stream);
        assert!(!text.contains(CANARY), "a secret came through: {text}");
    }
    for entry in walkdir::WalkDir::new(project.path()) {
        let entry = entry.expect("an entry");
        let is_ours = entry.path().extension().is_some_and(|end| end == "json" || end == "yaml");
        if entry.file_type().is_file() && is_ours {
            let text = fs::read_to_string(entry.path()).expect("text");
            assert!(!text.contains(CANARY), "a secret was written: {text}");
        }
    }
    output
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("text")
}

fn facts(project: &Project, cluster: &str) -> Value {
    let path = project.path().join("facts").join(format!("{cluster}.json"));
    let text = fs::read_to_string(path).expect("a facts file");
    serde_json::from_str(&text).expect("JSON")
}

/// A certificate as the cloud gives it: that of the example facts.
fn certificate() -> String {
    let text = fs::read_to_string(tool::root().join("facts/c1.json")).expect("example facts");
    let facts: Value = serde_json::from_str(&text).expect("JSON");
    facts["facts"]["certificateAuthority"].as_str().expect("PEM").to_owned()
}

fn plain(value: impl Into<Value>) -> Value {
    json!({"sensitive": false, "type": "string", "value": value.into()})
}

fn sensitive(value: impl Into<Value>) -> Value {
    json!({"sensitive": true, "type": "string", "value": value.into()})
}

/// The outputs of two modules, in every form that is understood, with what must not come through.
fn outputs() -> Value {
    let pem = certificate();
    let packed = STANDARD.encode(&pem);
    json!({
        // by prefix and suffix, as a splat, an object of endpoints
        "c1_int_lb_nsg_id": plain(json!("ocid1.nsg.int1")),
        "pub_lb_nsg_id_c1": plain(json!(["ocid1.nsg.pub1"])),
        "c1_cluster_endpoints": plain(json!([{
            "kubernetes": "", "private_endpoint": "10.1.0.5:6443",
            "public_endpoint": "203.0.113.9:6443", "vcn_hostname_endpoint": "",
        }])),
        "c1_cluster_ca_cert": sensitive(json!(pem)),
        // a map by cluster; one of them is not in the mesh
        "int_lb_subnet_id": plain(json!({"c1": "ocid1.subnet.1", "c2": ["ocid1.subnet.2"], "c9": "CANARY-0"})),
        // a map by fact, with a kubeconfig in it
        "c2": plain(json!({
            "cluster_id": "ocid1.cluster.2", "cluster_ca_cert": packed,
            "apiserver_private_host": "10.2.0.7", "cluster_kubeconfig": "CANARY-1",
            "pub_lb_nsg_id": null,
        })),
        // both
        "clusters": plain(json!({"c1": {"cluster_id": "ocid1.cluster.1", "token": "CANARY-2"}})),
        "syd_3_cluster_id": plain(json!("arn:aws:eks:ap-southeast-2:111122223333:cluster/syd-3")),
        "syd_3_cluster_endpoint": plain(json!("https://ABCDEF.gr7.ap-southeast-2.eks.amazonaws.com")),
        // null, none, empty
        "c2_pub_lb_nsg_id": plain(Value::Null),
        "cluster_ca_cert_syd_3": plain(json!("none")),
        "c2_pub_lb_subnet_id": plain(json!([])),
        // what must not come through
        "cluster_kubeconfig": sensitive(json!({"users": [{"user": {"token": "CANARY-3"}}]})),
        "ssh_private_key": sensitive(json!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\nCANARY-4\n-----END OPENSSH PRIVATE KEY-----\n"
        )),
        "db": sensitive(json!({"CANARY-5": "CANARY-6"})),
        "ssh_to_operator": plain(json!("ssh -J CANARY-7 opc@10.1.0.2")),
    })
}

#[test]
fn outputs_in_every_form_become_facts() {
    let project = project();
    let output = import(&project, &[], &outputs().to_string());
    assert_eq!(
        stderr(&output),
        "\
facts/c1.json: written
  + certificateAuthority: (sensitive)  (from c1_cluster_ca_cert)
  + clusterId: ocid1.cluster.1  (from clusters.c1.cluster_id)
  + internalLoadBalancer.networkSecurityGroup: ocid1.nsg.int1  (from c1_int_lb_nsg_id)
  + internalLoadBalancer.subnet: ocid1.subnet.1  (from int_lb_subnet_id.c1)
  + publicLoadBalancer.networkSecurityGroup: ocid1.nsg.pub1  (from pub_lb_nsg_id_c1)
  + server: https://10.1.0.5:6443  (from c1_cluster_endpoints.private_endpoint)
facts/c2.json: written
  + certificateAuthority: certificate of CN=example API server CA of c1, sha256 SHA  (from c2.cluster_ca_cert)
  + clusterId: ocid1.cluster.2  (from c2.cluster_id)
  + internalLoadBalancer.subnet: ocid1.subnet.2  (from int_lb_subnet_id.c2)
  + server: https://10.2.0.7:6443  (from c2.apiserver_private_host)
facts/syd-3.json: written
  + clusterId: arn:aws:eks:ap-southeast-2:111122223333:cluster/syd-3  (from syd_3_cluster_id)
  + server: https://ABCDEF.gr7.ap-southeast-2.eks.amazonaws.com  (from syd_3_cluster_endpoint)
dropped (no fact has this name): c2.cluster_kubeconfig, cluster_kubeconfig (sensitive), clusters.c1.token, db (sensitive), ssh_private_key (sensitive), ssh_to_operator
dropped (no cluster of mesh.yaml has this name): int_lb_subnet_id.c9
dropped (has no value): c2_pub_lb_nsg_id, c2_pub_lb_subnet_id, cluster_ca_cert_syd_3
`--map FACT=OUTPUT` takes a fact from an output of another name
"
        .replace("SHA", &fingerprint()),
    );
    assert_eq!((code(&output), stdout(&output)), (Some(0), ""));
    assert_eq!(
        facts(&project, "c1"),
        json!({
            "apiVersion": "meshgen.dev/v1alpha1", "kind": "Facts",
            "facts": {
                "server": "https://10.1.0.5:6443",
                "certificateAuthority": certificate(),
                "clusterId": "ocid1.cluster.1",
                "publicLoadBalancer": {"networkSecurityGroup": "ocid1.nsg.pub1"},
                "internalLoadBalancer": {
                    "networkSecurityGroup": "ocid1.nsg.int1", "subnet": "ocid1.subnet.1",
                },
            },
        })
    );
    // base64 of PEM is the same CA
    assert_eq!(facts(&project, "c2")["facts"]["certificateAuthority"], json!(certificate()));
    // the same again changes nothing
    let again = import(&project, &["-"], &outputs().to_string());
    assert_eq!(stderr(&again).matches(": no change\n").count(), 3, "{}", stderr(&again));
}

fn fingerprint() -> String {
    let certificate = meshgen::pki::Certificate::one(&certificate()).expect("a certificate");
    certificate.info().fingerprint.clone()
}

#[test]
fn an_import_drops_example_values_and_keeps_real_ones() {
    let project = project();
    let text = |example: bool| {
        let mut file = json!({"apiVersion": "meshgen.dev/v1alpha1", "kind": "Facts"});
        if example {
            file["example"] = json!(true);
        }
        file["facts"] = json!({
            "server": "https://10.9.9.9:6443", "clusterId": "old",
            "internalLoadBalancer": {"subnet": "old"},
        });
        file.to_string()
    };
    project.write("facts/c1.json", &text(true));
    project.write("facts/c2.json", &text(false));
    let outputs = json!({"cluster_id": {"value": {"c1": "new", "c2": "new"}}}).to_string();

    let dry = import(&project, &["--dry-run"], &outputs);
    let expected = "\
facts/c1.json: would change
  ~ clusterId: old -> new  (from cluster_id.c1)
  - internalLoadBalancer.subnet: an example value, dropped
  - server: an example value, dropped
facts/c2.json: would change
  ~ clusterId: old -> new  (from cluster_id.c2)
";
    assert_eq!((code(&dry), stdout(&dry), stderr(&dry)), (Some(0), expected, ""));
    assert_eq!(facts(&project, "c1")["example"], json!(true), "a dry run wrote");

    assert_eq!(code(&import(&project, &[], &outputs)), Some(0));
    let (c1, c2) = (facts(&project, "c1"), facts(&project, "c2"));
    assert_eq!((c1.get("example"), &c1["facts"]), (None, &json!({"clusterId": "new"})));
    assert_eq!(
        c2["facts"],
        json!({
            "server": "https://10.9.9.9:6443", "clusterId": "new",
            "internalLoadBalancer": {"subnet": "old"},
        })
    );
}

#[test]
fn all_problems_are_reported_at_once_and_nothing_is_written() {
    let project = project();
    let outputs = json!({
        "c1_cluster_id": plain(json!("good")),
        "c1_cluster_endpoint": plain(json!("ftp://CANARY")),
        "cluster_ca_cert": plain(json!({
            "c1": "CANARY",
            "c2": "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n",
        })),
        "c2_cluster_id": plain(json!({"id": "CANARY"})),
        "pub_lb_nsg_id": plain(json!("CANARY")),
        "c1_password": sensitive(json!("CANARY")),
        "syd_3_cluster_id": plain(json!("one")),
        "cluster_id_syd_3": plain(json!("CANARY two")),
    })
    .to_string();
    let arguments = [
        "-",
        "--server",
        "c7=https://10.0.0.1:6443",
        "--map",
        "other.password=password",
        "--map",
        "other.lost=passwort",
        "--map",
        "colour=password",
    ];
    let output = import(&project, &arguments, &outputs);
    assert_eq!((code(&output), stdout(&output)), (Some(2), ""));
    let said: Vec<&str> = stderr(&output)
        .lines()
        .filter(|line| line.starts_with("error") || line.contains("hint:"))
        .collect();
    let expected = "\
error[MG0506]: `certificateAuthority` of `c1` from `cluster_ca_cert.c1`: the value is no certificate in PEM, nor base64 of one
error[MG0507]: `server` of `c1` from `c1_cluster_endpoint`: the value is no https URL
 = hint: it has the form https://HOST:PORT
error[MG0508]: `--map`: there is no fact `colour`
 = hint: there are server, certificateAuthority, clusterId, publicLoadBalancer.networkSecurityGroup, publicLoadBalancer.subnet, internalLoadBalancer.networkSecurityGroup, internalLoadBalancer.subnet, uid and `other.NAME`
error[MG0508]: `--server`: there is no cluster `c7` in mesh.yaml
 = hint: there are `c1`, `c2`, `syd-3`
error[MG0508]: `c2_cluster_id` is a mapping, but `clusterId` is a string
 = hint: name the part that holds it: `--map clusterId=c2_cluster_id.KEY`
error[MG0508]: `clusterId` of `syd-3` has different values in `syd_3_cluster_id`, `cluster_id_syd_3`
 = hint: say which: `--map clusterId=OUTPUT`
error[MG0508]: standard input: `--map other.lost=passwort`: there is no output `passwort`
 = hint: did you mean `c1_password`?
error[MG0508]: standard input: these outputs do not say whose they are: `pub_lb_nsg_id`
 = hint: say it with `--cluster NAME`
error[MG0509]: `certificateAuthority` of `c2` from `cluster_ca_cert.c2`: the value holds a private key, and is not taken
error[MG0509]: `other.password` of `c1` from `c1_password`: the output is marked sensitive, and facts are committed in clear
 = hint: if it is no secret, Terraform's `nonsensitive(…)` in the output takes the mark away
error: 10 problems in the inputs; nothing was changed";
    assert_eq!(said.join("\n"), expected);
    assert!(!project.path().join("facts").exists());
}

#[test]
fn other_modules_are_mapped() {
    let project = project();
    let outputs = json!({
        "api": plain(json!({"private": "10.5.0.1:443", "public": "203.0.113.1:443"})),
        "vpc_id": plain(json!("vpc-1")),
        "ca": sensitive(json!(certificate())),
        "c2_vpc_id": plain(json!("vpc-2")),
    })
    .to_string();
    let arguments = [
        "--cluster",
        "c1",
        "--map",
        "server=api.private",
        "--map",
        "other.vpc=vpc_id",
        "--map",
        "certificateAuthority=ca",
    ];
    let output = import(&project, &arguments, &outputs);
    assert_eq!(
        (code(&output), stderr(&output)),
        (
            Some(0),
            "\
facts/c1.json: written
  + certificateAuthority: (sensitive)  (from ca)
  + other.vpc: vpc-1  (from vpc_id)
  + server: https://10.5.0.1:443  (from api.private)
dropped (belongs to another cluster): c2_vpc_id
"
        )
    );
    assert!(!project.path().join("facts/c2.json").exists());
}

#[test]
fn a_kubeconfig_gives_server_and_ca_and_no_credentials() {
    let project = project();
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: kind-c1\n\
         contexts:\n\
         - {{name: kind-c1, context: {{cluster: one, user: admin}}}}\n\
         - {{name: two, context: {{cluster: two, user: admin}}}}\n\
         clusters:\n\
         - name: one\n  cluster:\n    server: https://127.0.0.1:40123\n    certificate-authority-data: {}\n\
         - name: two\n  cluster:\n    server: https://10.2.0.1:6443\n    certificate-authority: ca.crt\n\
         users:\n\
         - name: admin\n  user:\n    token: CANARY-1\n    client-key-data: CANARY-2\n",
        STANDARD.encode(certificate()),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config");
    fs::write(&path, config).expect("written");
    fs::write(folder.path().join("ca.crt"), certificate()).expect("written");
    let path = path.to_str().expect("text");
    let contexts = ["--context", "c1=kind-c1", "--context", "c2=two"];

    // a loopback address is taken with a warning: `check` decides
    let arguments = [&["--kubeconfig", path], &contexts[..]].concat();
    let output = import(&project, &arguments, "");
    assert_eq!(code(&output), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("warning[MG0502]: peers cannot reach the API server of `c1`"));
    assert_eq!(facts(&project, "c1")["facts"]["server"], json!("https://127.0.0.1:40123"));
    let two = json!({"server": "https://10.2.0.1:6443", "certificateAuthority": certificate()});
    assert_eq!(facts(&project, "c2")["facts"], two);

    // what peers reach goes before
    let server = ["--server", "c1=https://172.18.0.2:6443"];
    let output = import(&project, &[&arguments[..], &server].concat(), "");
    assert_eq!(
        stderr(&output).lines().take(3).collect::<Vec<_>>(),
        [
            "facts/c1.json: written",
            "  = certificateAuthority  (from context kind-c1)",
            "  ~ server: https://127.0.0.1:40123 -> https://172.18.0.2:6443  (from --server)",
        ]
    );

    let wrong = ["--kubeconfig", path, "--context", "c1=kind-c2"];
    let output = import(&project, &wrong, "");
    assert_eq!(code(&output), Some(2));
    assert!(stderr(&output).contains("hint: did you mean `kind-c1`?"), "{}", stderr(&output));
}

#[test]
fn a_facts_file_is_taken_whole() {
    let project = project();
    let file = project.path().join("elsewhere.json");
    let text = |example: bool| {
        json!({
            "apiVersion": "meshgen.dev/v1alpha1", "kind": "Facts", "example": example,
            "facts": {"server": "https://10.1.0.5:6443", "other": {"vpc": "vpc-1"}},
        })
        .to_string()
    };
    fs::write(&file, text(false)).expect("written");
    let path = file.to_str().expect("text");
    assert_eq!(code(&import(&project, &[path, "--cluster", "c2"], "")), Some(0));
    assert_eq!(
        facts(&project, "c2")["facts"],
        json!({"server": "https://10.1.0.5:6443", "other": {"vpc": "vpc-1"}})
    );
    let unclear = import(&project, &[path], "");
    assert_eq!(code(&unclear), Some(2));
    assert!(stderr(&unclear).contains("it is not clear whose facts these are"));
    // made-up values must not lose their mark
    fs::write(&file, text(true)).expect("written");
    assert_eq!(code(&import(&project, &[path, "--cluster", "c2"], "")), Some(2));
}

#[test]
fn what_is_no_set_of_outputs_is_refused_without_repeating_it() {
    let project = project();
    for (text, message) in [
        ("CANARY", "this is no JSON"),
        ("[\"CANARY\"]", "this is no JSON object"),
        ("{}", "there are no outputs in it"),
        (r#"{"CANARY": "CANARY"}"#, "this is neither `terraform output -json` nor a facts file"),
        (
            r#"{"version": 4, "terraform_version": "1.9.0", "outputs": {"a": "CANARY"}}"#,
            "a state or a plan",
        ),
        (r#"{"kind": "Facts", "facts": {"password": "CANARY"}}"#, "there is no fact `password`"),
        (r#"{"kind": "Facts", "facts": {"server": ["CANARY"]}}"#, "must be a string"),
    ] {
        let output = import(&project, &[], text);
        assert_eq!(code(&output), Some(2), "{text}");
        assert!(stderr(&output).contains(message), "{text}: {}", stderr(&output));
    }
}

#[test]
fn the_result_is_data_with_json() {
    let project = project();
    let outputs = json!({"c1_cluster_id": plain(json!("id")), "x": sensitive(json!("CANARY"))});
    let output = import(&project, &["-o", "json", "--dry-run"], &outputs.to_string());
    let said: Value = serde_json::from_str(stdout(&output)).expect("JSON");
    assert_eq!(
        said,
        json!({
            "dryRun": true,
            "clusters": [{
                "cluster": "c1", "file": "facts/c1.json", "differs": true,
                "facts": [{"name": "clusterId", "from": "c1_cluster_id", "differs": true, "old": null, "new": "id"}],
                "droppedExamples": [],
            }],
            "dropped": [{"output": "x", "reason": "no fact has this name", "sensitive": true}],
            "warnings": [],
        })
    );
    assert_eq!(stderr(&output), "");
}

#[test]
fn nothing_is_written_through_a_symlink() {
    let project = project();
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(elsewhere.path(), project.path().join("facts")).expect("a link");
    let output = import(&project, &["--server", "c1=https://10.1.0.5:6443"], "");
    assert_eq!(code(&output), Some(2), "{}", stderr(&output));
    assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 0);
}

/// What the real tool prints, read by the import: splats, nulls and sensitive values as it writes them.
#[test]
fn outputs_of_a_real_terraform_are_read() {
    let Some(terraform) = tool::terraform() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let configuration = r#"
        locals { c1 = [{ nsg = "ocid1.nsg.1", endpoints = [{ private_endpoint = "10.1.0.5:6443" }] }] }
        output "c1_int_lb_nsg_id" { value = local.c1[*].nsg }
        output "cluster_endpoints" { value = { c1 = one(local.c1[*].endpoints), c2 = null } }
        output "pub_lb_nsg_id" { value = { c1 = null, c2 = "ocid1.nsg.2" } }
        output "cluster_ids" {
          value     = { c1 = "ocid1.cluster.1" }
          sensitive = true
        }
        output "kubeconfig" {
          value     = { users = [{ user = { token = "CANARY" } }] }
          sensitive = true
        }
    "#;
    fs::write(folder.path().join("main.tf"), configuration).expect("written");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&terraform);
        command.current_dir(folder.path()).args(arguments).env("CHECKPOINT_DISABLE", "1");
        tool::run(&mut command, "")
    };
    run(&["init", "-input=false", "-no-color"]);
    run(&["apply", "-auto-approve", "-input=false", "-no-color"]);
    let printed = run(&["output", "-json"]);
    let project = project();
    let output = import(&project, &[], &printed);
    assert_eq!(
        stderr(&output),
        "\
facts/c1.json: written
  + clusterId: (sensitive)  (from cluster_ids.c1)
  + internalLoadBalancer.networkSecurityGroup: ocid1.nsg.1  (from c1_int_lb_nsg_id)
  + server: https://10.1.0.5:6443  (from cluster_endpoints.c1.private_endpoint)
facts/c2.json: written
  + publicLoadBalancer.networkSecurityGroup: ocid1.nsg.2  (from pub_lb_nsg_id.c2)
dropped (no fact has this name): kubeconfig (sensitive)
`--map FACT=OUTPUT` takes a fact from an output of another name
"
    );
    assert_eq!(code(&output), Some(0));
}
