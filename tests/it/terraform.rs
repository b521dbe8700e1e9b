//! `terraform.tfvars` is formatted as Terraform formats it, and reads back equal to the mesh: by the
//! library that Terraform reads with, everywhere, and by Terraform itself where it is installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::project::{Project, Tree};
use crate::tool;
use meshgen::yaml;

/// The variables of the OKE example, with their types.
const VARIABLES: &str = r#"
variable "api_fingerprint" { type = string }
variable "api_private_key_path" { type = string }
variable "home_region" { type = string }
variable "tenancy_id" { type = string }
variable "user_id" { type = string }
variable "compartment_id" { type = string }
variable "ssh_private_key_path" { type = string }
variable "ssh_public_key_path" { type = string }
variable "kubernetes_version" { type = string }
variable "cluster_type" { type = string }
variable "oke_control_plane" { type = string }
variable "preferred_cni" { type = string }
variable "istio_version" { type = string }
variable "istio_mesh_id" { type = string }
variable "clusters" {
  type = map(object({
    region   = string
    vcn      = string
    pods     = string
    services = string
    enabled  = bool
  }))
}
variable "nodepools" {
  type = map(object({
    shape            = string
    ocpus            = number
    memory           = number
    size             = number
    boot_volume_size = number
  }))
}
"#;

/// The names of the variables that Terraform is asked for.
fn names() -> impl Iterator<Item = &'static str> {
    VARIABLES.lines().filter_map(|line| line.strip_prefix("variable \"")?.split('"').next())
}

/// What the library reads; also holds that its formatter would change nothing.
fn library(text: &str) -> Option<Value> {
    let hcl = tool::path("hcl")?;
    let output = tool::run(&mut Command::new(hcl), text);
    let read: Value = serde_json::from_str(&output).expect("hcl prints JSON");
    assert_eq!(read["error"], Value::Null, "{text}");
    assert_eq!(read["formatted"], true, "the formatter would change:\n{text}");
    Some(read["value"].clone())
}

/// What Terraform reads, types converted as the variables declare them; also holds that
/// `terraform fmt -check` passes.
fn terraform(text: &str) -> Option<Value> {
    let terraform = tool::terraform()?;
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("variables.tf"), VARIABLES).expect("a file");
    fs::write(folder.path().join("terraform.tfvars"), text).expect("a file");
    command(&terraform, folder.path(), &["fmt", "-check", "-diff", "terraform.tfvars"], "");
    let wanted: Vec<String> = names().map(|name| format!("{name} = var.{name}")).collect();
    // in base64, because the console would quote the text once more
    let question = format!("base64encode(jsonencode({{ {} }}))\n", wanted.join(", "));
    let answer = command(&terraform, folder.path(), &["console"], &question);
    let json = base64_decode(answer.trim().trim_matches('"'));
    Some(serde_json::from_slice(&json).expect("jsonencode gives JSON"))
}

fn command(terraform: &Path, folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(terraform);
    command
        .current_dir(folder)
        .args(arguments)
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_CLI_CONFIG_FILE", "/dev/null");
    tool::run(&mut command, input)
}

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64encode gives base64")
}

/// The reference job: issue by issue the same numbers as in mesh.yaml, written down once more.
fn reference() -> Value {
    json!({
        "api_fingerprint": "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff",
        "api_private_key_path": "~/.oci/oci_rsa.pem",
        "home_region": "sydney",
        "tenancy_id": "ocid1.tenancy.oc1..example",
        "user_id": "ocid1.user.oc1..example",
        "compartment_id": "ocid1.compartment.oc1..example",
        "ssh_private_key_path": "~/.ssh/id_rsa",
        "ssh_public_key_path": "~/.ssh/id_rsa.pub",
        "clusters": {
            "c1": {
                "region": "sydney", "vcn": "10.1.0.0/16", "pods": "10.201.0.0/16",
                "services": "10.101.0.0/16", "enabled": true,
            },
            "c2": {
                "region": "melbourne", "vcn": "10.2.0.0/16", "pods": "10.202.0.0/16",
                "services": "10.102.0.0/16", "enabled": true,
            },
        },
        "kubernetes_version": "v1.28.2",
        "cluster_type": "basic",
        "oke_control_plane": "private",
        "preferred_cni": "flannel",
        "nodepools": {
            "np1": {
                "shape": "VM.Standard.E4.Flex", "ocpus": 2, "memory": 64, "size": 2,
                "boot_volume_size": 150,
            },
        },
        "istio_version": "1.20.2",
        "istio_mesh_id": "apac",
    })
}

#[test]
fn the_library_reads_the_reference_job() {
    let text = Tree::committed().text("terraform/terraform.tfvars");
    let Some(read) = library(&text) else { return };
    assert_eq!(read, reference());
}

#[test]
fn terraform_reads_the_reference_job() {
    let text = Tree::committed().text("terraform/terraform.tfvars");
    let Some(read) = terraform(&text) else { return };
    assert_eq!(read, reference());
}

/// A mesh with every hostile string as a node pool's name and shape, and a strange value for every
/// other variable; and what must be read from it.
fn hostile() -> (String, Value) {
    let strings: Vec<String> =
        serde_json::from_str(include_str!("../data/hostile-strings.json")).expect("strings");
    let more = [
        "${x}",
        "$${x}",
        "$$${x}",
        "%{if x}",
        "%%{",
        "$",
        "$$",
        "a${",
        "\\${x}",
        "<<EOT\nx\nEOT\n",
    ];
    let strings = strings.into_iter().chain(more.map(str::to_owned));
    let mut pools = Map::new();
    let mut expected = Map::new();
    for (index, text) in strings.enumerate() {
        pools.insert(
            text.clone(),
            json!({
                "shape": text, "ocpus": 1, "memory": index, "size": 0, "bootVolumeSize": 50,
            }),
        );
        expected.insert(
            text.clone(),
            json!({
                "shape": text, "ocpus": 1, "memory": index, "size": 0, "boot_volume_size": 50,
            }),
        );
    }
    let (_, recipient) = meshgen::pki::new_identity();
    let mesh = json!({
        "apiVersion": "meshgen.dev/v1alpha1", "kind": "Mesh", "name": "hostile",
        "profile": "oke-multi-primary",
        "kubernetes": {"version": "v1.28.2"},
        "istio": {"version": "1.20.2", "meshID": "on"},
        "pki": {"recipients": [recipient.as_str()]},
        "clusters": {
            "on": {"region": "sydney", "vcn": "10.1.0.0/16", "pods": "10.201.0.0/16", "services": "10.101.0.0/16"},
            "0644": {"region": "ap-melbourne-1", "vcn": "10.2.0.0/16", "pods": "10.202.0.0/16", "services": "10.102.0.0/16", "enabled": false},
        },
        "terraform": {
            "apiFingerprint": "0644", "apiPrivateKeyPath": "~/a\"b\\c", "homeRegion": "sydney",
            "tenancyId": "${file(\"/etc/passwd\")}", "userId": "a: b\n- c", "compartmentId": "yes",
            "sshPrivateKeyPath": "%{ for x in y }", "sshPublicKeyPath": " # not a comment ",
            "nodepools": pools,
        },
    });
    let expected = json!({
        "api_fingerprint": "0644", "api_private_key_path": "~/a\"b\\c", "home_region": "sydney",
        "tenancy_id": "${file(\"/etc/passwd\")}", "user_id": "a: b\n- c", "compartment_id": "yes",
        "ssh_private_key_path": "%{ for x in y }", "ssh_public_key_path": " # not a comment ",
        "clusters": {
            "on": {"region": "sydney", "vcn": "10.1.0.0/16", "pods": "10.201.0.0/16", "services": "10.101.0.0/16", "enabled": true},
            "0644": {"region": "melbourne", "vcn": "10.2.0.0/16", "pods": "10.202.0.0/16", "services": "10.102.0.0/16", "enabled": false},
        },
        "kubernetes_version": "v1.28.2", "cluster_type": "basic", "oke_control_plane": "private",
        "preferred_cni": "flannel", "nodepools": expected, "istio_version": "1.20.2",
        "istio_mesh_id": "on",
    });
    (yaml::canonical(&mesh), expected)
}

#[test]
fn hostile_strings_stay_what_they_are() {
    let (mesh, expected) = hostile();
    let project = Project::new(&mesh);
    project.make_keyring();
    project.run(&["render"]);
    let text = project.tree().text("terraform/terraform.tfvars");
    if let Some(read) = library(&text) {
        assert_eq!(read, expected);
    }
    if let Some(read) = terraform(&text) {
        assert_eq!(read, expected);
    }
}
